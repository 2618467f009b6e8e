require "include";
include "base-broken";
