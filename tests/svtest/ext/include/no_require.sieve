require ["include", "fileinto"];
include "inc_no_require";
