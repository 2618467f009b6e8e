"""The test language for Sieve scripts (svtest): an extension that only the test runner loads."""
