else { keep; }
keep;
elsif true { keep; }
if true { } else { } else { }
if true { } keep; else { }
if { keep; }
if true;
if "a" true { keep; }
if (true, true) { keep; }
if true { } else true { }
if header "a" "b" { } elsif { }
if keep { }
true;
frobnicate { frobnicate; }
frobnicate "again";
