require ["editheader", "variables"];
set "x" "X Y";
addheader "${x}" "a";
