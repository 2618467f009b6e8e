frobnicate;
frobnicate "again" { and_not_looked_at; }
if frob { keep; }
if anyof (frob, frobnicate) { keep; }
header "a" "b";
header;
if stop { keep; }
keep :fold; keep :fold;
discard :fold;
keep "x" true;
keep
discard;
discard frobnicate;
keep { frobnicate2; }
redirect;
redirect ["a@b.example"];
redirect "not an address";
stop 5;
if not exists { keep; }
fileinto "a"; fileinto; if fileinto { keep; }
redirect copy "a@b.example";
