require "include";
include "inc_there_is_none";
include :global "inc_there_is_none_either";
include :optional "inc_nor_this";
