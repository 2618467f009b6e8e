require ["include", "variables"];
global ["match_here"];
set "match_here" "[${1}]";
if string :matches "left-right" "*-*" { set "match_here" "${match_here}[${1}]"; }
