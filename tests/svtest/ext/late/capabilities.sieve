require ["bogus-one", "fileinto", "bogus-two"];
require "comparator-i;bogus";
