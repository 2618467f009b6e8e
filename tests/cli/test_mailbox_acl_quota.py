import json
import os
from importlib import import_module

import pytest

from sievemda.cli.main import run


@pytest.fixture
def sievemda(tmp_path, capsys):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    def call(*arguments, sets=()):
        options = [word for setting in sets for word in ("--set", setting)]
        code = run(["--data", str(tmp_path), *options, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def alice(sievemda):
    """The same, with user/alice, user/alice/Lists and board in place."""
    for name in ("user/alice", "user/alice/Lists", "board"):
        assert sievemda("mailbox", "create", name) == (0, "", "")
    return sievemda


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("mailbox", "create", "user/bob"), 0),
        (("mailbox", "create", "user/alice"), 73),
        (("mailbox", "create", "user/nobody/x"), 67),
        (("mailbox", "create", "user/alice/a;b"), 65),
        (("mailbox", "create", "user/alice/../bob"), 65),
        (("mailbox", "create", "user/bob", "--partition", "nope"), 65),
        (("mailbox", "create", "user/alice/x", "--special-use", "\\Foo"), 65),
        (("mailbox", "create"), 64),
        (("mailbox", "create", "user/bob", "--nope"), 64),
        (("mailbox", "info", "user/nobody"), 67),
        (("mailbox", "delete", "user/nobody", "--yes"), 67),
        (("mailbox", "delete", "user/alice/Lists"), 64),
        (("mailbox", "rename", "user/alice/Lists", "user/alice/Old"), 0),
        (("mailbox", "rename", "user/alice/Nope", "user/alice/Old"), 67),
        (("mailbox", "rename", "user/alice/Lists", "user/alice"), 65),
        (("mailbox", "undelete", "user/alice/Lists"), 67),
        (("mailbox", "list", "user/alice/x"), 0),
        (("mailbox", "list", "user//"), 65),
        (("acl", "list", "user/nobody"), 67),
        (("acl", "set", "user/alice/Lists", "anyone", "z"), 65),
        (("acl", "set", "user/alice/Lists", "a*", "p"), 65),
        (("acl", "set", "user/alice/Lists", "group:no-such-group", "p"), 67),
        (("acl", "set", "user/alice/Lists", "anyone"), 64),
        (("acl", "delete", "user/nobody", "anyone"), 67),
        (("acl", "delete", "user/alice", "not-there"), 0),
        (("quota", "set", "user/nobody", "STORAGE", "1"), 67),
        (("quota", "set", "user/alice", "STORAGE"), 65),
        (("quota", "set", "user/alice", "STORAGE", "many"), 65),
        (("quota", "set", "user/alice", "STORAGE", "-1"), 0),
        (("quota", "list", "user/alice"), 67),
        (("quota", "list", "user/*"), 0),
    ],
)
def test_a_command_ends_with_the_code_of_sysexits_and_one_line_of_error(alice, arguments, code):
    found, _, err = alice(*arguments)
    assert found == code
    assert (err == "") is (code == 0)
    assert "Traceback" not in err
    if code not in (0, 64):
        assert err.count("\n") == 1


def test_mailboxes_are_listed_one_a_line_sorted(alice):
    assert alice("mailbox", "list") == (0, "board\nuser/alice\nuser/alice/Lists\n", "")
    assert alice("mailbox", "list", "user/%") == (0, "user/alice\n", "")
    assert alice("mailbox", "list", "user.alice.%")[1] == "user/alice/Lists\n"


def test_mailboxes_are_listed_as_json(alice):
    alice("mailbox", "create", "user/alice/Junk", "--special-use", "\\Junk")
    assert json.loads(alice("mailbox", "list", "user/alice/*", "--json")[1]) == [
        {"name": "user/alice/Junk", "partition": "default", "special_use": "\\Junk"},
        {"name": "user/alice/Lists", "partition": "default", "special_use": ""},
    ]


def test_info_says_what_there_is_to_say(alice, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/cur/1.x,S=100:2,S").write_bytes(b"")
    alice("quota", "set", "user/alice", "STORAGE", "10")
    found = json.loads(alice("mailbox", "info", "user/alice", "--json")[1])
    assert len(found.pop("id")) == 24
    assert {key: found[key] for key in [*list(found)[:6], "acl", "quota_root"]} == {
        "name": "user/alice",
        "partition": "default",
        "special_use": "",
        "path": str(tmp_path / "mail/user/alice/Maildir"),
        "messages": 1,
        "octets": 100,
        "acl": {"alice": "lrswipkxtecdan"},
        "quota_root": "user/alice",
    }
    text = alice("mailbox", "info", "user/alice/Lists")[1]
    assert "quota root: user/alice\n" in text
    assert "special use: -\n" in text


def test_a_deleted_mailbox_comes_back(alice):
    assert alice("mailbox", "delete", "user/alice", "--yes") == (0, "", "")
    assert alice("mailbox", "list")[1] == "board\n"
    assert alice("mailbox", "list", "--deleted")[1] == "user/alice\n"
    assert alice("mailbox", "undelete", "user/alice") == (0, "", "")
    assert alice("mailbox", "list")[1] == "board\nuser/alice\nuser/alice/Lists\n"


def test_a_deletion_without_anybody_to_ask_is_not_done(alice):
    code, _, err = alice("mailbox", "delete", "user/alice/Lists")
    assert code == 64
    assert "--yes" in err
    assert "user/alice/Lists" in alice("mailbox", "list")[1]


def test_a_mailbox_moves_to_another_partition(alice, tmp_path):
    sets = [f"partition-default={tmp_path}/mail", f"partition-two={tmp_path}/two"]
    move = ("mailbox", "rename", "user/alice/Lists", "user/alice/Lists", "--partition", "two")
    assert alice(*move, sets=sets) == (0, "", "")
    assert (tmp_path / "two/user/alice/Maildir/.Lists/cur").is_dir()


def test_an_acl_is_listed_one_entry_a_line(alice):
    assert alice("acl", "set", "user/alice/Lists", "anyone", "p") == (0, "", "")
    assert alice("acl", "list", "user/alice/Lists") == (0, "alice lrswipkxtecdan\nanyone p\n", "")
    assert json.loads(alice("acl", "list", "user/alice/Lists", "--json")[1]) == {
        "alice": "lrswipkxtecdan",
        "anyone": "p",
    }


def test_an_identifier_may_begin_with_a_hyphen_and_rights_too(alice):
    alice("acl", "set", "user/alice/Lists", "fred", "lrsp")
    assert alice("acl", "set", "user/alice/Lists", "-fred", "p")[0] == 0
    assert alice("acl", "set", "user/alice/Lists", "fred", "-s")[0] == 0
    assert alice("acl", "set", "user/alice/Lists", "fred", "+i")[0] == 0
    assert alice("acl", "list", "user/alice/Lists")[1].splitlines()[1:] == ["fred lrip", "-fred p"]
    assert alice("acl", "delete", "user/alice/Lists", "-fred")[0] == 0
    assert alice("acl", "list", "user/alice/Lists")[1].splitlines()[1:] == ["fred lrip"]


def test_identifiers_are_user_ids(alice):
    alice("acl", "set", "user/alice/Lists", "Fred@internal", "p")
    assert "\nfred p\n" in alice("acl", "list", "user/alice/Lists")[1]


def test_an_owner_keeps_the_rights_that_owners_have(alice):
    alice("acl", "set", "user/alice/Lists", "alice", "lrs")
    assert alice("acl", "list", "user/alice/Lists")[1] == "alice lrskxcan\n"
    alice("acl", "delete", "user/alice/Lists", "alice")
    assert alice("acl", "list", "user/alice/Lists")[1] == "alice lkxcan\n"
    alice("acl", "set", "user/alice/Lists", "-alice", "lp")
    assert alice("acl", "list", "user/alice/Lists")[1] == "alice lkxcan\n-alice lp\n"


def test_a_quota_report_is_that_of_cyrus(alice, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/cur/1.x,S=2500:2,S").write_bytes(b"")
    alice("quota", "set", "user/alice", "STORAGE", "10", "MESSAGE", "0")
    report = [
        "   Quota   % Used     Used             Resource Root",
        "      10       24        2              STORAGE user/alice",
        "       0                 1              MESSAGE user/alice",
        "                         0   ANNOTATION-STORAGE user/alice",
        "                         2              MAILBOX user/alice",
    ]
    assert alice("quota", "list")[1].splitlines() == report


def test_a_quota_report_as_json_counts_octets(alice, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/cur/1.x,S=2500:2,S").write_bytes(b"")
    alice("quota", "set", "user/alice", "STORAGE", "10")
    found = json.loads(alice("quota", "list", "--json")[1])
    assert found["user/alice"]["STORAGE"] == {"used": 2500, "limit": 10240}
    assert found["user/alice"]["MESSAGE"] == {"used": 1, "limit": None}


def test_setting_a_quota_replaces_every_limit_and_nothing_lifts_them(alice, tmp_path):
    size_file = tmp_path / "mail/user/alice/Maildir/maildirsize"
    alice("quota", "set", "user/alice", "STORAGE", "10", "message", "5")
    assert size_file.read_text() == "10240S,5C\n0 0\n"
    alice("quota", "set", "user/alice", "X-NUM-FOLDERS", "7", "STORAGE", "20")
    assert size_file.read_text() == "20480S\n0 0\n"
    assert alice("quota", "set", "user/alice") == (0, "", "")
    assert not size_file.exists()
    assert alice("quota", "list", "user/alice")[1].count("user/alice") == 4


@pytest.mark.parametrize("noun", ["mailbox", "acl", "quota"])
def test_every_help_ends_with_an_example(sievemda, noun):
    code, out, _ = sievemda(noun, "--help")
    assert code == 0
    assert "Example: sievemda" in out.splitlines()[-1]
    group = getattr(import_module(f"sievemda.cli.{noun}"), noun)
    for command in group.list_commands(None):
        text = sievemda(noun, command, "--help")[1]
        assert "Example: sievemda" in text[text.rindex("Options:") :]


def test_an_interrupted_pipe_is_no_error(alice, tmp_path):
    import subprocess
    import sys

    command = f"{sys.executable} -m sievemda --data {tmp_path} mailbox list | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.stderr == ""
