"""Messages and folders in the forms that other programs read."""
