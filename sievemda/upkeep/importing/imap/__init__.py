"""Mail from an account on an IMAP server (RFC 3501, RFC 9051): a small client, and what is made of what it finds.

Why not `imaplib` or a library on top of it: both hold each message in memory, however large it is, and read whatever
length a server announces. Here a message goes from the socket to a file, and everything that a server says has a bound.
The part of IMAP that is needed (log in, list, select, fetch) is smaller than what would have to be worked around.
"""
