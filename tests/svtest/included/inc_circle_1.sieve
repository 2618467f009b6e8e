require ["include"];
include "inc_circle_2";
