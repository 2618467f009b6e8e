import json

import pytest

from sievemda.store.annotations import DOVECOT_FILE, SERVER_FILE

GUID, INBOX_GUID = "a10f2e244869026bcf68000083ecc375", "bf1188325969026b3d69000083ecc375"


@pytest.fixture
def alice(store):
    store.create(store.namespace.parse_admin("user/alice"))
    return store.create(store.namespace.parse_admin("user/alice/Lists"))


@pytest.fixture
def inbox(store, alice):
    return store.find(store.namespace.parse_admin("user/alice"))


def known_to_dovecot(mailbox, guid):
    (mailbox.path / "dovecot-uidlist").write_text(f"3 V1795320137 N1 G{guid}\n1 :1795307048.M1P1.host\n")


def dovecot(inbox, *pairs):
    """The file as Dovecot 2.3.19 writes it."""
    (inbox.path / DOVECOT_FILE).write_text("".join(f"{key}\n{value}\n" for key, value in pairs))


def test_what_is_set_is_there_in_any_case_of_letters(store, alice):
    store.annotations.set(alice, "alice", "/shared/Comment", "Lists of all kinds")
    assert store.annotations.get(alice, "alice", "/SHARED/comment") == "Lists of all kinds"
    assert store.annotations.get(alice, "alice", "/shared/other") is None


def test_an_empty_value_is_a_value(store, alice):
    store.annotations.set(alice, "alice", "/shared/comment", "")
    assert store.annotations.get(alice, "alice", "/shared/comment") == ""


def test_what_is_removed_is_gone(store, alice):
    store.annotations.set(alice, "alice", "/shared/comment", "x")
    store.annotations.set(alice, "alice", "/shared/comment", None)
    assert dict(store.annotations.of(alice, "alice")) == {}


def test_private_annotations_are_those_of_one_user(store, alice):
    store.annotations.set(alice, "alice", "/private/comment", "mine")
    store.annotations.set(alice, "bob", "/private/comment", "his")
    assert store.annotations.get(alice, "alice", "/private/comment") == "mine"
    assert store.annotations.get(alice, "bob", "/private/comment") == "his"
    assert store.annotations.get(alice, None, "/private/comment") is None


def test_other_keys_of_the_record_stay(store, alice):
    before = alice.id
    store.annotations.set(alice, "alice", "/shared/comment", "x")
    assert alice.id == before
    assert json.loads((alice.path / "sievemda-mailbox").read_text())["metadata"] == {"": {"/shared/comment": "x"}}


def test_a_special_use_is_an_annotation(store, alice):
    """RFC 6154 §4."""
    alice.set_special_use("\\Junk")
    assert store.annotations.get(alice, "alice", "/private/specialuse") == "\\Junk"


def test_what_dovecot_keeps_counts(store, alice, inbox):
    known_to_dovecot(alice, GUID)
    dovecot(inbox, (f"priv/{GUID}/comment", "hello"), (f"shared/{GUID}/comment", "line1\1r\1nx\1tz\1" + "1"))
    assert store.annotations.get(alice, "alice", "/private/comment") == "hello"
    assert store.annotations.get(alice, "alice", "/shared/comment") == "line1\r\nx\tz\1"
    assert store.annotations.get(inbox, "alice", "/private/comment") is None


def test_what_is_private_to_the_owner_is_not_shown_to_others(store, alice, inbox):
    known_to_dovecot(alice, GUID)
    dovecot(inbox, (f"priv/{GUID}/comment", "hello"))
    assert store.annotations.get(alice, "bob", "/private/comment") is None


def test_dovecots_value_goes_before_ours(store, alice, inbox):
    store.annotations.set(alice, "alice", "/private/comment", "ours")
    known_to_dovecot(alice, GUID)
    dovecot(inbox, (f"priv/{GUID}/comment", "theirs"))
    assert store.annotations.get(alice, "alice", "/private/comment") == "theirs"


def test_where_dovecot_keeps_them_they_are_written_for_it(store, alice, inbox):
    store.annotations.set(alice, "alice", "/shared/comment", "old")
    known_to_dovecot(alice, GUID)
    dovecot(inbox, (f"priv/{GUID}/comment", "hello"))
    store.annotations.set(alice, "alice", "/shared/comment", "two\r\nlines\1")
    content = (inbox.path / DOVECOT_FILE).read_text()
    assert content == f"priv/{GUID}/comment\nhello\nshared/{GUID}/comment\ntwo\1r\1nlines\1{1}\n"
    assert "metadata" not in json.loads((alice.path / "sievemda-mailbox").read_text())
    store.annotations.set(alice, "alice", "/private/comment", None)
    assert set(store.annotations.of(alice, "alice")) == {"/shared/comment"}


def test_a_folder_that_dovecot_does_not_know_has_its_own(store, alice, inbox):
    dovecot(inbox, (f"priv/{GUID}/comment", "hello"))
    store.annotations.set(alice, "alice", "/shared/comment", "x")
    assert "shared" not in (inbox.path / DOVECOT_FILE).read_text()
    assert store.annotations.get(alice, "alice", "/shared/comment") == "x"


def test_a_shared_folder_has_its_own(store):
    board = store.create(store.namespace.parse_admin("board"))
    store.annotations.set(board, None, "/shared/comment", "for all")
    store.annotations.set(board, "bob", "/private/comment", "for bob")
    assert dict(store.annotations.of(board, "bob")) == {"/shared/comment": "for all", "/private/comment": "for bob"}
    assert dict(store.annotations.of(board, "alice")) == {"/shared/comment": "for all"}


def test_annotations_of_the_server(store, inbox):
    store.annotations.set_server(None, None, "/shared/admin", "mailto:root@example.org")
    store.annotations.set_server(inbox, "alice", "/private/comment", "hers")
    assert dict(store.annotations.of_server(inbox, "alice")) == {
        "/shared/admin": "mailto:root@example.org",
        "/private/comment": "hers",
    }
    assert dict(store.annotations.of_server(None, None)) == {"/shared/admin": "mailto:root@example.org"}
    store.annotations.set_server(None, None, "/shared/admin", None)
    assert set(store.annotations.of_server(inbox, "alice")) == {"/private/comment"}


def test_what_dovecot_keeps_of_the_server_is_no_annotation_of_the_inbox(store, inbox):
    known_to_dovecot(inbox, INBOX_GUID)
    dovecot(
        inbox,
        (f"priv/{INBOX_GUID}/vendor/v/z", "inbox"),
        (f"priv/{INBOX_GUID}/vendor/vendor.dovecot/pvt/server/vendor/v/srv", "server"),
    )
    assert dict(store.annotations.of(inbox, "alice")) == {"/private/vendor/v/z": "inbox"}
    assert dict(store.annotations.of_server(inbox, "alice")) == {"/private/vendor/v/srv": "server"}
    store.annotations.set_server(inbox, "alice", "/private/vendor/v/srv", "new")
    assert "pvt/server/vendor/v/srv\nnew\n" in (inbox.path / DOVECOT_FILE).read_text()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]", b"{", b""])
def test_a_damaged_file_of_the_server_counts_as_empty(store, content):
    (store.settings.data / SERVER_FILE).write_bytes(content)
    assert dict(store.annotations.of_server(None, None)) == {}


@pytest.mark.parametrize("content", [b"\xff\nx\n", b"key", b"\n\n\n", b"a\nb\nc"])
def test_any_octets_of_dovecot_are_no_trouble(store, alice, inbox, content):
    known_to_dovecot(alice, GUID)
    (inbox.path / DOVECOT_FILE).write_bytes(content)
    assert dict(store.annotations.of(alice, "alice")) == {}


def test_metadata_of_the_wrong_shape_is_a_damaged_record(store, alice, caplog):
    (alice.path / "sievemda-mailbox").write_text('{"id": "x", "metadata": [1]}')
    assert dict(store.annotations.of(alice, "alice")) == {}
    assert "damaged" in caplog.text
