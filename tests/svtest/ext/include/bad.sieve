require "include";
include "inc_bad";
