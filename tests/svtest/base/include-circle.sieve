require "include";
include "base-circle";
