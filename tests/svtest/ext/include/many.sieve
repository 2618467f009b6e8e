require "include";
include "inc_keep";
include "inc_keep";
include "inc_flat";
include :global "inc_flat";
