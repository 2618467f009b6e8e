require "include";
include "base-none";
include :global "base-none";
include "a/b";
include :optional "base-none";
frobnicate;
