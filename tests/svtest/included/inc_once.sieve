require ["include"];
include :once "inc_flat";
include :once :personal "inc_flat";
include :once :global "inc_flat";
