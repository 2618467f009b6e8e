"""Moving mailboxes while mail arrives: to another partition, and users to another host."""
