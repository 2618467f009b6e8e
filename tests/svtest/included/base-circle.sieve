require "include";
include "base-circle2";
