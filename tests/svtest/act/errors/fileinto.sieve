require ["fileinto","copy","imap4flags","mailbox","special-use"];
fileinto;
fileinto ["a","b"];
fileinto 3;
fileinto :create;
fileinto :flags "a";
fileinto :copy :copy "x";
fileinto :specialuse "Junk" "x";
keep "x";
discard "x" ;
fileinto "x" { keep; }
