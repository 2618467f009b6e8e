"""`reconstruct`: find what is wrong in a store and mend it, beside deliveries and IMAP servers.

The file system is the mailbox database, so nothing has to be rebuilt from anything: each module knows one kind of
damage and mends it where it is. Nothing that a person could want is removed: it is put into the folder where readers
look, or kept in `lost.` beside the Maildir. Every step can be repeated: whoever is killed begins again.
"""
