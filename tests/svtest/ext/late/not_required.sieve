require ["fileinto"];
if header :regex "a" "b" { keep; }
if header :regex "c" "d" { keep; }
if header :value "gt" "a" "b" { keep; }
if header :index 1 "a" "b" { keep; }
if header :mime "a" "b" { keep; }
if address :user "from" "b" { keep; }
if address :regex "from" "b" { keep; }
fileinto :copy "a";
fileinto :create "a";
fileinto :flags "x" "a";
keep :flags "x";
redirect :copy "a@example.org";
if body :raw "a" { keep; }
set "a" "b";
