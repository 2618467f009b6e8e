"""What is subscribed to, and who has read what: made on either side, seen on the other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sievemda.store.spelling import encode_utf7
from tests.interop.dovecot import Dovecot
from tests.interop.imap import quoted
from tests.interop.site import Site, message


@pytest.fixture
def board(site: Site, new_name: Callable[[str], str]) -> str:
    """A shared folder that everybody may read, with one message, and one below it whose name is hard to spell."""
    name = new_name("board")
    for each in (name, f"{name}/Grüße & a.b"):
        site.make(each)
        site.grant(each, "anyone", "lrsp")
    assert [code for code, _ in site.lmtp(message(), f"+{name}@example.org")] == [250]
    return name


@pytest.fixture
def other(site: Site, new_name: Callable[[str], str], person: str) -> str:
    """Somebody who shows two folders and his INBOX to the person."""
    name = new_name("other")
    for each in (f"user/{name}", f"user/{name}/Lists", f"user/{name}/Lists/x.y"):
        site.make(each)
        site.grant(each, person, "lrs")
    return name


def names(board: str, other: str, person: str) -> dict[str, str]:
    """Names over IMAP, by those of administrators."""
    return {
        board: f"Shared Folders/{board}",
        f"{board}/Grüße & a.b": f"Shared Folders/{board}/Grüße & a.b",
        f"user/{other}": f"Other Users/{other}",
        f"user/{other}/Lists": f"Other Users/{other}/Lists",
        f"user/{other}/Lists/x.y": f"Other Users/{other}/Lists/x.y",
        f"user/{person}/mine": "mine",
    }


def test_a_subscription_over_imap_is_one_here(site: Site, dovecot: Dovecot, person: str, board: str, other: str):
    known = names(board, other, person)
    with dovecot.login(person) as imap:
        imap.create("mine")
        for shown in known.values():
            assert imap.subscribe(quoted(encode_utf7(shown)))[0] == "OK"
        assert set(site.cli("mailbox", "subscriptions", person).splitlines()) == {f"user/{person}", *known}
        site.cli("mailbox", "unsubscribe", person, *known)
        assert site.cli("mailbox", "subscriptions", person) == f"user/{person}\n"
        assert subscribed(imap) == {"INBOX"}


def test_a_subscription_here_is_one_over_imap_and_can_be_ended_there(
    site: Site, dovecot: Dovecot, person: str, board: str, other: str
):
    known = names(board, other, person)
    with dovecot.login(person) as imap:
        imap.create("mine")
        site.cli("mailbox", "subscribe", person, *known)
        assert subscribed(imap) == {"INBOX", *(encode_utf7(shown) for shown in known.values())}
        for shown in known.values():
            assert imap.unsubscribe(quoted(encode_utf7(shown)))[0] == "OK"
        assert site.cli("mailbox", "subscriptions", person) == f"user/{person}\n"


def subscribed(imap) -> set[str]:
    return {name for _, name in imap.listed('(SUBSCRIBED) "" "*"')}


def test_who_has_read_a_board_or_the_folders_of_another(
    site: Site, dovecot: Dovecot, person: str, board: str, other: str
):
    site.grant(f"user/{other}", "anyone", "p")
    assert [code for code, _ in site.lmtp(message(to=f"{other}@example.org"), f"{other}@example.org")] == [250]
    with dovecot.login(person) as imap:
        for shown in (f"Shared Folders/{board}", f"Other Users/{other}"):
            assert imap.choose(shown) == 1
            imap.store("1", "+FLAGS", "\\Seen")
            imap.unselect()
    for name in (board, f"user/{other}"):
        (shared,) = json.loads(site.cli("readership", "--json", name))
        assert [reader["user"] for reader in shared["readers"]] == [person]


def test_messages_have_the_uids_and_flags_of_imap(site: Site, dovecot: Dovecot, person: str):
    address = f"{person}@example.org"
    for _ in range(3):
        assert [code for code, _ in site.lmtp(message(to=address), address)] == [250]
    with dovecot.login(person) as imap:
        assert imap.choose() == 3
        imap.store("2", "+FLAGS", "(\\Flagged $Work)")
        imap.uid("EXPUNGE", "1:*")
        numbers = imap.uid("SEARCH", "ALL")[1][0].split()
    found = json.loads(site.cli("mailbox", "info", f"user/{person}", "--messages", "--json"))
    assert [row["uid"] for row in found] == [int(number) for number in numbers]
    assert [sorted(row["flags"]) for row in found] == [[], ["$Work", "\\Flagged"], []]
