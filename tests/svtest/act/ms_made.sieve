require ["fileinto","mailbox"]; if mailboxexists "Made" { fileinto "Made"; fileinto "Two"; }
