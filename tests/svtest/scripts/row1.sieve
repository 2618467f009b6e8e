require ["fileinto", "mailbox", "copy", "editheader", "imap4flags"];
fileinto :copy :create "Before";
addheader "X-Before" "1";
addflag "\\Answered";
