"""After a run over a store that was damaged by hand, Dovecot shows everything that was there, to sessions old and new."""

from __future__ import annotations

from pathlib import Path

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message


def test_dovecot_sees_everything_after_one_run(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/Lists", f"user/{person}/Work")
    site.cli("quota", "set", f"user/{person}", "STORAGE", "100000")
    for folder in ("Lists", "Work"):
        site.grant(f"user/{person}/{folder}", "anyone", "p")
    for folder in ("", "+Lists", "+Work"):
        for number in range(3):
            assert [code for code, _ in site.lmtp(message(f"text {folder} {number}"), f"{person}{folder}")] == [250]
    with dovecot.login(person) as imap:
        names = imap.folders()
        for folder in ("INBOX", "Lists", "Work"):
            imap.choose(folder)
            imap.store("1", "+FLAGS", "(\\Flagged Important)")
        before = {folder: (imap.flags(folder), _texts(imap, folder)) for folder in ("INBOX", "Lists", "Work")}
        _damage(site.folder(person))
        site.cli("reconstruct", "-u", person)
        for folder, (flags, texts) in before.items():
            assert sorted(_texts(imap, folder)) == sorted(texts)
            assert sorted(map(sorted, imap.flags(folder))) == sorted(map(sorted, flags))
    with dovecot.login(person) as imap:
        assert imap.folders() == names
        for folder, (flags, texts) in before.items():
            assert sorted(_texts(imap, folder)) == sorted(texts)
            assert sorted(map(sorted, imap.flags(folder))) == sorted(map(sorted, flags))
    assert dovecot.complaints() == []
    assert '"findings": []' in site.cli("reconstruct", "-n", "--json", "-u", person)


def _damage(maildir: Path) -> None:
    (maildir / "tmp").rmdir()
    (maildir / "maildirsize").write_bytes(b"1")
    (maildir / ".Lists" / "dovecot-acl").write_bytes(b"\xff\x00 garbage\n")
    keywords = maildir / "dovecot-keywords"
    keywords.write_bytes(b"\xff\xff\n" + keywords.read_bytes() + b"x y z\n")
    for number, file in enumerate(sorted((maildir / "cur").iterdir())):
        file.rename(file.with_name(file.name.replace(",S=", f",S={number + 1}")))
    (maildir / ".Work").rename(maildir.parent / "Work")


def _texts(imap: Imap, folder: str) -> list[bytes]:
    return [imap.body(folder, number) for number in range(1, imap.choose(folder) + 1)]
