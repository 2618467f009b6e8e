"""Quota: limits and usage are the same on both sides, whoever changes them and whatever happens to the mail."""

from __future__ import annotations

import re

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message

MAIL = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 300


def limits(imap: Imap, folder: str = "INBOX") -> dict[str, tuple[int, int]]:
    """Usage and limit by resource. RFC 2087."""
    answers = imap.ask("GETQUOTAROOT", folder, answer="QUOTA")
    text = b" ".join(answer for answer in answers if answer).decode()
    return {name: (int(used), int(limit)) for name, used, limit in re.findall(r"([A-Z]+) (\d+) (\d+)", text)}


def usage(site: Site, person: str) -> tuple[int, int]:
    """What we take for the usage: octets, messages."""
    with site.store() as store:
        root = store.find(store.namespace.parse_admin(f"user/{person}")).quota_root()
        found = root.usage()
        return found.storage, found.messages


def on_disk(site: Site, person: str) -> tuple[int, int]:
    files = [file for file in site.folder(person).rglob("*") if file.parent.name in ("cur", "new")]
    return sum(file.stat().st_size for file in files), len(files)


def agreed(site: Site, person: str, imap: Imap) -> bool:
    """Whether both sides say what is there."""
    size, count = on_disk(site, person)
    told = limits(imap)
    return (
        usage(site, person) == (size, count) and told["STORAGE"][0] == -(-size // 1024) and told["MESSAGE"][0] == count
    )


def test_usage_is_the_same_after_whatever_happens_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/Old", f"user/{person}/Old/sub")
    site.cli("quota", "set", f"user/{person}", "STORAGE", "1000", "MESSAGE", "100")
    with dovecot.login(person) as imap:
        assert limits(imap) == {"STORAGE": (0, 1000), "MESSAGE": (0, 100)}
        for _ in range(3):
            imap.append("INBOX", "", None, MAIL)
            assert agreed(site, person, imap)
            assert [code for code, _ in site.lmtp(message("y" * 3000), f"{person}@example.org")] == [250]
            assert agreed(site, person, imap)
        imap.choose()
        imap.copy("1:4", "Old/sub")
        assert agreed(site, person, imap)
        imap.ask("MOVE", "1:2", "Old")
        assert agreed(site, person, imap)
        imap.store("1:2", "+FLAGS", "\\Deleted")
        imap.expunge()
        assert agreed(site, person, imap)
        imap.unselect()
        imap.rename("Old", "Older")
        assert agreed(site, person, imap)
        imap.delete("Older/sub")
        assert agreed(site, person, imap)
        imap.delete("Older")
        assert agreed(site, person, imap)
        assert usage(site, person)[1] == 2


def test_a_limit_that_is_set_here_refuses_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    with dovecot.login(person) as imap:
        assert imap.append("INBOX", "", None, MAIL)[0] == "OK"
    site.cli("quota", "set", f"user/{person}", "STORAGE", "5")
    with dovecot.login(person) as imap:
        status, [text] = imap.append("INBOX", "", None, MAIL)
        assert (status, text[:11]) == ("NO", b"[OVERQUOTA]")
        site.cli("quota", "set", f"user/{person}", "STORAGE", "50")
    with dovecot.login(person) as imap:
        assert imap.append("INBOX", "", None, MAIL)[0] == "OK"


def test_a_limit_that_is_lifted_here_is_lifted_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    site.cli("quota", "set", f"user/{person}", "MESSAGE", "1")
    site.cli("quota", "set", f"user/{person}")
    with dovecot.login(person) as imap:
        assert [imap.append("INBOX", "", None, MAIL)[0] for _ in range(2)] == ["OK", "OK"]
        assert limits(imap) == {}


def test_a_limit_that_is_lifted_here_is_not_set_again_by_a_session_that_was_open(
    site: Site, dovecot: Dovecot, person: str
) -> None:
    with dovecot.login(person) as imap:
        site.cli("quota", "set", f"user/{person}", "STORAGE", "100", "MESSAGE", "1")
        assert [imap.append("INBOX", "", None, MAIL)[0] for _ in range(2)] == ["OK", "NO"]
        site.cli("quota", "set", f"user/{person}")
        assert [imap.append("INBOX", "", None, MAIL)[0] for _ in range(2)] == ["OK", "OK"]
        assert limits(imap) == {}
        assert [code for code, _ in site.lmtp(message(), f"{person}@example.org")] == [250]
        assert usage(site, person) == on_disk(site, person)
        site.cli("quota", "set", f"user/{person}", "MESSAGE", "5")
        assert [imap.append("INBOX", "", None, MAIL)[0] for _ in range(2)] == ["OK", "NO"]
        assert usage(site, person) == on_disk(site, person)


def test_a_limit_of_dovecots_configuration_holds_here(site: Site, dovecot: Dovecot, person: str) -> None:
    site.cli("quota", "set", f"user/{person}", "STORAGE", "5")
    dovecot.doveadm("quota", "recalc", "-u", person, setting="plugin/quota_rule=*:storage=7M:messages=1")
    with site.store() as store:
        limits = store.quota_root(store.namespace.parse_admin(f"user/{person}")).limits()
    assert (limits.storage, limits.messages) == (7 * 1024 * 1024, 1)
    codes = [site.lmtp(message(), f"{person}@example.org")[0][0] for _ in range(3)]
    assert codes == [250, 250, 452]


def test_the_count_of_messages_is_a_limit_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    site.cli("quota", "set", f"user/{person}", "MESSAGE", "2")
    with dovecot.login(person) as imap:
        assert [imap.append("INBOX", "", None, MAIL)[0] for _ in range(3)] == ["OK", "OK", "NO"]


def test_a_storage_limit_of_zero_holds_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    site.cli("quota", "set", f"user/{person}", "STORAGE", "0")
    with dovecot.login(person) as imap:
        assert imap.append("INBOX", "", None, MAIL)[0] == "NO"
    assert [code for code, _ in site.lmtp(message(), f"{person}@example.org")] == [250]
    assert [code for code, _ in site.lmtp(message(), f"{person}@example.org")] == [452]


def test_what_comes_and_goes_over_imap_counts_for_the_root_that_a_folder_is(
    site: Site, dovecot: Dovecot, person: str
) -> None:
    """Dovecot counts at a user's root alone. Here both count at once."""
    site.make(f"user/{person}/Lists")
    site.grant(f"user/{person}/Lists", "anyone", "p")
    site.cli("quota", "set", f"user/{person}/Lists", "MESSAGE", "1")
    with dovecot.login(person) as imap:
        imap.append("Lists", "", None, MAIL)
        imap.append("Lists", "", None, MAIL)
        assert [code for code, _ in site.lmtp(message(), f"{person}+Lists@example.org")] == [250]
        assert imap.choose() == 1  # there was no room in the folder
        imap.choose("Lists")
        imap.store("1:2", "+FLAGS", "\\Deleted")
        imap.expunge()
        assert [code for code, _ in site.lmtp(message(), f"{person}+Lists@example.org")] == [250]
        assert imap.choose("Lists") == 1
