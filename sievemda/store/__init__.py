"""Where messages lie: mailbox names, Maildir++ folders, ACL and quota files, partitions."""
