require "imap4flags";
/* no such command is looked at where it can never run */
if false { a2345678901234567890123456789012 :a2345678901234567890123456789012; }
if size :over 18446744073709551615 { keep; }
if size :over 17179869183G { keep; }
if false { frob "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1" "1"; }
