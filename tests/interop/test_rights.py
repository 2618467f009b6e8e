"""Rights: set on one side, enforced on the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from sievemda.policy.acl import format_rights
from tests.interop.dovecot import Dovecot, Imap
from tests.interop.imap import quoted
from tests.interop.processes import wait_until
from tests.interop.site import Site, message

MAIL = b"Subject: x\r\n\r\ny\r\n"


@pytest.fixture
def other(site: Site, new_name: Callable[[str], str]) -> str:
    """Somebody to share with."""
    name = new_name("other")
    site.make(f"user/{name}")
    return name


@pytest.fixture
def board(site: Site, new_name: Callable[[str], str]) -> str:
    """A shared folder with one message, on which nobody has any right."""
    name = new_name("board")
    site.make(name)
    site.grant(name, "anyone", "p")
    assert [code for code, _ in site.lmtp(message(), f"+{name}@example.org")] == [250]
    site.grant(name, "anyone", "")
    return name


def may(imap: Imap, folder: str) -> str:
    """The rights of RFC 4314 that hold, found by trying what each allows; `p` and `a` are no matter of these commands."""
    held = ""
    name = quoted(folder)
    if folder in imap.folders():
        held += "l"
    if imap.chosen(folder):
        held += "r"
        for right, flag in (("s", "\\Seen"), ("w", "\\Flagged"), ("t", "\\Deleted")):
            imap.store("1", "-FLAGS", flag)
            imap.store("1", "+FLAGS", flag)
            if flag.encode() in imap.fetch("1", "(FLAGS)")[1][0]:
                held += right
        imap.unselect()
    if imap.append(name, "", None, MAIL)[0] == "OK":
        held += "i"
    if imap.create(quoted(f"{folder}/made"))[0] == "OK":
        held += "k"
    if imap.setacl(name, "nobody", "l")[0] == "OK":
        held += "a"
    return held


@pytest.mark.parametrize("rights", ["", "l", "lr", "lrs", "lrw", "lrt", "li", "lrsi", "lrwts", "lk", "la", "lrswitka"])
def test_rights_on_a_board_are_what_one_may_do_over_imap(
    site: Site, dovecot: Dovecot, person: str, board: str, rights: str
) -> None:
    site.cli("acl", "set", board, person, rights or "none")
    with dovecot.login(person) as imap:
        assert sorted(may(imap, f"Shared Folders/{board}")) == sorted(rights)


@pytest.mark.parametrize(
    ("entries", "held"),
    [
        ([("anyone", "lr")], "lr"),
        ([("anyone", "lrs"), ("{me}", "i")], "lrsi"),
        ([("anyone", "lrs"), ("-{me}", "s")], "lr"),
        ([("anonymous", "lrs")], ""),
        ([("{me}", "lrsi"), ("-anyone", "i")], "lrs"),
    ],
)
def test_entries_count_together_as_here(
    site: Site, dovecot: Dovecot, person: str, board: str, entries: list[tuple[str, str]], held: str
) -> None:
    for identifier, rights in entries:
        site.grant(board, identifier.format(me=person), rights)
    with site.store() as store:
        assert format_rights(store.rights(site.mailbox(board), person)) == held
    with dovecot.login(person) as imap:
        assert sorted(may(imap, f"Shared Folders/{board}")) == sorted(held)


@pytest.mark.parametrize("rights", ["l", "lr", "lrsip", "lrswipkxtea", "p"])
def test_rights_given_over_imap_are_rights_here(
    site: Site, dovecot: Dovecot, person: str, other: str, rights: str
) -> None:
    site.make(f"user/{person}/Pub")
    with dovecot.login(person) as imap:
        assert imap.setacl("Pub", other, rights)[0] == "OK"
    with site.store() as store:
        assert store.rights(site.mailbox(f"user/{person}/Pub"), other) == set(rights)


def test_rights_taken_away_over_imap_are_gone_here(site: Site, dovecot: Dovecot, person: str, other: str) -> None:
    site.make(f"user/{person}/Pub")
    site.grant(f"user/{person}/Pub", other, "lrsp")
    with dovecot.login(person) as imap:
        imap.setacl("Pub", other, "-sp")
        assert site.mailbox(f"user/{person}/Pub").acl().get(other) == set("lr")
        imap.deleteacl("Pub", other)
    assert [name for name, _ in site.mailbox(f"user/{person}/Pub").acl().entries] == [person]


def test_a_change_of_rights_holds_in_a_session_that_is_open(
    site: Site, dovecot: Dovecot, person: str, board: str
) -> None:
    folder = f"Shared Folders/{board}"
    site.grant(board, person, "lrs")
    with dovecot.login(person) as imap:
        for rights in ("lrswi", "lr", "lrw", "lri", "lrswi", "lrs"):
            site.grant(board, person, rights)
            wait_until(partial(holds, imap, folder, rights), f"{rights} for {person}")
        assert imap.chosen(folder)
        site.grant(board, person, "lr")
        wait_until(lambda: not imap.store("1", "FLAGS", "\\Seen")[1][0], "no right to set flags")
        site.grant(board, person, "")
        wait_until(lambda: not imap.chosen(folder), "no such folder")


def holds(imap: Imap, folder: str, rights: str) -> bool:
    """Whether Dovecot says that these are the rights, and takes a message or does not accordingly."""
    told = imap.myrights(quoted(folder))[1][0].decode().rpartition(" ")[2]
    taken = imap.append(quoted(folder), "", None, MAIL)[0]
    return set(told) == set(rights) and taken == ("OK" if "i" in rights else "NO")


def test_a_script_files_into_the_folder_of_another_who_let_it_over_imap(
    site: Site, dovecot: Dovecot, person: str, other: str
) -> None:
    site.make(f"user/{person}/Pub")
    site.sieve(other, f'require "fileinto";\nfileinto "Other Users/{person}/Pub";\n')
    assert [code for code, _ in site.lmtp(message(), f"{other}@example.org")] == [250]
    with dovecot.login(person) as imap:
        imap.setacl("Pub", other, "lp")
    assert [code for code, _ in site.lmtp(message(), f"{other}@example.org")] == [250]
    with dovecot.login(other) as imap:
        assert imap.flags() == [{"$SieveFailed"}]
    with dovecot.login(person) as imap:
        assert imap.choose("Pub") == 1


def test_a_folder_made_over_imap_has_the_rights_of_the_one_above(
    site: Site, dovecot: Dovecot, person: str, other: str
) -> None:
    site.make(f"user/{person}/Pub")
    site.grant(f"user/{person}/Pub", other, "lrs")
    with dovecot.login(person) as imap:
        imap.create("Pub/sub")
    with site.store() as store:
        assert store.rights(site.mailbox(f"user/{person}/Pub/sub"), other) == set("lrs")


def test_a_board_made_over_imap_is_one_here_with_the_rights_of_the_one_above(
    site: Site, dovecot: Dovecot, person: str, board: str
) -> None:
    site.grant(board, person, "lrk")
    site.grant(board, "anyone", "p")
    with dovecot.login(person) as imap:
        imap.create(quoted(f"Shared Folders/{board}/New &- old"))
    assert [code for code, _ in site.lmtp(message(), f'"+{board}/New & old"@example.org')] == [250]
    assert len(site.files(None, f"{board}.New &- old")) == 1


def test_a_folder_made_here_has_the_rights_of_the_one_above_over_imap(
    site: Site, dovecot: Dovecot, person: str, other: str
) -> None:
    site.make(f"user/{person}/Pub")
    with dovecot.login(person) as imap:
        imap.setacl("Pub", other, "lr")
    site.make(f"user/{person}/Pub/sub")
    with dovecot.login(other) as imap:
        assert imap.myrights(quoted(f"Other Users/{person}/Pub/sub"))[1][0].endswith(b" lr")


# -- who sees the folders of whom ------------------------------------------------------------------------------------


def of_others(imap: Imap) -> list[str]:
    return [name for name in imap.folders() if name.startswith("Other Users/")]


def test_what_is_shared_here_is_listed_over_imap_until_it_is_shared_no_more(
    site: Site, dovecot: Dovecot, person: str, other: str
) -> None:
    site.make(f"user/{person}/Pub", f"user/{person}/Own")
    with dovecot.login(other) as imap:
        assert of_others(imap) == []
    site.cli("acl", "set", f"user/{person}/Pub", other, "lrs")
    with dovecot.login(other) as imap:
        assert of_others(imap) == [f"Other Users/{person}/Pub"]
    site.cli("acl", "delete", f"user/{person}/Pub", other)
    with dovecot.login(other) as imap:
        assert of_others(imap) == []


def test_what_is_shared_over_imap_stays_listed_when_something_else_is_shared_here(
    site: Site, dovecot: Dovecot, person: str, other: str, new_name: Callable[[str], str]
) -> None:
    third = new_name("third")
    site.make(f"user/{third}", f"user/{person}/a", f"user/{third}/b")
    with dovecot.login(person) as imap:
        imap.setacl("a", other, "lr")
    site.grant(f"user/{third}/b", other, "lr")
    with dovecot.login(other) as imap:
        assert of_others(imap) == [f"Other Users/{person}/a", f"Other Users/{third}/b"]


def test_a_board_that_one_may_not_look_up_is_not_there(site: Site, dovecot: Dovecot, person: str, board: str) -> None:
    with dovecot.login(person) as imap:
        _, [hidden] = imap.select(quoted(f"Shared Folders/{board}"))
        _, [missing] = imap.select(quoted("Shared Folders/none"))
    assert hidden.replace(board.encode(), b"none").partition(b" (")[0] == missing.partition(b" (")[0]
