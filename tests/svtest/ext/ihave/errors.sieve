require "ihave";
if ihave { keep; }
if ihave 5 { keep; }
if ihave "a" "b" { keep; }
if ihave :x "a" { keep; }
ihave "fileinto";
error;
error 5;
error ["a"];
error "a" "b";
error :x "a";
error "a" { keep; }
if error "a" { keep; }
