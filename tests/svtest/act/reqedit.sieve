require "editheader"; addheader "X" "y";
