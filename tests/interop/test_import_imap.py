"""An account on Dovecot is taken over, over its own IMAP server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.store.mailstore import MailStore
from sievemda.store.message_list import stored
from tests.interop.dovecot import PASSWORD, Dovecot
from tests.interop.site import message

DATE = '"15-Jul-2021 12:30:00 +0200"'


@pytest.fixture
def taken_over(
    tmp_path: Path, dovecot: Dovecot, person: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], MailStore]:
    """Runs the import of a person's account into a site of its own."""
    monkeypatch.setenv("SIEVEMDA_IMPORT_PASSWORD", PASSWORD)

    def take() -> MailStore:
        assert (
            run(["--data", str(tmp_path), "import", "imap", f"imap://{person}@127.0.0.1:{dovecot.port}", "--acl"]) == 0
        )
        return MailStore(Settings(data=tmp_path))

    return take


def test_dovecots_messages_come_whole_and_once(
    taken_over: Callable[[], MailStore], dovecot: Dovecot, person: str
) -> None:
    large, plain = message("\r\n".join(["x" * 900] * 400)), message()
    with dovecot.login(person) as imap:
        for folder in ("Sent", "Entw&APw-rfe", "a/b"):
            imap.create(f'"{folder}"')
        imap.append("INBOX", "(\\Seen \\Flagged $Forwarded)", DATE, plain)
        imap.append("INBOX", "()", DATE, plain)
        imap.append("Sent", "(\\Answered)", DATE, large)
        imap.subscribe("Sent")
        store = taken_over()
        imap.append("a/b", "()", DATE, plain)
        store = taken_over()
        assert imap.flags() == [{"\\Seen", "\\Flagged", "$Forwarded"}, set()]
    found = {
        store.namespace.format_admin(mailbox.name).removeprefix(f"user/{person}"): [
            (one.flags, one.arrived, one.file.read_bytes()) for one in stored(mailbox)
        ]
        for mailbox in store.mailboxes_of(person)
    }
    octets = plain.replace(b"\r\n", b"\n")
    assert (
        found
        == {
            "": [(("\\Flagged", "\\Seen", "$Forwarded"), 1626345000.0, octets), ((), 1626345000.0, octets)],
            "/Sent": [(("\\Answered",), 1626345000.0, large.replace(b"\r\n", b"\n"))],
            "/Entwürfe": [],
            "/a/b": [((), 1626345000.0, octets)],
            "/a": [],
        }
        or found.pop("/a", None) is None
    )
