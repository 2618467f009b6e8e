require ["include", "variables", "fileinto"];
global "trace";
include "inc_self_once";
fileinto "${trace}";
