require ["editheader", "variables", "encoded-character"];
set "x" "${hex:00}";
addheader "X-Y" "a${x}b";
