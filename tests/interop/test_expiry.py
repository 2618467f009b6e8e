"""Expiry beside an IMAP server: it goes by what clients have set, and open sessions see what has gone."""

from __future__ import annotations

from pathlib import Path

from tests.interop.dovecot import Dovecot
from tests.interop.site import Site

OLD = '"01-Jan-2020 10:00:00 +0000"'
RULES = """\
[rules.tagged]
mailboxes = "user/{person}"
arrived = "30d"
keyword = "Later"
action = "fileinto"
mailbox = "Old"
create = true

[rules.old]
mailboxes = "user/{person}"
arrived = "30d"
flagged = false
"""


def mail(subject: str) -> bytes:
    return f"Subject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n\r\n{subject}\r\n".encode()


def test_messages_expire_by_dates_and_flags_of_clients_and_sessions_see_it(
    site: Site, dovecot: Dovecot, person: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES.format(person=person))
    with dovecot.login(person) as imap:
        for subject, flags, when in (
            ("gone", "(\\Seen)", OLD),
            ("flagged", "(\\Flagged)", OLD),
            ("moved", "(Later \\Answered)", OLD),
            ("new", "", None),
        ):
            imap.append("INBOX", flags, when, mail(subject))
        assert imap.choose() == 4
        site.cli("expire", str(rules))
        imap.ask("NOOP", answer="EXPUNGE")
        assert imap.flags() == [{"\\Flagged"}, set()]
        assert imap.flags("Old") == [{"\\Answered", "Later"}]
        assert "01-Jan-2020" in str(imap.fetch("1", "(INTERNALDATE)"))
        site.cli("mailbox", "restore", f"user/{person}", "<gone@example.org>")
        assert imap.flags() == [{"\\Flagged"}, set(), {"\\Seen"}]
        assert "01-Jan-2020" in str(imap.fetch("3", "(INTERNALDATE)"))
        assert imap.body(number=3) == mail("gone")
