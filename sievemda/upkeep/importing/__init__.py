"""Messages, folders and rules that come from elsewhere."""
