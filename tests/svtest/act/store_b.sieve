require ["fileinto","editheader","imap4flags","mailbox"];
if exists "x-b" { fileinto :create "SeenB"; }
if hasflag "fromfile" { fileinto :create "SeenFlag"; }
