require ["include"];
include "inc_file";
include "inc_keep";
