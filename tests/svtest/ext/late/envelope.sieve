require ["variables", "envelope"];
set "x" "nobody";
if envelope "${x}" "a" { keep; }
