"""What happens when a mailbox fills up: who is told, in which words, and for how long senders are put off."""
