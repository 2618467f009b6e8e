require ["include"];
include :optional "inc_bad";
