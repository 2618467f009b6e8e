require ["imap4flags","fileinto","mailbox"]; if hasflag "\\Flagged" { discard; } 
