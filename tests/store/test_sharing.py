"""The file that tells Dovecot who shares folders with whom. What Dovecot makes of it: tests/interop."""

import pytest

from sievemda.policy.acl import Acl


@pytest.fixture
def store(site, tmp_path):
    return site(acl={"acl_shared_dict": tmp_path / "shared"})


@pytest.fixture
def shared(store, tmp_path):
    """The keys of the file, without what they have in common."""

    def read():
        path = tmp_path / "shared"
        lines = path.read_text().splitlines() if path.exists() else []
        assert set(lines[1::2]) <= {"1"}
        return [line.removeprefix("shared/shared-boxes/") for line in lines[::2]]

    return read


@pytest.mark.parametrize(
    ("entry", "keys"),
    [
        ("bob lrs", ["user/bob/alice"]),
        ("bob lrs carol l", ["user/bob/alice", "user/carol/alice"]),
        ("anyone lr", ["anyone/alice"]),
        ("authenticated lr", ["anyone/alice"]),
        ("group:staff lr", ["group/staff/alice"]),
        ("bob p", []),
        ("-bob l", []),
        ("alice lrs", []),
    ],
)
def test_who_may_look_a_folder_up_is_written(mailbox, shared, entry, keys):
    mailbox("user/alice/Lists").set_acl(Acl.parse(entry))
    assert shared() == keys


def test_a_right_that_is_taken_away_leaves_no_entry(mailbox, shared):
    mailbox("user/alice/a").set_acl(Acl.parse("bob lr"))
    mailbox("user/alice/b").set_acl(Acl.parse("bob lr"))
    mailbox("user/alice/a").set_acl(Acl())
    assert shared() == ["user/bob/alice"]
    mailbox("user/alice/b").set_acl(Acl())
    assert shared() == []


def test_what_others_share_and_other_keys_stay(mailbox, shared, tmp_path):
    (tmp_path / "shared").write_text("shared/shared-boxes/user/carol/bob\n1\nshared/else\n1\n")
    mailbox("user/alice/a").set_acl(Acl.parse("carol lr"))
    mailbox("user/alice/a").set_acl(Acl())
    assert shared() == ["user/carol/bob", "shared/else"]


def test_a_board_is_nobodys(mailbox, shared):
    mailbox("board").set_acl(Acl.parse("bob lr"))
    assert shared() == []


def test_a_deleted_folder_is_not_shared_and_one_brought_back_is(store, mailbox, shared):
    box = mailbox("user/alice/a")
    box.set_acl(Acl.parse("bob lr"))
    store.delete(box.name)
    assert shared() == []
    store.undelete(box.name)
    assert shared() == ["user/bob/alice"]


def test_a_user_shares_under_his_new_name(store, mailbox, shared):
    mailbox("user/alice/a").set_acl(Acl.parse("bob lr"))
    parse = store.namespace.parse_admin
    store.rename(parse("user/alice"), parse("user/alicia"))
    assert shared() == ["user/bob/alicia"]


def test_trouble_with_the_file_leaves_the_acl_changed(mailbox, tmp_path, caplog):
    (tmp_path / "shared").mkdir()
    mailbox("user/alice/a").set_acl(Acl.parse("bob lr"))
    assert mailbox("user/alice/a").acl().get("bob")
    assert "does not know what alice shares" in caplog.text
