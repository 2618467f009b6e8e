require "ereject"; ereject "x";
