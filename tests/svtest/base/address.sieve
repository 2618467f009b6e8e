require ["comparator-i;ascii-numeric", "fileinto"];
if address "Subject" "x" { keep; }
if address ["from", "x-anything", "to"] "x" { keep; }
if anyof (address "to" "x", address "date" "x") { keep; }
if address "from" { keep; }
if address 1 "x" { keep; }
if address "from" 1 { keep; }
if address :is :contains "from" "x" { keep; }
if address :all :domain "from" "x" { keep; }
if address :nothing "from" "x" { keep; }
if address :nothing "from" "x" { keep; }
if address "from" :is "x" { keep; }
if address :is "from" "x" true { keep; }
if address :is "from" "x" fileinto "y" { keep; }
if address :domain contains "from" "x" { keep; }
if address :comparator "i;nothing" "from" "x" { keep; }
if address :comparator "i;ascii-numeric" :contains "from" "x" { keep; }
address "from" "x";
