require "include";
include "inc_late_global";
