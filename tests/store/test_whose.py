"""Whose a directory is, by its place."""

import pytest

from sievemda.store.names import MailboxName
from sievemda.store.whose import mailbox_at, tree_at

LAYOUTS = [
    {},
    {"hashimapspool": True},
    {"hashimapspool": True, "fulldirhash": True},
    {"mail_home": "homes/{domain}/{local}"},
    {"mail_home": "homes/{user}"},
]


@pytest.mark.parametrize("settings", LAYOUTS)
@pytest.mark.parametrize("name", ["user/alice", "user/alice/a/b", "user/alice@example.net/a", "board", "board/news"])
def test_a_mailbox_is_found_by_its_directory(site, settings, name):
    store = site(store=settings, site={"virtdomains": "on"})
    parsed = store.namespace.parse_admin(name)
    for above in [MailboxName(parsed.owner, parsed.path[:depth], parsed.domain) for depth in range(3)]:
        if above.path or above.owner:
            store.find(above) or store.create(above)
    box = store.find(parsed)
    assert mailbox_at(store, box.path) == box


def test_a_folder_on_another_partition_belongs_to_its_tree(store, mailbox):
    mailbox("user/alice")
    far = store.create(store.namespace.parse_admin("user/alice/far"), partition="two")
    assert mailbox_at(store, far.path) == far
    assert tree_at(store, far.path / "cur") == far.tree


def test_a_folder_that_is_not_shown_yet_is_called_as_its_place_is(store, mailbox):
    mailbox("user/alice")
    far = store.create(store.namespace.parse_admin("user/alice/far"), partition="two")
    far.tree.folder(("far",)).unlink()
    assert mailbox_at(store, far.path).name == far.name


@pytest.mark.parametrize("place", ["deleted./1/0/Maildir/.a", "user/nobody/Maildir", "."])
def test_what_is_nobodys_has_no_tree(store, place):
    assert mailbox_at(store, store.layout.partition("default") / place) is None
