require ["editheader", "variables"];
set "x" "X:Y";
deleteheader "${x}";
