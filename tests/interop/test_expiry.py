"""Expiry beside an IMAP server: it goes by what clients have set, and open sessions see what has gone."""

from __future__ import annotations

import os
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


def test_what_expires_unseen_is_shown_no_more_though_a_client_has_looked_at_it(
    site: Site, dovecot: Dovecot, person: str
) -> None:
    new = site.folder(person) / "new"
    for number in range(2):
        file = new / f"1600000000.M{number}P1.h,S=13"
        file.write_bytes(b"Subject: x\n\nx")
        file.chmod(0o666)
        os.utime(file, (1_600_000_000, 1_600_000_000))
    for path in (new, new.parent / "cur"):  # as of yesterday, so that Dovecot need not look twice
        os.utime(path, (1_700_000_000, 1_700_000_000))
    with dovecot.login(person) as imap:
        assert imap.select("INBOX", readonly=True)[1] == [b"2"]
        imap.search(None, "HEADER", "Subject", "x")
    site.cli("expire", "-f", "-X", "-d", "30", f"user/{person}")
    with dovecot.login(person) as imap:
        assert imap.choose() == 0
