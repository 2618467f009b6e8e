"""Who is there: names of users, passwords, SASL mechanisms. Knows no protocol, no socket and no mailbox."""
