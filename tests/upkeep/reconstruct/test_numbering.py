"""Messages that Dovecot has numbered, and whose names it has lost."""

import os

import pytest

from tests.upkeep.reconstruct.conftest import kinds

NAME = "1700000000.M1P1Q1.host,S=43,W=47"


@pytest.fixture
def inbox(mailbox, put):
    inbox = mailbox("user/alice")
    put(inbox, f"cur/{NAME}:2,S")
    put(inbox, "dovecot-uidlist", f"3 V1 N2\n1 :{NAME}\n".encode())
    put(inbox, "dovecot.index.log", b"")
    os.utime(inbox.path / "cur", (5, 5))
    return inbox


@pytest.mark.parametrize("content", [b"", b"3 V1 N2\n", b"\xff\xfejunk", b"3 V1 N2\n1 :1700", None])
def test_dovecot_looks_again_for_messages_that_its_list_has_lost(inbox, mend, content):
    file = inbox.path / "dovecot-uidlist"
    file.unlink() if content is None else file.write_bytes(content)
    assert kinds(mend()) == ["unlisted"]
    assert (inbox.path / "cur").stat().st_mtime > 5
    assert (file.read_bytes() if file.exists() else None) == content
    assert mend() == []


def test_a_list_that_is_whole_is_no_reason(inbox, mend):
    assert mend() == []
    assert (inbox.path / "cur").stat().st_mtime == 5


def test_a_message_that_dovecot_has_not_seen_yet_is_no_reason(inbox, mend):
    (inbox.path / "dovecot-uidlist").write_bytes(b"3 V1 N1\n")
    os.utime(inbox.path / "dovecot-uidlist", (4, 4))
    assert mend() == []


def test_where_dovecot_has_never_been_there_is_no_reason(inbox, mend):
    (inbox.path / "dovecot-uidlist").unlink()
    (inbox.path / "dovecot.index.log").unlink()
    assert mend() == []
