require ["include", "variables"];
include;
include 1;
include ["inc_flat", "inc_keep"];
include "inc_flat" "inc_keep";
include :personal :global "inc_flat";
include :twice "inc_flat";
include :once :once "inc_flat";
return "x";
return true;
global;
global 5;
global "not a name";
global "1";
global "a" "b";
if include "inc_flat" { keep; }
