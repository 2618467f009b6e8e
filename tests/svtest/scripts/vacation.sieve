require "vacation";
vacation :addresses "recipient@example.org" "I am away.";
