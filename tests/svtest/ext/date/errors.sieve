require ["date"];
if date { keep; }
if date "date" "year" { keep; }
if date "date" "year" "2000" "2001" { keep; }
if date ["date", "received"] "year" "2000" { keep; }
if date "date" ["year"] "2000" { keep; }
if date "date" "year" 2000 { keep; }
if date :zone "+0000" :originalzone "date" "year" "2000" { keep; }
if date :zone "date" "year" { keep; }
if date :zone 5 "date" "year" "2000" { keep; }
if date :value "gt" "date" "year" "2000" { keep; }
if currentdate :originalzone "year" "2000" { keep; }
if currentdate "date" "year" "2000" { keep; }
if currentdate ["year"] "2000" { keep; }
currentdate "year" "2000";
