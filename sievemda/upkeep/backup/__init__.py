"""Backup and restore: what a store has as one archive, a tar that needs nothing of ours to be read.

`write_archive` (see `writing`) writes mailboxes to a stream, `read_archive` (see `reading`) gives what an archive has,
piece by piece as it comes; neither seeks, so that a pipe between two hosts will do.
"""
