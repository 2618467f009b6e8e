require ["include"];
include :once "inc_keep_once";
include :once "inc_keep_once";
