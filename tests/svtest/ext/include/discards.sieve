require ["include"];
include "inc_discard";
