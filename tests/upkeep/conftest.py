"""The store of these tests is that of the store's."""

from tests.store.conftest import mailbox, site, store

__all__ = ["mailbox", "site", "store"]
