"""Mail, rights, quotas, subscriptions and scripts from the directories of a Cyrus IMAP server.

How the files are laid out was found by having Cyrus 3.6 write them, in every version that its `reconstruct -V` makes,
and by its documentation. What cannot be read with certainty is said, and its messages come with what the file system
knows of them.
"""
