"""Netnews into shared folders: from the directories of a news server, or over NNTP (RFC 3977)."""
