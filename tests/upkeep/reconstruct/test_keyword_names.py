"""Names of keywords that have been lost, from what Dovecot has written down."""

import struct

import pytest

from tests.upkeep.reconstruct.conftest import kinds

NAMES = ("Projekt", "$Forwarded", "c")


def record(kind, said):
    words = len(said) // 4 + 2
    size = bytes(0x80 | words >> shift & 0x7F for shift in (21, 14, 7, 0))
    return size + struct.pack("<I", kind) + said


def change(what, name, *ranges):
    text = name.encode()
    padded = text + b"\0" * (-len(text) % 4)
    return struct.pack("<BBH", what, 0, len(text)) + padded + b"".join(struct.pack("<II", *each) for each in ranges)


def log(*changes):
    return b"\3\2" + struct.pack("<H", 40) + b"\0" * 36 + record(0x10080000, b"\0" * 88) + b"".join(changes)


@pytest.fixture
def folder(mailbox, put):
    """Messages 1 to 4, the first without keywords, the second with a, b and c, the third with a, the last with b."""
    inbox = mailbox("user/alice")
    lines = [b"3 V1 N5\n"]
    for uid, letters in enumerate(["", "abc", "a", "b"], 1):
        put(inbox, f"cur/1700000000.M{uid}P1Q1.host,S=43,W=47:2,{letters}")
        lines.append(b"%d :1700000000.M%dP1Q1.host,S=43,W=47\n" % (uid, uid))
    put(inbox, "dovecot-uidlist", b"".join(lines))
    put(inbox, "dovecot-keywords", b"\xff\xff\n")
    return inbox


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([(0, "$Forwarded", (2, 2), (4, 4)), (0, "Projekt", (2, 3)), (0, "c", (2, 2))], NAMES),
        ([(0, "Projekt", (1, 99)), (1, "Projekt", (1, 1), (4, 4))], ("Projekt", "unknown-b", "unknown-c")),
        ([(0, "Projekt", (2, 2))], ("unknown-a", "unknown-b", "Projekt")),
        ([(0, "not one", (2, 3))], ("unknown-a", "unknown-b", "unknown-c")),
        ([(7, "Projekt", (2, 3))], ("unknown-a", "unknown-b", "unknown-c")),
    ],
)
def test_a_keyword_has_its_name_again_when_dovecot_knows_who_has_it(folder, put, mend, changes, found):
    put(folder, "dovecot.index.log", log(*(record(0x10000400, change(*each)) for each in changes)))
    assert kinds(mend()) == ["keywords"]
    assert folder.store.keywords.names(folder.path, "abc") == found
    assert mend() == []


@pytest.mark.parametrize("content", [b"", b"\xff" * 3000, log() + b"\x80\x80\x80\xff\0\4\0\0", b"\0" * 100])
def test_a_broken_log_tells_nothing(folder, put, mend, content):
    put(folder, "dovecot.index.log", content)
    mend()
    assert folder.store.keywords.names(folder.path, "a") == ("unknown-a",)
