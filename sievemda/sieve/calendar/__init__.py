"""Calendar data in mail (RFC 5545), and what it does to a calendar (RFC 5546, RFC 9671). Loaded by who has some."""
