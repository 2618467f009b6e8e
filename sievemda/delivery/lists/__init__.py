"""Lists outside of the script (RFC 6134): `catalogue` knows names, `files` and `state.listing` what is in them."""
