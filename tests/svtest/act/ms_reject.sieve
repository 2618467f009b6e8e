require "reject"; reject "x";
