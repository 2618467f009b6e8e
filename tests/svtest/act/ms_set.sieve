require ["variables","include"]; global "g"; set "g" "value"; set "v" "value";
