require ["include", "variables"];
global "shared";
# not declared here: a variable of this script alone
set "own" "of the included";
set "shared" "${shared}+${own}";
set "global.by_namespace" "seen";
