require "include";
include "inc_bad_outer";
