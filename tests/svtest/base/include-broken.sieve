require "include";
include "base-outer";
