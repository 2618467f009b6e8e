"""Letters about full mailboxes, seen over IMAP: a client fills the mailbox, reads the letter, and makes room."""

from __future__ import annotations

import json
from pathlib import Path

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message

RULES = "[rules.full]\nthresholds = [80]\nover = false\n"


def told(site: Site, person: str, rules: Path) -> list[int]:
    """At how many percent the owner is told now."""
    answer = site.cli("quota", "notify", "--rules", str(rules), "--json", f"user/{person}")
    return [each["percent"] for each in json.loads(answer)]


def counted(imap: Imap) -> bytes:
    [answer] = imap.ask("GETQUOTAROOT", "INBOX", answer="QUOTA")
    assert isinstance(answer, bytes)
    return answer[answer.rindex(b"MESSAGE") : -1]


def test_who_fills_a_mailbox_over_imap_is_told_and_told_again_when_it_was_emptied(
    site: Site, dovecot: Dovecot, person: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    site.cli("quota", "set", f"user/{person}", "MESSAGE", "10")
    with dovecot.login(person) as imap:
        for _ in range(8):
            imap.append("INBOX", "", None, message().replace(b"\n", b"\r\n"))
        assert told(site, person, rules) == [80]
        assert counted(imap) == b"MESSAGE 9 10"
        assert told(site, person, rules) == []

        imap.choose()
        [(_, header), *_] = imap.fetch("9", "(BODY.PEEK[HEADER])")[1]
        assert b"Auto-Submitted: auto-generated\r\n" in header
        assert f"Subject: Mailbox user/{person} is 80% full\r\n".encode() in header

        imap.store("2:9", "+FLAGS", "\\Deleted")
        imap.expunge()
        assert told(site, person, rules) == []
        imap.unselect()
        for _ in range(7):
            imap.append("INBOX", "", None, message().replace(b"\n", b"\r\n"))
        assert told(site, person, rules) == [80]
        assert counted(imap) == b"MESSAGE 9 10"
