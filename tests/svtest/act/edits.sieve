require "editheader";
deleteheader "X-A"; addheader "X-A" "1"; deleteheader "X-B"; addheader "X-B" "2"; addheader "X-C" "3";
deleteheader "Received"; addheader "Received" "y"; deleteheader "Auto-Submitted"; addheader "Auto-Submitted" "no"; deleteheader "X-Sieve-Redirected-From"; deleteheader "Subject"; addheader "Subject" "new";
