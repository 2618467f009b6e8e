"""Equal messages made one file with several names."""
