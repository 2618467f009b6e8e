require ["variables", "special-use"];
set "x" "Sent";
if specialuse_exists "${x}" { keep; }
