require ["fileinto", "variables"];
fileinto "Somewhere";
set "a" "not an address";
redirect "${a}";
redirect "${a}";
discard;
