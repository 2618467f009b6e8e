"""What must be remembered and has no place in a Maildir. All SQL is here."""
