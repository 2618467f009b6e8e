require ["imap4flags","fileinto"]; if hasflag "myflag" { fileinto "Work"; }
