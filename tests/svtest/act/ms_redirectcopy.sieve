require "copy"; redirect :copy "x@example.com";
