"""RFC 5228 itself, said in the same words as an extension."""
