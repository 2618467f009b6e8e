require ["include"];
include "inc_self";
