require ["variables", "regex"];
set "p" "((";
if header :regex "subject" "${p}" { discard; } else { keep; }
