require ["imap4flags", "editheader", "special-use"];
setflag true;
addflag (true);
removeflag { keep; }
deleteheader true;
deleteheader "a" "b" "c" true;
if hasflag true { keep; }
if hasflag "a" "b" "c" true { keep; }
if specialuse_exists (true) { keep; }
setflag "a" "b" "c";
setflag true { keep; }
