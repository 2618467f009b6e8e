require ["include", "fileinto", "variables"];
fileinto "Before";
set "x" "not an address";
redirect "${x}";
