require ["mailbox", "fileinto", "mboxmetadata", "servermetadata", "special-use", "mailboxid", "duplicate"];
if mailboxexists { keep; }
if mailboxexists 5 { keep; }
if mailboxexists "a" "b" { keep; }
if mailboxexists :is "a" { keep; }
mailboxexists "a";
keep :create;
redirect :create "a@example.org";
fileinto :create :create "a";
fileinto :create;
if metadata "INBOX" "/private/a" { keep; }
if metadata ["INBOX"] "/private/a" "b" { keep; }
if metadata "INBOX" ["/private/a"] "b" { keep; }
if metadata "INBOX" "/private/a" 5 { keep; }
if metadataexists "INBOX" { keep; }
if metadataexists ["INBOX"] "/private/a" { keep; }
if metadataexists :is "INBOX" "/private/a" { keep; }
if servermetadata "/private/a" { keep; }
if servermetadata ["/private/a"] "b" { keep; }
if servermetadataexists { keep; }
if servermetadataexists "/private/a" "b" { keep; }
if specialuse_exists { keep; }
if specialuse_exists "Sent" { keep; }
if specialuse_exists "INBOX" "Sent" { keep; }
if specialuse_exists ["INBOX"] "\\Sent" { keep; }
if specialuse_exists 5 { keep; }
if specialuse_exists "a" "\\Sent" "b" { keep; }
fileinto :specialuse "Sent" "a";
fileinto :specialuse "\\Sent";
fileinto :specialuse ["\\Sent"] "a";
if mailboxidexists { keep; }
if mailboxidexists 5 { keep; }
fileinto :mailboxid "a";
fileinto :mailboxid 5 "a";
if duplicate "a" { keep; }
if duplicate :header "a" :uniqueid "b" { keep; }
if duplicate :header ["a"] { keep; }
if duplicate :seconds "5" { keep; }
if duplicate :handle 5 { keep; }
if duplicate :last :last { keep; }
duplicate;
