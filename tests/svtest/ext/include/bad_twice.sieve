require "include";
include "inc_bad";
include "inc_bad";
