require "ihave";
if true { } else { frobnicate; }
if false { frobnicate "a" { more; } }
if not not false { frobnicate; } elsif false { frobnicate2; } elsif true { discard; } else { frobnicate3; }
if anyof (false, allof (true, not true)) { fileinto 5; }
if ihave "no-such-thing" { no_such_thing; } else { if not ihave ["no-such-thing", "fileinto"] { } else { nothing; } }
if true { if false { redirect "not an address"; } } elsif true { redirect "nor this"; }
