require ["include", "variables"];
set "global.1" "x";
set "global.a.b" "x";
set "global." "x";
