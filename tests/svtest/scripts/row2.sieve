require ["fileinto", "mailbox", "imap4flags"];
if allof(header "X-Before" "1", mailboxexists "Before", hasflag "\\Answered") { keep; } else { fileinto "Work"; }
