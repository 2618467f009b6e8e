require ["include", "variables"];
import ["trace"];
export "trace";
set "trace" "${trace} old";
