require ["variables", "special-use", "fileinto"];
set "x" "Sent";
fileinto :specialuse "${x}" "a";
