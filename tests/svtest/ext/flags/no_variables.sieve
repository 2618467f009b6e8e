require "imap4flags";
setflag "a";
if hasflag "a" { keep :flags ["x", "y"]; }
