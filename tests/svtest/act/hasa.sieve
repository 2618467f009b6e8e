require "imap4flags"; if hasflag "a" { discard; }
