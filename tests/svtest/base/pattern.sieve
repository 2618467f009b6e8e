require ["variables", "regex"];
set "p" "(";
if header :regex "from" "${p}" { keep; stop; }
discard;
