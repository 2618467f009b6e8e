"""Messages that expire: by rules of a file, by annotations as with Cyrus, or by a criterion for once.

`criteria` says what a message must be like, `scope` which mailboxes a rule is for, `rules` reads them from a file,
`sieving` asks a script, `folder` goes through one mailbox, and `expiry` through all.
"""
