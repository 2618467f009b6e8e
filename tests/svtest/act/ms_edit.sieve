require "editheader"; addheader "X-Edit" "1"; deleteheader "Subject"; addheader "Subject" "Edited";
