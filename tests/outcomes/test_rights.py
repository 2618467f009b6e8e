"""Where mail ends by the rights of who posts it: of a detail folder, a board, the target of a script (semantics, 6).

What Cyrus 3.6 does with the same lists was compared case by case.
"""

from __future__ import annotations

import itertools

import pytest

from sievemda.configload import load
from sievemda.store.authority import change_entry
from sievemda.store.mailstore import MailStore
from tests.outcomes.site import Client, Site, message

GROUPS = "staff:x:1:fred,carol\nbad:x:2:fred\nempty:x:3:\n"
_numbers = itertools.count()


class Place:
    """A running site, and folders made in this process."""

    def __init__(self, base):
        (base / "groups").write_text(GROUPS)
        settings = (f"groups_file={base / 'groups'}", "admins=cyrus", "lmtp_exclude_specialuse=")
        self.groups = base / "groups"
        self.site = Site(base / "d", settings)
        self.store = MailStore(load(data=self.site.data, sets=settings))
        self.site.start()

    def make(self, name, acl=""):
        mailbox = self.store.create(self.store.namespace.parse_admin(name))
        words = acl.split()
        for identifier, rights in zip(words[::2], words[1::2], strict=True):
            change_entry(self.store, mailbox, identifier, rights, careful=False)
        return mailbox

    def count(self, name):
        path = self.store.find(self.store.namespace.parse_admin(name)).path
        return sum(len(list((path / part).iterdir())) for part in ("new", "cur"))

    def deliver(self, recipient, poster=None):
        with Client(self.site.socket) as client:
            client.hello()
            auth = "" if poster is None else f"AUTH={poster}"
            [reply] = client.transaction([recipient], message(f"<rights{next(_numbers)}@x>"), parameters=auth)
        return reply


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("rights"))
    yield place
    assert place.site.stop() == 0, place.site.words()
    assert "Traceback" not in place.site.words(), place.site.words()


@pytest.fixture
def name():
    return f"n{next(_numbers)}"


HERE, NOT = True, False
# The ACL (a new board has `anyone lrs` before), who posts, and whether his message gets there.
POSTS = [
    ("", None, NOT),
    ("", "fred", NOT),
    ("anyone p", None, HERE),
    ("anyone p", "fred", HERE),
    ("anyone +p", None, HERE),
    ("anyone lrsi", None, NOT),
    ("anyone post", None, HERE),
    ("anyone append", "fred", HERE),
    ("anyone write", None, HERE),
    ("anyone read", None, NOT),
    ("anyone all", None, HERE),
    ("anyone lrsp anyone -p", None, NOT),
    ("anonymous p", None, HERE),
    ("anonymous p", "fred", NOT),
    ("anonymous p", "anyone", NOT),
    ("anonymous p", "anonymous", HERE),
    ("anonymous p", "a+25b", HERE),
    ("fred p", "fred", HERE),
    ("fred p", "FRED", HERE),
    ("FRED p", "fred", HERE),
    ("fred@internal p", "fred", HERE),
    ("fred p", "fred@internal", HERE),
    ("fred p", "fred@example.org", NOT),
    ("fred@example.org p", "fred@example.org", HERE),
    ("fred p", "carol", NOT),
    ("fred p", None, NOT),
    ("anyone p -fred p", "fred", NOT),
    ("anyone p -fred p", "carol", HERE),
    ("fred lrsp -anyone p", "fred", NOT),
    ("anyone p -anonymous p", None, NOT),
    ("anyone p -anonymous p", "fred", HERE),
    ("group:staff p", "fred", HERE),
    ("group:staff p", "carol", HERE),
    ("group:staff p", "dave", NOT),
    ("group:staff p", None, NOT),
    ("group:staff p -group:bad p", "fred", NOT),
    ("group:staff p -group:bad p", "carol", HERE),
    ("anyone p -group:bad p", "fred", NOT),
    ("fred p -group:bad p", "fred", NOT),
    ("anyone p -group:staff p", None, HERE),
    ("group:empty p", "fred", NOT),
    ("group:staff p", "group+3Astaff", NOT),
    ("cyrus lr", "cyrus", NOT),
    ("cyrus p", "cyrus", HERE),
    ("anyone p anyone none", "fred", NOT),
    ("bob+x p", "bob+2Bx", HERE),
]


@pytest.mark.parametrize(("acl", "poster", "there"), POSTS)
def test_a_post_needs_p_on_a_detail_folder_else_it_lands_in_the_inbox(place, name, acl, poster, there):
    place.make(f"user/{name}")
    place.make(f"user/{name}/F", acl)
    assert place.deliver(f"{name}+F@example.org", poster).startswith("250")
    assert (place.count(f"user/{name}/F"), place.count(f"user/{name}")) == ((1, 0) if there else (0, 1))


@pytest.mark.parametrize(("acl", "poster", "there"), POSTS)
def test_a_post_needs_p_on_a_board_else_it_is_refused(place, name, acl, poster, there):
    place.make(name, acl)
    reply = place.deliver(f"+{name}@example.org", poster)
    assert reply.startswith("250") is there, reply
    assert place.count(name) == (1 if there else 0)


# A board whose right to post is missing: whether it may be looked up decides between two refusals.
@pytest.mark.parametrize(
    ("acl", "poster", "reply"),
    [
        ("anyone lrs", None, "550 5.7.1"),
        ("anyone l", "fred", "550 5.7.1"),
        ("anyone rs", None, "550 5.1.1"),
        ("anyone none", None, "550 5.1.1"),
        ("anyone none fred l", None, "550 5.1.1"),
        ("anyone none fred l", "fred", "550 5.7.1"),
        ("anyone lrs -fred l", "fred", "550 5.1.1"),
        ("anyone none group:staff l", "carol", "550 5.7.1"),
        ("anyone none", "cyrus", "550 5.7.1"),
        ("anyone none anonymous l", "fred", "550 5.1.1"),
    ],
)
def test_a_board_that_may_not_be_seen_does_not_exist(place, name, acl, poster, reply):
    place.make(name, acl)
    assert reply in place.deliver(f"+{name}@example.org", poster)


@pytest.mark.parametrize(
    ("acl", "there"),
    [
        ("", HERE),
        ("{owner} lrswi", NOT),
        ("{owner} p", HERE),
        ("{owner} lrs anyone p", HERE),
        ("{owner} lrs anonymous p", NOT),
        ("-{owner} p", NOT),
        ("-anyone p", NOT),
        ("{owner} lrs group:staff p", NOT),
    ],
)
def test_a_script_files_with_the_rights_of_its_owner_whoever_posts(place, name, acl, there):
    place.make(f"user/{name}")
    folder = place.make(f"user/{name}/F", acl.format(owner=name))
    home = folder.tree.root.parent
    (home / "sieve").mkdir()
    (home / "sieve" / "main.sieve").write_text('require "fileinto"; fileinto "F";')
    (home / ".dovecot.sieve").symlink_to("sieve/main.sieve")
    assert place.deliver(f"{name}@example.org", "fred").startswith("250")
    assert (place.count(f"user/{name}/F"), place.count(f"user/{name}")) == ((1, 0) if there else (0, 1))


def test_a_script_files_into_the_folder_of_another_who_lets_it(place, name):
    place.make(f"user/{name}x")
    place.make(f"user/{name}x/F", f"{name} p")
    home = place.make(f"user/{name}").tree.root.parent
    (home / "sieve").mkdir()
    (home / "sieve" / "main.sieve").write_text(f'require "fileinto"; fileinto "Other Users/{name}x/F";')
    (home / ".dovecot.sieve").symlink_to("sieve/main.sieve")
    assert place.deliver(f"{name}@example.org").startswith("250")
    assert place.count(f"user/{name}x/F") == 1


def test_a_new_folder_has_the_list_of_the_one_above_at_any_distance(place, name):
    place.make(f"user/{name}", "fred p")
    place.make(f"user/{name}/A/B/C")
    assert str(place.store.find(place.store.namespace.parse_admin(f"user/{name}/A/B/C")).acl()) == (
        f"{name} lrswipkxtecdan fred p"
    )
    place.deliver(f"{name}+A/B/C@example.org", "fred")
    assert place.count(f"user/{name}/A/B/C") == 1


def test_an_inbox_takes_mail_whatever_its_list_says(place, name):
    place.make(f"user/{name}", f"{name} none -anyone p -fred lrswip")
    assert place.deliver(f"{name}@example.org", "fred").startswith("250")
    assert place.count(f"user/{name}") == 1


def test_a_change_of_the_groups_holds_at_the_next_post(place, name):
    place.make(name, "group:empty p")
    assert place.deliver(f"+{name}@example.org", "eve").startswith("550")
    place.groups.write_text(GROUPS.replace("empty:x:3:", "empty:x:3:eve"))
    try:
        assert place.deliver(f"+{name}@example.org", "eve").startswith("250")
    finally:
        place.groups.write_text(GROUPS)


def test_groups_that_cannot_be_read_put_a_post_off(place, name):
    place.make(name, "anyone p -group:bad p")
    place.make(f"user/{name}")
    place.make(f"user/{name}/F", "anyone p -group:bad p")
    place.groups.rename(place.groups.with_name("away"))
    try:
        assert place.deliver(f"+{name}@example.org", "fred").startswith("451")
        assert place.deliver(f"+{name}@example.org").startswith("250")
        assert place.deliver(f"{name}+F@example.org", "fred").startswith("250")
        assert place.count(f"user/{name}") == 1
    finally:
        place.groups.with_name("away").rename(place.groups)
