require "include";
include "inc_depth_1";
