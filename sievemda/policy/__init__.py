"""Pure rules: access control, quota, loops."""
