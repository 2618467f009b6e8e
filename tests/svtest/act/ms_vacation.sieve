require "vacation"; vacation "x";
