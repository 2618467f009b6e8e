"""sievemda: a mail delivery agent with Sieve, and an answer to why a message went where it went."""

__version__ = "0.1.0"
