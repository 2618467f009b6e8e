require "include";
include "inc_bad";
keep "x";
