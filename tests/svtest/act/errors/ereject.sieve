require "ereject";
ereject;
ereject ["a", "b"];
ereject 3;
ereject "a" "b";
