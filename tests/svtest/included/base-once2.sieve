require "include";
include :once "base-once";
