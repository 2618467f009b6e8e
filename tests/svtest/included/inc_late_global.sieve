require ["include", "variables"];
global "a";
set "b" "x";
global "b";
