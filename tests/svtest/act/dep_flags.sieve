require ["imapflags","fileinto"];
setflag "\\Seen";
addflag ["$A","$B"];
removeflag "$A";
mark;
keep;
