require ["variables","fileinto"]; fileinto "Work"; set "a" ""; redirect "${a}";
