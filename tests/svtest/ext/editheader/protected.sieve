require "editheader";
addheader "X-Mine" "2";
deleteheader "X-Mine";
addheader "X-Yours" "2";
deleteheader "X-Yours";
deleteheader "Subject";
addheader "Subject" "new";
addheader "X-Unlisted" "3";
