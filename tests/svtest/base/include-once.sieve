require "include";
include "base-once";
