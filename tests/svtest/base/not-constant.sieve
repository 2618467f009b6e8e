if size :over 0 { } else { frobnicate1; }
if exists "x" { frobnicate2; }
if not exists "x" { } elsif true { } else { }
if true { frobnicate3; }
if anyof (exists "x", false) { frobnicate4; }
if not anyof (exists "x", false) { } elsif false { never; } else { frobnicate5; }
