require ["editheader", "variables", "encoded-character"];
set "x" "${hex:07}";
addheader "X-Y" "a${x}b";
if not header "x-y" "a${x}b" { redirect "${x}"; }
