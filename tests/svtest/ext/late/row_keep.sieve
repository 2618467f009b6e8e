require ["include"];
include "inc_keep";
