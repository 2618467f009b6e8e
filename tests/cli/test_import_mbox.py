"""`sievemda import mbox`."""

import bz2
import gzip
import json
import lzma
import random
import sys
from pathlib import Path

import pytest

MARK = "From a@b.example Thu Nov 29 22:33:52 2001 +0000\n"


def message(number, fields=""):
    return f"{MARK}Subject: {number}\n{fields}\nbody {number}\n\n"


@pytest.fixture
def box(tmp_path):
    """Writes a file of messages below `mail` and gives its name."""

    def write(name, *messages, packed=lambda data: data):
        path = tmp_path / "mail" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed("".join(messages).encode()))
        return str(path)

    return write


@pytest.fixture
def files(tmp_path):
    """The messages of a mailbox, by its place below the home of a user."""

    def files(user, folder=""):
        base = tmp_path / "d" / "mail" / "user" / user / "Maildir" / folder
        return sorted(path for part in ("cur", "new") for path in (base / part).iterdir())

    return files


def test_messages_come_with_flags_and_dates_and_the_user_is_made(call, box, files):
    source = box("old", message(1, "Status: RO\nX-Status: F\n"), message(2))
    assert call("import", "mbox", source, "user/alice") == (
        0,
        f"{source} -> user/alice: 2 messages came, 0 were there already\n",
        "",
    )
    first, second = files("alice")
    assert (first.parent.name, second.parent.name) == ("cur", "new")
    assert first.name.endswith(":2,FS")
    assert first.read_text() == "Subject: 1\n\nbody 1\n"
    assert first.stat().st_mtime == second.stat().st_mtime == 1007073232


def test_a_keyword_without_room_is_told_once_with_the_number_of_its_messages(call, box, files, caplog):
    words = [f"X-Keywords: k{number}\n" for number in range(26)]
    source = box("old", *(message(number, word) for number, word in enumerate([*words, "X-Keywords: late\n"])))
    more = box("more", *(message(number, "X-Keywords: late k1\n") for number in (40, 41)))
    call("import", "mbox", source, "user/alice")
    code, _, err = call("import", "mbox", more, "user/alice")
    assert code == 0
    assert err == "sievemda: user/alice: no room for the keyword late, which 2 messages have\n"
    assert caplog.text == ""
    assert [path.name.partition(":2,")[2] for path in files("alice")][-3:] == ["", "b", "b"]


def test_what_is_there_is_not_put_in_twice_unless_that_is_wanted(call, box, files):
    source = box("old", message(1), message(1), message(2))
    for added in (3, 0):
        out = call("import", "mbox", source, "user/alice")[1]
        assert f"{added} messages came, {3 - added} were there already" in out
    assert "3 messages came" in call("import", "mbox", "--again", source, "user/alice")[1]
    assert len(files("alice")) == 6


@pytest.mark.parametrize("words", [("mbox",), ("--mbox",), ()])
def test_the_kind_is_said_or_seen(call, box, files, words):
    assert call("import", *words, box("old", message(1)), "user/alice")[0] == 0
    assert len(files("alice")) == 1


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_files_may_be_packed(call, box, files, packed):
    assert call("import", box("old", message(1), packed=packed), "user/alice")[0] == 0
    assert len(files("alice")) == 1


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_of_a_packed_file_that_is_cut_what_is_whole_comes(call, box, files, packed):
    noise = random.Random(0).randbytes(60_000).hex()
    messages = [message(number, f"X: {noise[number * 12_000 : number * 12_000 + 12_000]}\n") for number in range(10)]
    source = box("old", *messages, packed=lambda data: packed(data)[: -len(packed(data)) // 5])
    code, _, err = call("import", "mbox", source, "user/alice")
    assert code == 65
    assert "cannot be unpacked to its end" in err
    assert len(files("alice")) >= (0 if packed is bz2.compress else 5)


def test_what_comes_before_junk_in_a_packed_file_is_there(call, box, files):
    source = box("old", message(1), message(2), packed=lambda data: gzip.compress(data) + b"junk")
    assert call("import", "mbox", source, "user/alice")[0] == 65
    assert len(files("alice")) == 2


def test_standard_input_is_a_source(call, box, monkeypatch, files):
    with Path(box("old", message(1))).open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert call("import", "mbox", "-", "user/alice/Old")[0] == 0
    assert len(files("alice", ".Old")) == 1


def test_a_directory_becomes_folders_and_what_cannot_be_is_told(call, box, tmp_path, files):
    for name in ("Inbox", "Lists", "Lists.sbd/a^b", "news/x.mbox", "list.mbox/list.mbox", "100%", "a%2Fb"):
        box(name, message(name))
    box("Lists.msf", "index")
    box(".hidden", message("hidden"))
    box(".settings", "x")
    box("notes.txt", "hello")
    (tmp_path / "mail" / "link").symlink_to("Inbox")
    code, out, err = call("import", "mbox", str(tmp_path / "mail"), "user/alice", "--json")
    found = {row["source"].partition("/mail/")[2]: row["mailbox"] for row in json.loads(out)["folders"]}
    assert (code, found) == (
        0,
        {
            "100%": "user/alice/100_",
            "Inbox": "user/alice",
            "Lists": "user/alice/Lists",
            "Lists.sbd/a^b": "user/alice/Lists/a_b",
            "a%2Fb": "user/alice/a_b",
            "list.mbox/list.mbox": "user/alice/list",
            "news/x.mbox": "user/alice/news/x",
        },
    )
    assert [line.rpartition("/")[2] for line in err.splitlines()] == [
        ".hidden is hidden: passed over",
        "link is no file: passed over",
        "notes.txt is no mbox: passed over",
    ]


def test_a_dry_run_counts_and_changes_nothing(call, box, tmp_path):
    call("import", "mbox", box("one", message(1)), "user/alice")
    before = sorted(path for path in (tmp_path / "d").rglob("*"))
    source = box("old", message(1), message(2))
    assert "1 messages would come, 1 were there already" in call("import", "mbox", "-n", source, "user/alice")[1]
    assert "2 messages would come, 0 were" in call("import", "mbox", "-n", source, "user/bob/Old")[1]
    assert sorted(path for path in (tmp_path / "d").rglob("*")) == before


def test_flags_can_be_left_behind_and_added(call, box, files):
    source = box("old", message(1, "Status: RO\n"))
    call("import", "mbox", source, "user/alice", "--no-flags")
    call("import", "mbox", source, "user/bob", "--flag", "\\Flagged", "--flag", "old")
    assert files("alice")[0].parent.name == "new"
    assert files("bob")[0].name.endswith(":2,FSa")


def test_a_quota_holds_unless_it_is_ignored(call, box, files):
    call("mailbox", "create", "user/alice")
    call("quota", "set", "user/alice", "MESSAGE", "1")
    source = box("old", message(1), message(2))
    code, out, err = call("import", "mbox", source, "user/alice")
    assert (code, len(files("alice"))) == (75, 1)
    assert "message 2, at octet 68" in err
    assert "1 messages came" in out
    assert call("import", "mbox", "--ignore-quota", source, "user/alice")[0] == 0
    assert len(files("alice")) == 2


def test_a_truncated_file_gives_what_is_whole_and_says_what_is_not(call, box, files):
    code, out, err = call("import", "mbox", box("old", message(1), message(2)[:-4]), "user/alice")
    assert code == 65
    assert "message 2, at octet 68, is not whole: its last line is cut" in err
    assert "2 messages came" in out


def test_the_place_of_copies_that_is_full_is_named(call, box, monkeypatch, tmp_path):
    monkeypatch.setattr("sievemda.upkeep.importing.unpacking.tempfile.TemporaryFile", lambda: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
    code, out, err = call("import", "mbox", box("old", message(1), packed=gzip.compress), "user/alice")
    assert (code, out) == (74, "")
    assert "no room for a copy in " in err
    assert "TMPDIR" in err
    assert not (tmp_path / "d" / "mail" / "user").exists()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("nowhere", "user/alice"), 74, "nowhere: No such file or directory"),
        (("README", "user/alice"), 65, "README is no mbox"),
        (("old",), 64, "SOURCE... MAILBOX"),
        (("old", "user/alice/../x"), 65, "cannot be a mailbox"),
        (("old", "user/alice/a^b"), 65, "not a name for a new mailbox"),
        (("old", "user/alice", "--no-create"), 67, "no mailbox user/alice"),
        (("old", "user/alice", "--flag", "a b"), 64, "no flag and no keyword"),
    ],
)
def test_a_mistake_is_told_in_one_line(call, box, monkeypatch, tmp_path, words, code, text):
    box("old", message(1))
    box("README", "hello\n")
    monkeypatch.chdir(tmp_path / "mail")
    found, out, err = call("import", "mbox", *words)
    assert (found, out) == (code, "")
    assert text in err.splitlines()[-1]
    assert not (tmp_path / "d" / "mail" / "user").exists()


@pytest.mark.parametrize("kind", ["mbox", "maildir", "eml"])
def test_directories_without_end_are_told_and_not_gone_through(call, tmp_path, kind):
    (tmp_path / "/".join(["x"] * 900)).mkdir(parents=True)
    code, out, err = call("import", kind, str(tmp_path / "x"), "user/alice")
    assert (code, out) == (65, "")
    assert "nothing is there that can be imported" in err.splitlines()[-1]
