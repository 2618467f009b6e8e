"""Annotations over IMAP, and the scripts that ask for them: RFC 5464 and RFC 5490."""

from __future__ import annotations

import imaplib

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message

imaplib.Commands.update(dict.fromkeys(("SETMETADATA", "GETMETADATA"), ("AUTH", "SELECTED")))


def annotate(imap: Imap, mailbox: str, entry: str, value: str) -> None:
    imap.ask("SETMETADATA", mailbox, f"({entry} {value})")


def test_what_a_user_notes_over_imap_counts_for_his_script(site: Site, dovecot: Dovecot, user: str) -> None:
    site.cli("mailbox", "create", f"user/{user}/Lists")
    with dovecot.login(user) as imap:
        annotate(imap, "Lists", "/private/Comment", '"for sale"')
        annotate(imap, "Lists", "/shared/vendor/example/folder", '"a\\\\b\tc"')
        annotate(imap, '""', "/private/vendor/example/on", '"yes"')
    site.script(
        user,
        'require ["mboxmetadata", "servermetadata", "fileinto"];\n'
        'if allof (metadata :is "Lists" "/PRIVATE/comment" "for sale",\n'
        '          metadata :is "Lists" "/shared/vendor/example/folder" "a\\\\b\tc",\n'
        '          servermetadata :is "/private/vendor/example/on" "yes",\n'
        '          not metadataexists "INBOX" "/private/comment") { fileinto "Lists"; }\n',
    )
    assert [code for code, _ in site.lmtp(message(), f"{user}@example.org")] == [250]
    assert len(site.files(user, "Lists")) == 1


def test_what_the_administrator_notes_is_seen_over_imap(site: Site, dovecot: Dovecot, user: str) -> None:
    site.cli("mailbox", "create", f"user/{user}/Lists")
    with dovecot.login(user) as imap:
        annotate(imap, "Lists", "/private/comment", '"from imap"')
    site.cli("mailbox", "metadata", f"user/{user}/Lists", "/shared/comment", "two\nlines")
    assert site.cli("mailbox", "metadata", f"user/{user}/Lists", "/private/comment") == "from imap\n"
    with dovecot.login(user) as imap:
        (found, *_) = imap.ask("GETMETADATA", "Lists", "/shared/comment", answer="METADATA")
        (own, *_) = imap.ask("GETMETADATA", "Lists", "/private/comment", answer="METADATA")
    assert b"two\nlines" in b"".join(found)
    assert b"from imap" in (own if isinstance(own, bytes) else b"".join(own))
