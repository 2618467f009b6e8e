"""Where imported folders go."""

import pytest

from sievemda.errors import DataError, NotFound
from sievemda.store.names import MailboxName
from sievemda.upkeep.importing.places import Places, arranged, possible

ALICE = MailboxName("alice")
SHARED = MailboxName(None)
LONG = "ä" * 200


@pytest.mark.parametrize(
    ("path", "becomes"),
    [
        ((), ()),
        (("INBOX",), ()),
        (("Inbox",), ()),
        (("inbox", "x"), ("INBOX", "x")),
        (("Entwürfe", "2025"), ("Entwürfe", "2025")),
        (("a/b",), ("a_b",)),
        (("a^b", "c.d"), ("a_b", "c.d")),
        (("..", "."), ("__", "_")),
        (("",), ("_",)),
        (("x\n\x00y",), ("x__y",)),
        (("ends.",), ("ends_",)),
        (("\udcff",), ("_",)),
    ],
)
def test_a_folder_gets_a_name_that_can_be(store, path, becomes):
    name = possible(ALICE, path)
    assert name.path == becomes
    store.namespace.check_new(name)


@pytest.mark.parametrize("path", [(LONG,), (LONG, "x"), ("x",) * 200, ("." * 200,), ("a." * 120, "b")])
def test_a_name_that_is_too_long_is_shortened(store, path):
    for top in (ALICE, SHARED, ALICE.child("Old")):
        store.namespace.check_new(possible(top, path))


@pytest.mark.parametrize("part", ["$x", "~x", "user", "INBOX", ".x", "DELETED"])
def test_shared_folders_have_names_of_their_own_kind(store, part):
    name = possible(SHARED, (part,))
    assert name.path == (f"_{part}",)
    store.namespace.check_new(name)


def test_two_folders_stay_two_and_the_one_with_a_good_name_keeps_it():
    found = arranged(ALICE, [("a/b",), ("a^b",), ("a_b",), ("Inbox",), ("INBOX",)])
    assert found[("a_b",)].path == ("a_b",)
    assert found[("Inbox",)] == found[("INBOX",)] == ALICE
    assert len({name.path for name in found.values()}) == 4
    assert found[("a/b",)] == arranged(ALICE, [("a_b",), ("a/b",)])[("a/b",)]


def test_a_user_and_a_folder_are_made_when_they_are_wanted(store):
    places = Places(store)
    assert places.at(places.name("user/alice/Old")).path.is_dir()
    assert places.made == ["user/alice", "user/alice/Old"]


def test_a_dry_run_only_says_what_it_would_make(store):
    places = Places(store, dry_run=True)
    assert places.at(places.name("user/alice/Old")) is None
    assert places.made == ["user/alice", "user/alice/Old"]
    assert not store.user_exists("alice")


def test_what_is_not_to_be_made_must_be_there(store):
    places = Places(store, create=False)
    with pytest.raises(NotFound, match="no mailbox user/alice/Old"):
        places.at(places.name("user/alice/Old"))


def test_a_name_that_cannot_be_is_an_error(store):
    with pytest.raises(DataError):
        Places(store).at(MailboxName("alice", ("a^b",)))


def test_a_user_may_be_named_alone(store, mailbox):
    mailbox("user/alice")
    assert Places(store).name("alice") == ALICE
    assert Places(store).name("board") == MailboxName(None, ("board",))
