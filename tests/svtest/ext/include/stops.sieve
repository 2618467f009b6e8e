require ["include", "fileinto"];
include "inc_stops";
fileinto "Never";
