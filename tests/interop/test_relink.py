"""A mail client sees nothing of it when equal messages become one file, nor when a list of mailboxes is loaded."""

from __future__ import annotations

import json
import os

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site

TEXT = b"Subject: to all\n\nThe same for everybody.\n"
DATE = 1_700_000_000


def _seen(imap: Imap, folder: str) -> list[bytes]:
    imap.choose(folder)
    lines = imap.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")[1]
    return [line.replace(b" \\Recent", b"") for line in lines]


def test_a_session_sees_the_same_before_and_after(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/Lists")
    for folder in ("", "Lists"):
        for number in range(3):
            file = site.folder(person, folder) / "cur" / f"{DATE + number}.M{number}P1.h,S={len(TEXT)}:2,S"
            file.write_bytes(TEXT)
            file.chmod(0o666)  # Dovecot runs as somebody else
            os.utime(file, (DATE, DATE))
    with dovecot.login(person) as imap:
        before = {folder: _seen(imap, folder) for folder in ("INBOX", "Lists")}
        report = json.loads(site.cli("relink", "--json", f"user/{person}", f"user/{person}/*"))
        assert (report["linked"], report["after"]["unique"]) == (5, 1)
        assert {folder: _seen(imap, folder) for folder in before} == before
        imap.store("1", "+FLAGS", "(\\Flagged)")
        assert [b"Flagged" in line for line in _seen(imap, "Lists")] == [True, False, False]
        assert imap.body("INBOX", 1) == imap.body("Lists", 1)
    with dovecot.login(person) as imap:
        assert _seen(imap, "INBOX") == before["INBOX"]
    assert dovecot.complaints() == []


def test_what_a_list_made_is_there_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    name = f"user.{person}x"
    entries = {
        f"{name}.Entw&APw-rfe": {"acl": {f"{person}x": "lrswipkxtecdan", person: "lr"}, "specialuse": "\\Drafts"},
        name: {"acl": {f"{person}x": "lrswipkxtecdan"}, "quota": {"STORAGE": "1048576"}, "subscriptions": [name]},
    }
    assert site.cli("mailbox", "load", stdin=json.dumps(entries).encode()) == ""
    with dovecot.login(f"{person}x") as imap:
        assert {"INBOX", "Entw&APw-rfe"} <= set(imap.folders())
        assert imap.choose("Entw&APw-rfe") == 0
    assert dovecot.complaints() == []
