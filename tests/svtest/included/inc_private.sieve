require ["include", "variables"];
if string "${private}" "secret" { error; }
set "private" "of the included";
