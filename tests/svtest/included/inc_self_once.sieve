require ["include", "variables"];
global "trace";
set "trace" "${trace} self";
include :once "inc_self_once";
