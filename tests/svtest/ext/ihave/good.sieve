require "ihave";
if ihave "fileinto" { fileinto "x"; }
if ihave "nothing-of-the-kind" { nothing "x" { of :the "kind"; } }
if not ihave "nothing-of-the-kind" { } else { nothing; }
if allof (ihave "nothing-of-the-kind", nothing) { nothing; }
if anyof (not ihave "body", body :contains "zzz") { discard; }
elsif ihave ["fileinto", "nothing-of-the-kind"] { nothing; }
