"""`sievemda import eml` and `sievemda export eml`."""

import json
import os

import pytest

HEADER = "Date: Thu, 29 Nov 2001 22:33:52 +0000\nSubject: x\n"
AT = 1007073232
PLIST = "<plist><dict><key>flags</key><integer>{}</integer></dict></plist>\n"


@pytest.fixture
def source(tmp_path):
    """Writes files below `src`."""

    def write(name, text=f"{HEADER}\nhello\n", when=1e9):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (when, when))
        return str(tmp_path / "src")

    return write


@pytest.fixture
def messages(tmp_path):
    def messages(user, folder=""):
        base = tmp_path / "d" / "mail" / "user" / user / "Maildir" / folder
        return [
            (path.parent.name, path.name.partition(":2,")[2], path.read_text(), path.stat().st_mtime)
            for part in ("cur", "new")
            for path in sorted((base / part).iterdir())
        ]

    return messages


def test_files_become_messages_and_directories_folders(call, source, messages):
    for name in ("2.eml", "10.eml", "Lists/sub/1", "notes.txt", "out.msg"):
        root = source(name)
    code, out, err = call("import", "eml", root, "user/alice", "--json")
    assert [row["mailbox"] for row in json.loads(out)["folders"]] == ["user/alice", "user/alice/Lists/sub"]
    assert (code, len(messages("alice")), len(messages("alice", ".Lists.sub"))) == (0, 2, 1)
    assert [line.rpartition("/")[2] for line in err.splitlines()] == [
        "notes.txt is no message: passed over",
        "out.msg is a file of Outlook, and no message: save it as .eml",
    ]


@pytest.mark.parametrize(
    ("header", "arrived"),
    [
        (HEADER, AT),
        (f"Received: by x; Fri, 30 Nov 2001 22:33:52 +0000\n{HEADER}", AT + 86400),
        ("Subject: x\n", 1e9),
        ("Date: soon\n", 1e9),
    ],
)
def test_a_message_arrived_when_its_fields_say_or_else_the_file(call, source, messages, header, arrived):
    assert call("import", source("1.eml", f"{header}\nDate: Fri, 1 Jan 1999 00:00:00 +0000\n"), "user/alice")[0] == 0
    assert messages("alice")[0][3] == arrived


def test_a_single_file_is_a_message(call, source, messages, tmp_path):
    source("1.eml")
    assert call("import", str(tmp_path / "src" / "1.eml"), "user/alice")[0] == 0
    assert messages("alice") == [("new", "", f"{HEADER}\nhello\n", AT)]


def test_files_of_apple_mail_have_flags(call, source, messages):
    text = f"{HEADER}\nhello\n"
    root = source("In.mbox/Messages/1.emlx", f"{len(text)}   \n{text}{PLIST.format(1 | 16)}")
    source("In.mbox/Messages/2.emlx", f"{len(text) + 9999}\n{text}")
    code, _, err = call("import", "eml", root, "user/alice")
    assert (code, err) == (65, f"sievemda: {root}/In.mbox/Messages/2.emlx: is no whole .emlx\n")
    assert messages("alice", ".In") == [("cur", "FS", text, AT)]


def test_what_is_exported_is_read_again_and_written_the_same(call, source, messages, tmp_path):
    root = source("1.eml")
    source("2.eml", f"{HEADER}\nsecond\n")
    source("a%2Fb/1.eml")
    source("flags", "1.eml\t\\Seen work\n2.eml\t\n")
    assert call("import", "eml", root, "user/alice")[0] == 0
    assert [row[:2] for row in messages("alice")] == [("cur", "Sa"), ("cur", "")]
    assert call("export", "eml", "-r", "user/alice", str(tmp_path / "one"))[0] == 0
    assert call("import", "eml", str(tmp_path / "one"), "user/bob")[0] == 0
    assert messages("bob") == messages("alice")
    assert call("export", "eml", "-r", "user/bob", str(tmp_path / "two"))[0] == 0
    found = [
        sorted(
            (str(path.relative_to(tmp_path / side)), path.read_bytes(), side and path.stat().st_mtime_ns // 10**9)
            for path in (tmp_path / side).rglob("*.eml")
        )
        for side in ("one", "two")
    ]
    assert found[0] == found[1]
    assert [name for name, *_ in found[0]] == ["INBOX/000001.eml", "INBOX/000002.eml", "a_b/000001.eml"]
    assert (tmp_path / "two" / "INBOX" / "flags").read_text() == "000001.eml\t\\Seen work\n000002.eml\t\n"


def test_files_that_are_there_stay(call, source, tmp_path):
    call("import", "eml", source("1.eml"), "user/alice")
    code, _, err = call("export", "eml", "user/alice", str(tmp_path / "src"))
    assert (code, err) == (
        73,
        f"sievemda: user/alice: {tmp_path}/src has files in it already: name a directory that is not there\n",
    )
    assert [path.name for path in (tmp_path / "src").iterdir()] == ["1.eml"]


def test_an_export_that_was_interrupted_is_repeated_and_gets_what_is_new(call, source, tmp_path):
    root, out = source("1.eml"), tmp_path / "out"
    source("flags", "1.eml\t\\Seen\n")
    call("import", "eml", root, "user/alice")
    call("export", "eml", "user/alice", str(out))
    first = (out / "000001.eml").stat().st_ino
    (out / "flags").unlink()
    (out / ".export.1.part").mkdir()
    (out / ".export.1.part" / "000001.eml").write_text("half")
    call("import", "eml", source("2.eml", f"{HEADER}\nsecond\n"), "user/alice")
    assert call("export", "eml", "user/alice", str(out)) == (0, f"user/alice -> {out}: 2 messages\n", "")
    assert sorted(path.name for path in out.iterdir()) == ["000001.eml", "000002.eml", "flags"]
    assert (out / "flags").read_text() == "000001.eml\t\\Seen\n"
    assert (out / "000001.eml").stat().st_ino == first
    (out / "000002.eml").write_text("another")
    code, _, err = call("export", "eml", "user/alice", str(out))
    assert (code, "000002.eml is another message" in err) == (73, True)
    assert (out / "000002.eml").read_text() == "another"


def test_a_message_that_is_missing_is_told(call, source):
    root = source("1.eml")
    source("flags", "1.eml\t\n2.eml\t\\Seen\n")
    code, _, err = call("import", "eml", root, "user/alice")
    assert (code, "messages are missing that the file flags names" in err) == (65, True)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [("x.msg", b"\xd0\xcf\x11\xe0junk", "is a file of Outlook"), ("empty/.keep", "", "nothing is there")],
)
def test_what_is_no_message_is_refused(call, source, tmp_path, name, text, told):
    source(name, text)
    place = tmp_path / "src" / (name if name == "x.msg" else "empty")
    code, out, err = call("import", "eml", str(place), "user/alice")
    assert (code, out) == (65, "")
    assert told in err
