require ["relational", "comparator-i;ascii-numeric", "regex", "envelope", "subaddress", "index", "variables", "date"];
if header :count "subject" "1" { keep; }
if header :value "more" "subject" "1" { keep; }
if header :value 1 "subject" "1" { keep; }
if header :value "gt" :count "lt" "subject" "1" { keep; }
if header :is :value "gt" "subject" "1" { keep; }
if header :contains :comparator "i;ascii-numeric" "subject" "1" { keep; }
if address :matches :comparator "i;ascii-numeric" "from" "1" { keep; }
if envelope :regex :comparator "i;ascii-numeric" "from" "1" { keep; }
if string :comparator "i;nothing" "a" "1" { keep; }
if string :comparator "${x}" "a" "1" { keep; }
if string :comparator 1 "a" "1" { keep; }
if header :regex "subject" "(" { keep; }
if header :regex "subject" ["a", "[z"] { keep; }
if header :regex "subject" "a{2,1}" { keep; }
if header :regex "subject" "+" { keep; }
if header :regex "subject" "[[:letters:]]" { keep; }
if address :user :detail "from" "x" { keep; }
if address :user :all "from" "x" { keep; }
if envelope "nobody" "x" { keep; }
if header :index 0 "subject" "x" { keep; }
if header :last "subject" "x" { keep; }
if header :index "1" "subject" "x" { keep; }
if exists :index 1 "subject" { keep; }
if address :index 0 "from" "x" { keep; }
if date :last "date" "year" "x" { keep; }
