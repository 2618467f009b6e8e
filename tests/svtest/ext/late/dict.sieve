require ["include"];
include :personal "stored";
