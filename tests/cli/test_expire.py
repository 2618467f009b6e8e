"""`sievemda expire`: what it is asked for, and what it says. The rules themselves: tests/upkeep/test_expiry.py."""

import errno
import json
import os
import shutil
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from sievemda.cli.main import run
from sievemda.store.gathered import ENDING

DAY = 86400
RULES = Path(__file__).parents[2] / "conf" / "expire" / "expire.toml"
BOXES = {"inbox": "user/alice/Maildir", "junk": "user/alice/Maildir/.Junk", "board": "shared/.board"}
JUNK = '[rules.junk]\nmailboxes = "user/*/Junk"\nage = "30d"\n'


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Alice, her Junk, and a board, each with a message of 0, 10, 40 and 90 days; the one of 40 is large and flagged."""
    data = tmp_path_factory.mktemp("prepared") / "d"
    for name in ("user/alice", "user/alice/Junk", "board"):
        assert run(["--data", str(data), "mailbox", "create", name]) == 0
    for box in BOXES.values():
        for days in (0, 10, 40, 90):
            when = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1)) - days * DAY
            body = (
                f"From: Bob <b@x>\nTo: a@x\nDate: {formatdate(when)}\nSubject: nr {days}\nMessage-ID: <{days}@x>\n\nx\n"
            )
            body += "x" * 5000 * (days == 40)
            part, flags = ("cur", ":2,FT") if days == 40 else ("new", "")
            file = data / "mail" / box / part / f"{int(when)}.M{days}P1.host,S={len(body)}{flags}"
            file.write_text(body)
            os.utime(file, (when, when - 300 * DAY * (days == 10)))  # its arrival is long ago
    return data


@pytest.fixture
def site(prepared, tmp_path):
    """Where the mail of a copy of that site is."""
    shutil.copytree(prepared, tmp_path / "d", symlinks=True)
    return tmp_path / "d" / "mail"


@pytest.fixture
def rules(tmp_path):
    def write(text):
        (tmp_path / "rules.toml").write_text(text)
        return str(tmp_path / "rules.toml")

    return write


def left(site, box):
    files = [file for part in ("new", "cur") for file in (site / BOXES[box] / part).iterdir()]
    return sorted(int(file.name.split(".M")[1].partition("P")[0]) for file in files)


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        (["-d", "30"], [0, 10]),
        (["-d", "40"], [0, 10]),
        (["-d", "41"], [0, 10, 40]),
        (["-d", "40", "-x"], [0, 10, 90]),
        (["-d", "40", "-x", "-i"], [40]),
        (["-d", "30", "-i"], [40, 90]),
        (["-d", "30", "-s"], [0, 10, 40]),
        (["-d", "30", "-o"], [0, 10, 90]),
        (["-X", "-d", "30"], [0]),
        (["-b", "1000"], [0, 10, 90]),
        (["-k", "4"], [0, 10, 90]),
        (["-k", "9"], [0, 10, 40, 90]),
        (["-m", "1", "-i"], []),
        (["-d", "80", "-b", "1000"], [0, 10]),  # either is enough
        (["-d", "10", "-b", "1000", "-x"], [0, 40, 90]),  # only the age counts
    ],
)
def test_the_criteria_of_ipurge(options, stays, site, call):
    assert call("expire", "-f", *options, "board")[0] == 0
    assert left(site, "board") == stays
    assert left(site, "inbox") == [0, 10, 40, 90]


@pytest.mark.parametrize(("size", "gone"), [("", False), (",W={shown}", True)])
def test_ipurge_goes_by_the_day_of_date_and_by_the_size_that_imap_shows(size, gone, site, call):
    name = next((site / BOXES["board"] / "cur").iterdir())
    content = name.read_bytes()
    shown = len(content) + content.count(b"\n")
    name.rename(name.with_name(name.name.replace(":2,", f"{size.format(shown=shown + 1)}:2,")))
    evening = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1)) - 10 * DAY
    late = f"Date: {formatdate(evening, localtime=True)}\nSubject: late\n\n".replace("00:00:00", "23:59:59")
    (site / BOXES["board"] / "new" / f"{int(evening)}.M7P1.host").write_text(late)
    assert call("expire", "-f", "-b", str(shown), "board")[0] == 0
    assert (40 in left(site, "board")) != gone
    call("expire", "-f", "-x", "-d", "10", "board")
    assert {7, 10}.isdisjoint(left(site, "board"))


def test_ipurge_leaves_users_alone_unless_forced(site, call):
    assert call("expire", "-d", "30")[0] == 0
    assert (left(site, "board"), left(site, "inbox"), left(site, "junk")) == ([0, 10], [0, 10, 40, 90], [0, 10, 40, 90])
    code, _, err = call("expire", "-d", "30", "user/alice")
    assert (code, err) == (64, "sievemda: user/alice: mailboxes of users are left alone without -f\n")
    call("expire", "-d", "30", "-f", "-X", "user/alice*")  # what stands behind -X is a pattern
    assert (left(site, "inbox"), left(site, "junk")) == ([0], [0])


@pytest.mark.usefixtures("site")
def test_ipurge_prints_totals_and_in_a_dry_run_the_messages(call):
    code, out, _ = call("expire", "-n", "-d", "80", "board")
    assert code == 0
    head, message, totals = out.split("\n", 1)[0], *out.split("\n", 1)[1].split("\n\n")
    assert head == "Working on board..."
    assert message.startswith("UID: -\n\tSize: ")
    assert message.endswith('\n\tFrom: Bob <b@x>\n\tTo  : a@x\n\tCc  : \n\tBcc : \n\tSubj: "nr 90"')
    assert [line.split()[0] + line.split()[1] for line in totals.splitlines()] == [
        f"{kind}{what}" for kind in ("Total", "Deleted", "Remaining") for what in ("messages", "bytes")
    ]
    assert "Deleted messages  \t\t 1\n" in totals
    assert call("expire", "-d", "80", "board")[1] == head + "\n" + totals


def test_a_file_of_rules_says_what_was_done(site, call, rules):
    file = rules(JUNK)
    assert call("expire", file, "-n")[:2] == (0, "user/alice/Junk: junk: 2 messages, 5198 octets would expire\n")
    assert left(site, "junk") == [0, 10, 40, 90]
    code, out, _ = call("expire", file, "-v")
    assert code == 0
    assert "user/alice/Junk: junk: discard: 99 <90@x> Bob <b@x>: nr 90\n" in out
    assert left(site, "junk") == [0, 10]
    assert call("expire", file)[1] == "nothing expires\n"
    assert call("mailbox", "restore", "user/alice", "--all")[0] == 0
    assert len(list((site / BOXES["junk"] / "new").iterdir())) == 3


def test_json_has_every_mailbox_and_the_rules_together(site, call, rules):
    found = json.loads(call("expire", "--rules", rules(JUNK + '[rules.all]\nmailboxes="*"\ncount=1\n'), "--json")[1])
    assert found["rules"]["junk"] == {"mailboxes": 1, "messages": 2, "octets": 5198}
    assert found["rules"]["all"]["messages"] == 7
    assert [row["mailbox"] for row in found["mailboxes"]] == ["board", "user/alice", "user/alice/Junk"]
    assert (found["dry_run"], found["failures"], found["removed"]) == (False, 0, {})
    assert left(site, "board") == [0]


@pytest.mark.parametrize(
    ("words", "mailboxes"),
    [
        (["board"], ["board"]),
        (["user/alice/%", "board"], ["board", "user/alice/Junk"]),
        (["-u", "alice"], ["user/alice", "user/alice/Junk"]),
        (["-p", "user/alice/"], ["user/alice/Junk"]),
        ([], ["board", "user/alice", "user/alice/Junk"]),
    ],
)
@pytest.mark.usefixtures("site")
def test_only_the_mailboxes_that_are_named(words, mailboxes, call, rules):
    file = rules('[rules.all]\nmailboxes="*"\nage=30\n')
    found = json.loads(call("expire", file, "--json", *words)[1])
    assert [row["mailbox"] for row in found["mailboxes"]] == mailboxes


def test_the_annotation_holds_without_any_rule(site, call):
    call("mailbox", "metadata", "user/alice", "/shared/vendor/cmu/cyrus-imapd/expire", "30")
    assert call("expire", "-a")[1] == "nothing expires\n"
    out = call("expire", "-E", "3", "-D", "7", "-X", "7")[1]
    assert "user/alice/Junk: expire annotation: 2 messages, 5198 octets expired\n" in out
    assert "0 deleted mailboxes removed for good" in out
    assert (left(site, "inbox"), left(site, "board")) == ([0, 10], [0, 10, 40, 90])


def test_what_is_held_back_is_said(site, call):
    call("mailbox", "metadata", "user/alice", "/shared/vendor/cmu/cyrus-imapd/expire", "30")
    call("mailbox", "metadata", "user/alice", "/shared/vendor/cmu/cyrus-imapd/noexpire_until", "0")
    assert "user/alice: left alone, as noexpire_until of the INBOX says\n" in call("expire")[1]
    assert left(site, "inbox") == [0, 10, 40, 90]


def test_what_was_deleted_and_withdrawn_goes_for_good_at_its_age(site, call):
    call("expire", "-f", "-d", "30", "*")
    call("mailbox", "delete", "--yes", "user/alice/Junk")
    call("mailbox", "create", "user/bob")
    call("account", "delete", "--mail", "--yes", "bob")
    assert call("expire", "--deleted", "1")[1].startswith("0 deleted mailboxes removed for good\n0 discarded")
    assert call("expire", "--users", "0", "-n")[1] == "1 deleted users would be removed for good\n"
    assert call("expire", "--users", "0")[1] == "1 deleted users removed for good\n"
    assert call("expire", "--deleted", "0")[1] == (
        "1 deleted mailboxes removed for good\n6 discarded and expired messages removed for good\n"
    )
    assert call("mailbox", "discarded")[1] == ""
    assert left(site, "inbox") == [0, 10]


def test_for_good_leaves_nothing_to_bring_back(call, site):
    call("expire", "-f", "-d", "30", "--for-good", "*")
    assert left(site, "junk") == [0, 10]
    assert call("mailbox", "discarded")[1] == ""


def test_a_mistake_in_the_rules_stops_everything(site, call, rules):
    file = rules(JUNK + '[rules.x]\nmailboxes="*"\nage="soon"\n')
    code, out, err = call("expire", file)
    assert (code, out) == (65, "")
    assert (
        err == f"sievemda: {file}: rules.x.age: 'soon' is not a time, such as 30d or 12h; without a unit it is days\n"
    )
    assert left(site, "junk") == [0, 10, 40, 90]


def test_what_cannot_be_done_is_told_and_the_rest_is(site, call, rules):
    file = rules(
        '[rules.x]\nmailboxes="user/*"\nage=80\naction="fileinto"\nmailbox="No"\n[rules.y]\nmailboxes="*"\nage=30\n'
    )
    code, out, err = call("expire", file)
    assert code == 75
    assert "user/alice: x: there is no folder No: say create = true, or make it\n" in err
    assert "user/alice: y: 1 message," in out
    assert left(site, "inbox") == [0, 10, 90]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["-d", "3", "rules.toml"], "leave the file of rules away"),
        (["-d", "3", "-E", "3"], "-E does not go with -d"),
        (["-b", "3", "-k", "3"], "say one of -b, -k and -m"),
        (["-d", "-3"], "is not in the range"),
        (["-i"], "-i, -s and -o go with"),
        (["-X"], "-X: say after how long"),
        (["-X", "soon"], "-X: 'soon' is not a time"),
        (["-A", "3"], "-A: there is no archive partition"),
        (["-t"], "-t: keywords stay"),
        (["-u", "alice", "board"], "say one of PATTERN, -u and -p"),
        (["-u", "a*"], "-u: 'a*' is no user"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, error, call):
    code, out, err = call("expire", *arguments)
    assert (code, out) == (64, "")
    assert error in err


@pytest.mark.parametrize("words", [["user/nobody"], ["-u", "nobody"]])
def test_who_is_not_there_is_told(words, call):
    assert call("expire", *words)[0] == 67


def test_the_rules_of_the_settings_hold_when_none_are_named(site, call, rules):
    assert call("--set", f"expire_rules={rules(JUNK)}", "expire")[0] == 0
    assert left(site, "junk") == [0, 10]


@pytest.mark.usefixtures("site")
def test_the_rules_that_come_with_the_program_can_be_used(call):
    code, out, err = call("expire", str(RULES), "-n")
    assert (code, out, err) == (0, "nothing expires\n", "")


def test_that_nothing_can_be_printed_is_said_of_no_mailbox(call, site, rules, monkeypatch):
    path = rules(JUNK)
    with open("/dev/full", "w", buffering=1) as full, monkeypatch.context() as patch:  # noqa: PTH123 - a device
        patch.setattr("sys.stdout", full)
        code, _, err = call("expire", path, "--verbose")
    assert (code, err) == (74, "sievemda: standard output: No space left on device\n")


def test_that_the_disk_is_full_is_told_once(call, site, monkeypatch):
    real = os.mkdir

    def mkdir(path, *arguments, **options):
        if os.fsdecode(path).endswith(ENDING):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        real(path, *arguments, **options)

    with monkeypatch.context() as full:
        full.setattr(os, "mkdir", mkdir)
        code, _, err = call("expire", "-f", "-d", "30")
    assert (code, err.count("\n"), "for --for-good, which needs no room" in err) == (74, 1, True), err
    assert left(site, "board") == [0, 10, 40, 90]
    assert call("expire", "-f", "-d", "30")[0] == 0
    assert left(site, "board") == [0, 10]
