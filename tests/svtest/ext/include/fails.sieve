require ["include", "fileinto"];
include "inc_fails";
fileinto "Never";
