require ["imap4flags", "variables", "fileinto"];
setflag;
setflag 5;
setflag "a" 5;
setflag "a" "b" "c";
setflag ["a"] "b";
setflag "not a name" "b";
setflag "0" "b";
addflag;
addflag "1a" "b";
removeflag "" "b";
removeflag :all "b";
if hasflag { keep; }
if hasflag 5 { keep; }
if hasflag "a" "b" "c" { keep; }
if hasflag :all "b" { keep; }
hasflag "a";
if addflag "a" { keep; }
keep :flags;
keep :flags 5;
discard :flags "x";
fileinto :flags "x" :flags "y" "z";
