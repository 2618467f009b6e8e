redirect "x@example.com";
