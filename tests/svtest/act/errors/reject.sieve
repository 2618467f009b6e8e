require "reject";
reject;
reject ["a", "b"];
reject 3;
reject "a" "b";
