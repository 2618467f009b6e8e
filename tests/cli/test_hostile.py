"""Arguments and files that nobody means well: one line of error, an exit code of sysexits.h, and nothing changed."""

import os
import threading
from pathlib import Path

import pytest

from sievemda.cli.main import run


@pytest.fixture
def sievemda(call):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    assert call("mailbox", "create", "user/alice") == (0, "", "")
    return call


READING = [
    ("account", "create", "--csv"),
    ("account", "create", "bob", "--script"),
    ("mailbox", "list", "--from-file"),
    ("mailbox", "create", "--from-file"),
    ("acl", "load"),
    ("quota", "notify", "--rules"),
    ("admin", "--userrc"),
    ("script", "put", "alice", "x"),
    ("expire", "--rules"),
    ("import", "forward"),
    ("import", "procmail"),
    ("import", "maildrop"),
    ("import", "cyrus", ".", "--mailboxes"),
    ("import", "imap", "imap://alice@127.0.0.1:1", "--ca-file"),
    ("import", "imap", "imap://alice@127.0.0.1:1", "--password-file"),
    ("import", "imap", "imap://127.0.0.1:1", "--accounts"),
    ("import", "news", ".", "--active"),
    ("mailbox", "load"),
    ("mailbox", "verify"),
    ("mailbox", "dump", "--from-file"),
    ("mailbox", "move", "--partition", "default", "--user-file"),
    ("relink", "--from-file"),
]
LOOKING = [
    ("backup", "--verify", "FILE"),
    ("import", "FILE", "user/alice/Old"),
    ("import", "mbox", "FILE", "user/alice/Old"),
    ("import", "eml", "FILE", "user/alice/Old"),
    ("prune", "--dump", "-", "-f", "FILE"),
    ("restore", "FILE"),
    ("restore", "--list", "FILE"),
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_nobody_waits_at_a_pipe_into_which_nobody_writes(sievemda, tmp_path, command):
    os.mkfifo(tmp_path / "pipe")
    code, out, err = sievemda(*command, str(tmp_path / "pipe"))
    assert code in (64, 65, 74)
    assert "is a named pipe" in err
    assert (out, err.count("\n")) == ("", 1) or err.startswith("Usage:")


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_directory_is_no_file(sievemda, tmp_path, command):
    code, out, err = sievemda(*command, str(tmp_path))
    assert code in (64, 65, 74)
    assert "Is a directory" in err
    assert out == ""


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
@pytest.mark.parametrize("make", [os.mkfifo, lambda file: file.symlink_to(file)], ids=["pipe", "loop"])
def test_a_file_that_cannot_be_looked_at_is_told_at_once(sievemda, tmp_path, command, make):
    make(tmp_path / "file")
    code, _, err = sievemda(*(str(tmp_path / "file") if word == "FILE" else word for word in command))
    assert (code in (64, 65, 67, 74), err.count("\n")) == (True, 1)
    assert err.startswith("sievemda: ")
    assert sievemda("mailbox", "list")[1] == "user/alice\n"


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "1e400", "1e300", "x", ""])
@pytest.mark.parametrize(
    "command",
    [
        ("import", "imap", "imap://alice@127.0.0.1:1", "--timeout"),
        ("import", "news", "nntp://127.0.0.1:1", "--timeout"),
        ("probe", "alice", "--timeout"),
        ("probe", "alice", "--warning"),
        ("probe", "alice", "--critical"),
        ("probe", "alice", "--interval"),
        ("stat", "--users", "--watch"),
    ],
    ids=" ".join,
)
def test_what_is_no_number_of_seconds_is_a_mistake(sievemda, command, number):
    code, out, err = sievemda(*command[:-1], f"{command[-1]}={number}")
    assert (code, out) == (64, "")
    assert err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("command", [("export", "mbox", "--force", "user/alice"), ("mailbox", "dump", "-o")])
def test_a_link_to_itself_makes_room_for_what_is_written(sievemda, tmp_path, command):
    (tmp_path / "loop").symlink_to("loop")
    assert sievemda(*command, str(tmp_path / "loop"))[0] == 0
    assert (tmp_path / "loop").is_file()


def test_a_script_without_an_end_is_too_large(sievemda):
    code, _, err = sievemda("account", "create", "bob", "--script", "/dev/zero")
    assert (code, err.count("\n")) == (65, 1)
    assert "has more than" in err
    assert sievemda("mailbox", "list")[1] == "user/alice\n"


def test_what_a_shell_makes_of_the_output_of_a_command_is_read(sievemda):
    reader, writer = os.pipe()

    def write():
        os.write(writer, b"user/bob\n")
        os.write(writer, b"user/carol\n")
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    assert sievemda("mailbox", "create", "--from-file", f"/dev/fd/{reader}")[0] == 0
    thread.join()
    os.close(reader)
    assert sievemda("mailbox", "list")[1] == "user/alice\nuser/bob\nuser/carol\n"


@pytest.mark.parametrize("odd", ["a\nb", "\x1b[2Jb", "a\rb", "\u202eb", "a\u2028b"])
@pytest.mark.parametrize(
    "command",
    [
        ("mailbox", "list", "--from-file"),
        ("mailbox", "undelete", "user/alice", "--id"),
        ("mailbox", "restore", "user/alice"),
        ("mailbox", "path", "-p"),
        ("quota", "root", "user/alice"),
        ("nosuch",),
    ],
    ids=" ".join,
)
def test_what_is_said_of_an_odd_word_stays_on_its_line(sievemda, command, odd):
    code, _, err = sievemda(*command, odd)
    assert code in (64, 65, 67, 74)
    said = [line for line in err.splitlines() if line.startswith(("sievemda:", "Error:"))]
    assert len(said) == 1
    assert said[0] == err.splitlines()[-1]
    assert all(line.isprintable() for line in err.split("\n"))


@pytest.mark.parametrize("text", ["[" * 5000, "a=" + "[" * 5000, "a=" + "9" * 5000, "a='\\ud800'", "\ufeff[[["])
@pytest.mark.parametrize("command", [("config", "check"), ("mailbox", "list")], ids=" ".join)
def test_a_configuration_that_is_none_is_one_mistake(tmp_path, capsys, text, command):
    (tmp_path / "file").write_text(text)
    code = run(["--config", str(tmp_path / "file"), *command])
    assert (code, capsys.readouterr().err.count("\n")) == (78, 1)


def test_a_rule_file_with_a_number_without_an_end_is_one_mistake(sievemda, tmp_path):
    (tmp_path / "file").write_text("a=" + "9" * 5000)
    code, _, err = sievemda("quota", "notify", "--rules", str(tmp_path / "file"))
    assert (code, err.count("\n")) == (65, 1)


def test_a_line_of_error_has_an_end(sievemda):
    code, _, err = sievemda("mailbox", "info", "x" * 100_000)
    assert (code, err.count("\n")) == (67, 1)
    assert len(err) < 3000


def test_what_the_store_says_of_a_damaged_file_is_a_line_as_well(sievemda, tmp_path):
    sievemda("mailbox", "create", "user/alice/Lists")
    (tmp_path / "d/mail/user/alice/Maildir/subscriptions").unlink()
    (tmp_path / "d/mail/user/alice/Maildir/subscriptions").mkdir()
    code, out, err = sievemda("mailbox", "rename", "user/alice/Lists", "user/alice/Old")
    assert (code, out) == (0, "")
    assert all("subscriptions" in line for line in err.splitlines())


# -- what should not be in a store -------------------------------------------------------------------------------------

ENTRIES = [
    b"",
    b"[" * 50_000,
    b"{}",
    b'{"name": "user/alice/Gone", "deleted": 1e300, "mailbox": true, "parts": []}',
    b'{"name": "user/alice/Gone", "deleted": NaN, "mailbox": true, "parts": []}',
    b'{"name": "user/alice/Gone", "deleted": %s, "mailbox": true, "parts": []}' % (b"9" * 400),
    b'{"name": "user/alice/Gone", "deleted": 1, "mailbox": true, "parts": [["OUTSIDE", "HOME/Maildir/.Gone"]]}',
    b'{"name": "user/alice/Gone", "deleted": 1, "mailbox": true, "parts": [["HOME/Maildir", "HOME/Maildir/.Gone"]]}',
    b'{"name": "user/alice/Gone", "deleted": 1, "mailbox": true, "parts": [["HOME/../../deleted./x/../../../../o", "x"]]}',
    b'{"name": "user/alice/Gone", "deleted": 1, "mailbox": true, "parts": [["\\u0000", "\\ud800"]]}',
]


@pytest.fixture
def outside(tmp_path):
    for part in ("cur", "new", "tmp"):
        (tmp_path / "outside" / part).mkdir(parents=True)
    (tmp_path / "outside/new/1.x").write_text("Subject: somebody else's\n\nx\n")
    return tmp_path / "outside"


def content(place):
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in place.rglob("*")}


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
@pytest.mark.parametrize(
    "command", [("mailbox", "deleted"), ("mailbox", "list", "--orphans"), ("mailbox", "undelete", "user/alice/Gone")]
)
def test_a_deletion_that_we_did_not_write_leads_nowhere(sievemda, tmp_path, outside, entry, command):
    home = tmp_path / "d/mail/user/alice"
    place = tmp_path / "d/mail/deleted./1.x"
    place.mkdir(parents=True)
    (place / "entry").write_bytes(entry.replace(b"OUTSIDE", bytes(outside)).replace(b"HOME", bytes(home)))
    before = content(outside), content(home)
    code, _, err = sievemda(*command)
    assert code == (67 if "undelete" in command else 0)
    assert (content(outside), content(home)) == before
    assert all(line.startswith("sievemda: ") for line in err.splitlines())


@pytest.mark.parametrize(
    "note", [b"[" * 50_000, b"[1]", b"{", b'{"steps": 5}', b'{"steps": [["move", "\\u0000", "x"]]}']
)
def test_a_note_of_a_rename_that_we_did_not_write_keeps_nobody_from_renaming(sievemda, tmp_path, note):
    place = tmp_path / "d/mail/moving."
    place.mkdir()
    (place / "1.x").write_bytes(note + b"\n")
    code, out, _ = sievemda("mailbox", "rename", "user/alice", "user/carol")
    assert (code, out) == (0, "")
    assert sievemda("mailbox", "list")[1] == "user/carol\n"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("deleted.", ("mailbox", "delete", "--yes", "user/alice/Lists")),
        ("deleted.", ("account", "delete", "--mail", "--yes", "alice")),
        ("moving.", ("mailbox", "rename", "user/alice/Lists", "user/alice/Old")),
        ("stage.", ("mailbox", "create", "user/alice/New")),
    ],
)
def test_no_part_of_a_partition_is_a_link_to_elsewhere(sievemda, tmp_path, outside, name, command):
    sievemda("mailbox", "create", "user/alice/Lists")
    place = tmp_path / "d/mail" / name
    if place.exists():
        place.rmdir()
    place.symlink_to(outside)
    before = content(outside), sievemda("mailbox", "list")[1]
    code, _, err = sievemda(*command)
    assert (code in (74, 75), err.count("\n")) == (True, 1)
    assert (content(outside), sievemda("mailbox", "list")[1]) == before


@pytest.mark.parametrize(
    "odd", [b".a\nb", b".\x1b[2Jx", b".a\xffb", b".a..b", b"...", b".&AAA-", b".&2AA-", b"." + b"x" * 254]
)
@pytest.mark.parametrize(
    "command",
    [
        ("mailbox", "list"),
        ("mailbox", "list", "--long"),
        ("mailbox", "list", "--orphans"),
        ("acl", "dump"),
        ("acl", "list", "*"),
        ("quota", "report"),
        ("readership",),
        ("admin", "-e", "lm; lam *"),
        ("account", "list", "--long"),
    ],
    ids=" ".join,
)
def test_a_directory_with_an_odd_name_poses_as_no_other_line(sievemda, tmp_path, command, odd):
    folder = bytes(tmp_path / "d/mail/user/alice/Maildir") + b"/" + odd
    for part in (b"cur", b"new", b"tmp"):
        Path(os.fsdecode(folder + b"/" + part)).mkdir(parents=True)
    code, out, _ = sievemda(*command)
    assert code == 0
    assert all(line.isprintable() or "\udcff" in line for line in out.split("\n"))
    assert "\nb" not in out


@pytest.mark.parametrize("command", [("mailbox", "info", "user/alice"), ("account", "info", "alice")], ids=" ".join)
def test_damaged_subscriptions_do_not_hide_what_else_is_known_of_a_user(sievemda, tmp_path, caplog, command):
    file = tmp_path / "d/mail/user/alice/Maildir/subscriptions"
    file.unlink(missing_ok=True)
    file.mkdir()
    code, out, _ = sievemda(*command)
    assert code == 0
    assert f"{file} cannot be read" in caplog.text
    assert "subscriptions: -\n" in out
    assert f"home: {tmp_path}/d/mail/user/alice\n" in out
