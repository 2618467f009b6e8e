require ["fileinto", "variables"];
fileinto "Work";
set "nobody" "not an address";
redirect "${nobody}";
