require ["date"];
if date "date:" "year" "2000" { keep; }
if date :zone "nowhere" "date" "year" "2000" { keep; }
if date :zone "+100" "date" "year" "2000" { keep; }
if date "date" "era" "AD" { keep; }
if currentdate "era" "AD" { keep; }
