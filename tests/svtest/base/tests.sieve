require ["relational", "comparator-i;ascii-numeric"];
if header "a" { }
if header 1 "a" { }
if header "a" 1 { }
if header :all "a" "b" { }
if header :contains :comparator "i;ascii-numeric" "a" "b" { }
if header :comparator "i;ascii-numeric" :matches "a" "b" { }
if header :count "xx" "a" "b" { }
if header :comparator "i;octet" :comparator "i;octet" "a" "b" { }
if header :comparator "i;klingon" "a" "b" { }
if header :comparator 1 "a" "b" { }
if exists "a" "b" { }
if exists 1 { }
if size :over { }
if size :over "1K" { }
if size 1K { }
if size :over :under 1K { }
if size over 1K { }
if not (true) { }
if allof true { }
if anyof { }
if true true { }
if false "a" { }
