require "include";
include "";
include "a/b";
include :personal "line
break";
include "${x}";
