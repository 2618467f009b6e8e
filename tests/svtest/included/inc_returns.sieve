require ["include", "variables"];
global "trace";
set "trace" "${trace} before";
if true {
    if true { return; }
    set "trace" "${trace} inner";
}
set "trace" "${trace} after";
