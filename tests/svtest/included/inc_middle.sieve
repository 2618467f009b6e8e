require ["include", "variables"];
global ["trace"];
set "trace" "${trace} (";
include "inc_flat";
include "inc_returns";
set "trace" "${trace} )";
