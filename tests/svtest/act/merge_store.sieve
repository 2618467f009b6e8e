require ["fileinto", "imap4flags"];
fileinto "A";
fileinto "B";
fileinto :flags "\\Seen" "A";
redirect "x@example.com";
redirect "x@EXAMPLE.COM";
redirect "X@example.com";
discard;
discard;
