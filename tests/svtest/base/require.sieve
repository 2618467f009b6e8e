require ["vnd.example.one", "envelope", "vnd.example.two"];
require "keep";
require 5;
require "fileinto" "copy";
if envelope "from" "" { fileinto "x"; require "vnd.example.three"; }
require ["fileinto", "vnd.example.four"];
