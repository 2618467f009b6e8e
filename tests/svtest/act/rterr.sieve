require ["fileinto","variables"]; fileinto "Work"; set "a" ""; redirect "${a}"; keep;
