import json
import os

import pytest

from sievemda.cli.main import run
from sievemda.errors import StoreTrouble
from sievemda.store.mailbox import Mailbox


@pytest.fixture
def sievemda(call):
    """Runs a command on a site with users alice, bob, carol, a folder that alice shows to bob, and a board."""

    for name in ("user/alice", "user/alice/Lists", "user/alice/Own", "user/bob", "user/carol", "board"):
        assert call("mailbox", "create", name) == (0, "", "")
    assert call("acl", "set", "user/alice/Lists", "bob", "lrs") == (0, "", "")
    return call


@pytest.fixture
def shared(sievemda):
    """What is known of each shared mailbox, by its name."""

    def look(*arguments):
        code, out, err = sievemda("readership", "--json", *arguments)
        assert (code, err) == (0, "")
        return {row["name"]: row for row in json.loads(out)}

    return look


@pytest.fixture
def seen(tmp_path):
    """Leaves the trace of a reader."""

    def leave(user, place, when, name="dovecot.index.pvt.log"):
        directory = tmp_path / "d/mail/user" / user / place
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(b"")
        os.utime(directory / name, (when, when))

    return leave


def test_only_what_is_open_to_others_is_shown(shared):
    assert list(shared()) == ["board", "user/alice/Lists"]
    assert list(shared("user/*")) == ["user/alice/Lists"]
    assert shared("--regex", "nothing") == {}


def test_both_nouns_have_the_command(sievemda):
    assert sievemda("mailbox", "readership") == sievemda("readership")


def test_a_grant_has_the_day_on_which_it_was_given(sievemda, shared, tmp_path):
    record = tmp_path / "d/mail/user/alice/Maildir/.Lists/sievemda-mailbox"
    content = json.loads(record.read_text())
    assert abs(content["granted"]["bob"] - record.stat().st_mtime) < 5
    content["granted"]["bob"] = 1_000_000_000
    record.write_text(json.dumps(content))
    sievemda("acl", "set", "user/alice/Lists", "bob", "+p")
    sievemda("acl", "set", "user/alice/Lists", "carol", "l")
    first, second = shared()["user/alice/Lists"]["grants"]
    assert first == {
        "identifier": "bob", "rights": "lrsp", "since": "2001-09-09T01:46:40Z", "since_is": "recorded", "exists": True
    }  # fmt: skip
    assert second["identifier"] == "carol"
    assert second["since"] > first["since"]


def test_who_loses_his_rights_and_gets_them_again_begins_anew(sievemda, tmp_path):
    record = tmp_path / "d/mail/user/alice/Maildir/.Lists/sievemda-mailbox"
    content = json.loads(record.read_text())
    record.write_text(json.dumps(content | {"granted": {"bob": 1}}))
    sievemda("acl", "delete", "user/alice/Lists", "bob")
    assert "granted" not in json.loads(record.read_text())
    sievemda("acl", "set", "user/alice/Lists", "bob", "lrs")
    assert json.loads(record.read_text())["granted"]["bob"] > 1


def test_a_grant_of_an_imap_server_is_as_old_as_the_file_at_most(sievemda, shared, tmp_path):
    file = tmp_path / "d/mail/shared/.board/dovecot-acl"
    file.write_text("user=carol lr\n")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert shared()["board"]["grants"] == [
        {"identifier": "carol", "rights": "lr", "since": "2001-09-09T01:46:40Z", "since_is": "at the latest",
         "exists": True}
    ]  # fmt: skip
    assert "carol lr since by 2001-09-09T01:46:40Z" in sievemda("readership", "board")[1]


def test_who_is_subscribed(sievemda, shared):
    sievemda("mailbox", "subscribe", "bob", "user/alice/Lists", "board")
    sievemda("mailbox", "subscribe", "carol", "board")
    found = shared()
    assert found["board"]["subscribed"] == ["bob", "carol"]
    assert found["user/alice/Lists"]["subscribed"] == ["bob"]


def test_who_has_read_it_last(sievemda, shared, seen):
    seen("bob", "shared/.board", 1_000_000_000)
    seen("bob", "shared/.board", 1_000_000_500, "dovecot.index.pvt")
    seen("carol", "users/alice/.Lists", 1_000_000_100)
    found = shared()
    assert found["board"]["readers"] == [{"user": "bob", "last_read": "2001-09-09T01:55:00Z"}]
    assert found["user/alice/Lists"]["readers"] == [{"user": "carol", "last_read": "2001-09-09T01:48:20Z"}]
    assert "  - bob: read last on 2001-09-09T01:55:00Z\n" in sievemda("readership")[1]
    assert shared("--days", "30")["board"]["readers"] == []


def test_an_inbox_can_be_shared_too(sievemda, shared, seen):
    sievemda("acl", "set", "user/alice", "bob", "lr")
    seen("bob", "users/alice/.INBOX", 1_000_000_000)
    assert shared()["user/alice"]["readers"] == [{"user": "bob", "last_read": "2001-09-09T01:46:40Z"}]


def test_the_owner_is_no_reader(sievemda, shared, seen):
    seen("alice", "users/alice/.Lists", 1_000_000_000)
    assert shared()["user/alice/Lists"]["readers"] == []


def test_traces_behind_links_do_not_count(sievemda, shared, seen, tmp_path):
    seen("bob", "elsewhere/.board", 1_000_000_000)
    (tmp_path / "d/mail/user/carol/shared").symlink_to(tmp_path / "d/mail/user/bob/elsewhere")
    assert shared()["board"]["readers"] == []


def test_somebody_whose_files_are_broken_does_not_stop_the_list(sievemda, shared, tmp_path):
    (tmp_path / "d/mail/user/bob/Maildir/subscriptions").unlink()
    (tmp_path / "d/mail/user/bob/Maildir/subscriptions").mkdir()
    sievemda("mailbox", "subscribe", "carol", "board")
    assert shared()["board"]["subscribed"] == ["carol"]


def test_grants_to_nobody_can_be_pruned(sievemda, shared):
    for who in ("gone", "-gone", "anyone", "anonymous"):
        sievemda("acl", "set", "user/alice/Lists", who, "lr")
    assert [grant["identifier"] for grant in shared()["user/alice/Lists"]["grants"] if not grant["exists"]] == [
        "gone", "-gone"
    ]  # fmt: skip
    assert sievemda("readership", "--prune", "--dry-run")[1].count("would lose") == 2
    assert len(shared()["user/alice/Lists"]["grants"]) == 5
    assert sievemda("readership", "--prune") == (
        0, "user/alice/Lists: gone has lost all rights\nuser/alice/Lists: -gone has lost all rights\n", ""
    )  # fmt: skip
    assert [grant["identifier"] for grant in shared()["user/alice/Lists"]["grants"]] == ["bob", "anyone", "anonymous"]
    assert sievemda("readership", "--prune") == (0, "", "")


def test_one_acl_that_cannot_be_changed_does_not_keep_the_others(sievemda, monkeypatch):
    for name in ("user/alice/Lists", "board"):
        sievemda("acl", "set", name, "gone", "lr")
    change = Mailbox.change_acl

    def fails_on_the_board(mailbox, how):
        if mailbox.name.owner is None:
            raise StoreTrouble("the file is damaged")
        return change(mailbox, how)

    monkeypatch.setattr(Mailbox, "change_acl", fails_on_the_board)
    code, out, err = sievemda("readership", "--prune")
    assert code == 74
    assert out == "user/alice/Lists: gone has lost all rights\n"
    assert err.startswith("sievemda: board: ")


def test_an_administrator_without_mailbox_is_somebody(sievemda, tmp_path):
    sievemda("acl", "set", "board", "cyrus", "lrx")
    sets = ("--set", "admins=cyrus")
    assert run(["--data", str(tmp_path / "d"), *sets, "readership", "--prune"]) == 0
    assert "cyrus" in sievemda("acl", "list", "board")[1]


def test_an_unknown_name_is_told(sievemda):
    code, _, err = sievemda("readership", "user/nobody")
    assert (code, err.count("\n")) == (67, 1)
