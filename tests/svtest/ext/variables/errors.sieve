require ["variables", "fileinto"];
set "0" "x";
set "1a" "x";
set "a b" "x";
set "" "x";
set "${x}" "x";
set "ünï" "x";
set "a.b" "x";
set "a.1.c" "x";
set ["a"] "x";
set "a";
set;
set "a" ["b"];
set "a" 5;
set 5 "a";
set "a" "b" "c";
set :bogus "a" "b";
set :bogus "a" "c";
set :upper :lower "a" "b";
set :upperfirst :lowerfirst "a" "b";
set :length :length "a" "b";
set :upper :upper "a" "b";
set "a" "b" :upper;
set :encodeurl "a" "b";
set "a" "b" { keep; }
set "a" "${33}";
fileinto "${nowhere.x}";
if string "${other.x.y}" "" { keep; }
if string "a" { keep; }
if string ["a"] 1 { keep; }
if set "a" "b" { keep; }
string "a" "b";
if string :bogus "a" "b" { keep; }
set "a" "b" true;
