require ["include", "variables", "fileinto"];
global "trace";
include "inc_middle";
fileinto "${trace}";
