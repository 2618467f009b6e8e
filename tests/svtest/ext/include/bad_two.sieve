require "include";
include "inc_bad";
include "inc_bad_parse";
include "inc_flat";
