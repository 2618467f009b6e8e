"""mbsync and neomutt read the tree as it is, and what they write is known here at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sievemda.store.spelling import encode_utf7
from tests.interop.dovecot import PASSWORD, Dovecot
from tests.interop.readers import Mbsync, neomutt
from tests.interop.site import Site, message

ODD = "Büro v1.0 & co"  # a folder below Lists
ON_DISK = "Lists.B&APw-ro v1\\2e0 &- co"


@pytest.fixture
def reader(site: Site, person: str) -> str:
    """Somebody with two messages in his INBOX and one, seen and flagged, in a folder."""
    site.make(f"user/{person}/Lists", f"user/{person}/Lists/{ODD}")
    for _ in range(2):
        deliver(site, person)
    script = 'require ["fileinto", "imap4flags"];\nfileinto :flags ["\\\\Seen", "\\\\Flagged", "$Work"] "{}";\n'
    site.sieve(person, script.format(f"Lists/{ODD}"))
    deliver(site, person)
    site.sieve(person, "keep;\n")
    return person


def deliver(site: Site, person: str, content: bytes = b"") -> None:
    assert [code for code, _ in site.lmtp(content or message(), f"{person}@example.org")] == [250]


@pytest.fixture
def mbsync(site: Site, reader: str, make_directory: Callable[[], Path]) -> Mbsync:
    return Mbsync.over_maildir(make_directory() / "mbsync", site.folder(reader))


def usage(site: Site, person: str) -> tuple[int, int]:
    """Counted, and compared with what lies on the disk."""
    with site.store():
        root = site.mailbox(f"user/{person}").quota_root()
        assert root is not None
        found = root.usage(fresh=True)
    files = [file for file in site.folder(person).rglob("*") if file.parent.name in ("cur", "new")]
    assert (found.storage, found.messages) == (sum(file.stat().st_size for file in files), len(files))
    return found.storage, found.messages


# -- mbsync ----------------------------------------------------------------------------------------------------------


def test_mbsync_reads_every_folder_with_its_flags(site: Site, reader: str, mbsync: Mbsync) -> None:
    mbsync.sync()
    assert len(mbsync.files()) == 2
    [found] = mbsync.files(ON_DISK.replace("Lists.", "Lists/"))
    assert found.name.endswith(":2,FS")
    assert [file.name.rpartition(":2,")[2] for file in site.files(reader, ON_DISK)] == ["FSa"]


def test_flags_and_deletions_by_mbsync_are_known_here(site: Site, reader: str, mbsync: Mbsync) -> None:
    site.cli("quota", "set", f"user/{reader}", "MESSAGE", "2")
    assert [code for code, _ in site.lmtp(message(), f"{reader}@example.org")] == [452]
    mbsync.sync(site.folder(reader))
    seen, gone = mbsync.files()
    seen.rename(seen.parent.parent / "cur" / f"{seen.name}S")
    gone.unlink()
    mbsync.sync(mbsync.local / "INBOX", site.folder(reader))
    [left] = site.files(reader)
    assert left.name.endswith(":2,S")
    assert usage(site, reader)[1] == 2
    deliver(site, reader)


def test_a_folder_with_a_message_that_mbsync_has_made_is_a_mailbox(site: Site, reader: str, mbsync: Mbsync) -> None:
    for part in ("cur", "new", "tmp"):
        (mbsync.local / "New & old" / part).mkdir(parents=True)
    (mbsync.local / "New & old" / "new" / "1795340000.x").write_bytes(message().replace(b"\r\n", b"\n"))
    mbsync.sync(site.folder(reader))
    assert f"user/{reader}/New & old" in site.names(f"user/{reader}/*")


def test_what_mbsync_has_seen_is_still_known_as_a_duplicate_and_fine_for_dovecot(
    site: Site, dovecot: Dovecot, person: str, make_directory: Callable[[], Path]
) -> None:
    content = message()
    deliver(site, person, content)
    Mbsync.over_maildir(make_directory() / "mbsync", site.folder(person)).sync()
    deliver(site, person, content)
    deliver(site, person)
    with dovecot.login(person) as imap:
        assert imap.choose() == 2


def test_mbsync_reads_the_same_over_imap(
    site: Site, dovecot: Dovecot, reader: str, make_directory: Callable[[], Path]
) -> None:
    mbsync = Mbsync.over_imap(make_directory() / "mbsync", dovecot.port, reader, PASSWORD)
    mbsync.sync()
    assert len(mbsync.files()) == 2
    [found] = mbsync.files("Lists/B&APw-ro v1.0 &- co")
    assert found.name.endswith(":2,FS")


# -- neomutt ---------------------------------------------------------------------------------------------------------


def test_neomutt_counts_what_is_there_and_leaves_it_so(
    site: Site, dovecot: Dovecot, reader: str, tmp_path: Path
) -> None:
    root = site.folder(reader)
    assert neomutt(tmp_path, root, root) == (2, 2, 0)
    assert neomutt(tmp_path, root, site.folder(reader, ON_DISK)) == (1, 0, 1)
    assert neomutt(tmp_path, root, site.folder(reader, "Lists")) == (0, 0, 0)
    with dovecot.login(reader) as imap:
        assert imap.flags(f"Lists/{encode_utf7(ODD)}") == [{"\\Seen", "\\Flagged", "$Work"}]


def test_what_neomutt_moves_and_flags_is_so_here_and_over_imap(
    site: Site, dovecot: Dovecot, reader: str, tmp_path: Path
) -> None:
    root = site.folder(reader)
    site.cli("quota", "set", f"user/{reader}", "MESSAGE", "10")
    neomutt(
        tmp_path,
        root,
        root,
        "<first-entry><flag-message><first-entry><save-message>=.Lists<enter><last-entry><set-flag>r",
    )
    assert len(site.files(reader)) == 1
    assert usage(site, reader)[1] == 3
    with dovecot.login(reader) as imap:
        assert imap.flags("Lists") == [{"\\Flagged"}]
        assert imap.flags() == [{"\\Seen", "\\Answered"}]
    deliver(site, reader)
    assert neomutt(tmp_path, root, root)[0] == 2
