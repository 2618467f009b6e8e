"""Folders: the same names on both sides, and what one side does to them the other sees at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sievemda.store.subscriptions import subscribed
from tests.interop.dovecot import Dovecot, Imap
from tests.interop.imap import quoted
from tests.interop.site import Site, message

# A name as people and administrators write it, and as IMAP spells it (RFC 3501 §5.1.3).
PLAIN = [
    "Lists", "version 1.0", "parent/child", "x~y", "7up", "two  spaces", "C++ [old]", "it's (fine)", "INBOX/below",
    "Inboxed", "a:b", "#news", "$ales", "-dash", "a=b", "who@example.org", "a,b", "a+b", "a..b", "trailing-", "x.y/z.w",
    "l" + "o" * 200 + "ng",
]  # fmt: skip
SPELLED = [
    ("a&b", "a&-b"),
    ("&ZeVnLA is no Japanese", "&-ZeVnLA is no Japanese"),
    ("Entwürfe", "Entw&APw-rfe"),
    ("Büro & Co/Übersicht v1.0", "B&APw-ro &- Co/&ANw-bersicht v1.0"),
    ("日本/郵便", "&ZeVnLA-/&kPVPvw-"),
    ("emoji 😀", "emoji &2D3eAA-"),
    ("café", "caf&AOk-"),
    ("cafe\u0301", "cafe&AwE-"),
]
# What only an IMAP client may make; whoever has such a folder gets his mail in it all the same.
ODD = ["~home", "~", "a\\b", "a%b", "a*b", 'say "hi"', ".hidden", "trailing.", "a;b", "{x}", "x^y", "a|b", "<x>", "a?b"]
NAMES = [(name, name) for name in PLAIN] + SPELLED
by_name = pytest.mark.parametrize(("name", "wire"), NAMES, ids=[name[:30] for name, _ in NAMES])
by_any_name = pytest.mark.parametrize(
    ("name", "wire"), NAMES + [(name, name) for name in ODD], ids=[name[:30] for name in [n for n, _ in NAMES] + ODD]
)


def deliver(site: Site, recipient: str, content: bytes = b"") -> None:
    assert [code for code, _ in site.lmtp(content or message(), recipient)] == [250]


@by_any_name
def test_a_folder_made_over_imap_has_its_name_here(
    site: Site, dovecot: Dovecot, person: str, name: str, wire: str
) -> None:
    with dovecot.login(person) as imap:
        assert imap.create(quoted(wire))[0] == "OK"
    assert f"user/{person}/{name}" in site.names(f"user/{person}/*")
    with site.store() as store:
        assert store.find_for(name, person) is not None


@by_name
def test_a_folder_made_here_has_its_name_over_imap(
    site: Site, dovecot: Dovecot, person: str, name: str, wire: str
) -> None:
    site.make(f"user/{person}/{name}")
    with dovecot.login(person) as imap:
        assert wire in imap.folders()
        assert imap.chosen(wire)


def test_a_folder_renamed_over_imap_takes_mail_under_its_new_name_only(
    site: Site, dovecot: Dovecot, person: str
) -> None:
    site.make(f"user/{person}/Work/2026/June")
    site.grant(f"user/{person}/Work/2026/June", "anyone", "p")
    identity = site.mailbox(f"user/{person}/Work/2026/June").id
    with dovecot.login(person) as imap:
        imap.rename("Work", "Töpfe".encode("utf-7").decode().replace("+", "&"))
    assert site.mailbox(f"user/{person}/Töpfe/2026/June").id == identity
    deliver(site, f"{person}+Work/2026/June@example.org")
    assert len(site.files(person)) == 1
    deliver(site, f'"{person}+T&APY-pfe/2026/June"@example.org')
    assert len(site.files(person, "T&APY-pfe.2026.June")) == 1


def test_a_parent_without_a_folder_of_its_own_is_renamed_here_too(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/a", f"user/{person}/a/b", f"user/{person}/a/b/c")
    site.cli("mailbox", "rename", f"user/{person}/a", f"user/{person}/ä.1")
    with dovecot.login(person) as imap:
        assert [name for name in imap.folders() if name != "INBOX"] == ["&AOQ-.1", "&AOQ-.1/b", "&AOQ-.1/b/c"]
        assert all(imap.chosen(name) for name in imap.folders())


def test_a_folder_deleted_here_is_gone_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/Lists")
    with dovecot.login(person) as imap:
        assert imap.chosen("Lists")
        imap.close()
        site.cli("mailbox", "delete", "--yes", f"user/{person}/Lists")
        assert "Lists" not in imap.folders()
        assert not imap.chosen("Lists")
        assert imap.lsub()[1] == [b'() "/" INBOX']


def test_a_folder_deleted_and_made_again_over_imap_is_another_one(site: Site, dovecot: Dovecot, person: str) -> None:
    """And so forgets which messages it had: duplicates count per mailbox, not per name."""
    site.make(f"user/{person}/Lists")
    site.grant(f"user/{person}/Lists", "anyone", "p")
    content = message()
    deliver(site, f"{person}+Lists@example.org", content)
    with dovecot.login(person) as imap:
        imap.delete("Lists")
        imap.create("Lists")
        imap.setacl("Lists", "anyone", "p")
    deliver(site, f"{person}+Lists@example.org", content)
    assert len(site.files(person, "Lists")) == 1


def test_no_message_is_lost_while_its_folder_is_renamed(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/Lists")
    site.grant(f"user/{person}/Lists", "anyone", "p")
    delivering = threading.Thread(target=lambda: [deliver(site, f"{person}+Lists@example.org") for _ in range(40)])
    with dovecot.login(person) as imap:
        delivering.start()
        while delivering.is_alive():
            for old, new in [("Lists", "Other"), ("Other", "Lists")]:
                assert imap.rename(old, new)[0] == "OK"
        delivering.join()
        assert sum(imap.choose(folder) for folder in ("INBOX", "Lists")) == 40


@pytest.fixture
def partition(site: Site) -> Iterator[Path]:
    """Of those mailboxes that are made with `partition="two"`."""
    path = site.directory / "two"
    site.settings["partition-two"] = str(path)
    yield path
    del site.settings["partition-two"]


def test_a_folder_on_another_partition_is_renamed_over_imap(
    site: Site, dovecot: Dovecot, person: str, partition: Path
) -> None:
    site.make(f"user/{person}/Big", f"user/{person}/Big/sub", partition="two")
    with dovecot.login(person) as imap:
        imap.append("Big", "", None, b"Subject: x\r\n\r\ny\r\n")
        imap.rename("Big", "Huge")
        assert imap.choose("Huge") == 1
    assert site.mailbox(f"user/{person}/Huge").partition == "two"
    assert site.mailbox(f"user/{person}/Huge/sub").partition == "two"


def test_a_folder_on_another_partition_that_was_deleted_over_imap_can_be_made_again(
    site: Site, dovecot: Dovecot, person: str, partition: Path
) -> None:
    site.make(f"user/{person}/Big", partition="two")
    with dovecot.login(person) as imap:
        imap.append("Big", "", None, b"Subject: x\r\n\r\ny\r\n")
        imap.delete("Big")
        site.make(f"user/{person}/Big", partition="two")
        assert imap.choose("Big") == 0
        imap.unselect()
        imap.rename("Big", "Bigger")
        site.make(f"user/{person}/Big", partition="two")
        imap.append("Bigger", "", None, b"Subject: x\r\n\r\ny\r\n")
        assert (imap.choose("Big"), imap.choose("Bigger")) == (0, 1)


def test_a_home_that_dovecot_makes_for_a_user_on_another_partition_takes_none_of_his_mail(
    site: Site, dovecot: Dovecot, new_name: Callable[[str], str], partition: Path
) -> None:
    away = new_name("away")
    site.make(f"user/{away}", partition="two")
    with dovecot.login(away) as imap:
        assert imap.choose() == 0  # he has no link
    assert site.folder(away).is_dir()
    with site.store() as store:
        found = store.find(store.namespace.parse_admin(f"user/{away}"))
        assert found is not None
        assert found.partition == "two"


def test_a_user_on_another_partition_is_read_through_a_link(
    site: Site, dovecot: Dovecot, new_name: Callable[[str], str], partition: Path
) -> None:
    away = new_name("away")
    site.make(f"user/{away}", f"user/{away}/Lists", partition="two")
    (site.data / "mail" / "user" / away).symlink_to(partition / "user" / away)
    with dovecot.login(away) as imap:
        assert imap.folders() == ["INBOX", "Lists"]
        imap.create("Made")
    assert site.names(f"user/{away}*") == [f"user/{away}", f"user/{away}/Lists", f"user/{away}/Made"]
    assert site.mailbox(f"user/{away}/Made").partition == "two"


def test_a_board_on_another_partition_stands_among_the_shared_folders(
    site: Site, dovecot: Dovecot, person: str, new_name: Callable[[str], str], partition: Path
) -> None:
    board = new_name("board")
    site.make(board, f"{board}/sub", partition="two")
    with dovecot.login(person) as imap:
        assert imap.chosen(f"Shared Folders/{board}")
        assert imap.chosen(f"Shared Folders/{board}/sub")


# -- subscriptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "wire"), [("a/b.c", "a/b.c"), ("Ünï & so", "&ANw-n&AO8- &- so")])
def test_subscriptions_are_one_list(site: Site, dovecot: Dovecot, person: str, name: str, wire: str) -> None:
    with dovecot.login(person) as imap:
        imap.create(quoted(wire))
        imap.subscribe(quoted(wire))
        over_imap = subscribed(site.folder(person))
        imap.delete(quoted(wire))
        imap.unsubscribe(quoted(wire))
        site.make(f"user/{person}/{name}")
        assert subscribed(site.folder(person)) == over_imap
        assert wire in lsub(imap)


def test_a_subscription_follows_a_folder_renamed_here(site: Site, dovecot: Dovecot, person: str) -> None:
    site.make(f"user/{person}/a", f"user/{person}/a/b")
    site.cli("mailbox", "rename", f"user/{person}/a", f"user/{person}/c.d")
    with dovecot.login(person) as imap:
        assert lsub(imap) == ["INBOX", "c.d", "c.d/b"]


def lsub(imap: Imap) -> list[str]:
    return sorted(name for attributes, name in imap.listed('(SUBSCRIBED) "" "*"') if "\\Subscribed" in attributes)


# -- special use -----------------------------------------------------------------------------------------------------


def test_a_folder_with_a_special_use_has_it_over_imap(site: Site, dovecot: Dovecot, person: str) -> None:
    for name in ("Archive", "Drafts", "Junk", "Sent", "Trash"):
        site.make(f"user/{person}/{name}", special_use=f"\\{name}")
    with dovecot.login(person) as imap:
        uses = {name: attributes for attributes, name in imap.listed('(SPECIAL-USE) "" "*"')}
    assert all(f"\\{name}" in attributes for name, attributes in uses.items())
    assert sorted(uses) == ["Archive", "Drafts", "Junk", "Sent", "Trash"]


# -- the separator `.`, domains, hashed directories -------------------------------------------------------------------


@pytest.fixture
def dotted(dotted_site: Site, new_name: Callable[[str], str]) -> Callable[[str], str]:
    """Makes a user of example.org whose name begins as told; his user id."""

    def make(start: str) -> str:
        local = new_name(start)
        dotted_site.make(f"user.{local}@example.org")
        return f"{local}@example.org"

    return make


@pytest.mark.parametrize("start", ["alice", "Zoe", "9bob", "_x"])
def test_a_user_of_a_domain_reads_what_came_for_him(
    dotted_site: Site, dotted_dovecot: Dovecot, dotted: Callable[[str], str], start: str
) -> None:
    userid = dotted(start)
    deliver(dotted_site, userid)
    with dotted_dovecot.login(userid) as imap:
        assert imap.choose() == 1
    with dotted_dovecot.login(userid.upper()) as imap:
        assert imap.choose() == 1


@pytest.mark.parametrize(
    ("name", "wire"), [("Lists.x", "Lists.x"), ("a&b", "a&-b"), ("Ünï", "&ANw-n&AO8-"), ("a b", "a b")]
)
def test_names_are_the_same_with_the_separator_dot(
    dotted_site: Site, dotted_dovecot: Dovecot, dotted: Callable[[str], str], name: str, wire: str
) -> None:
    here, there = dotted("h"), dotted("t")
    local = there.partition("@")[0]
    dotted_site.make(f"user.{here.partition('@')[0]}.{name}@example.org")
    with dotted_dovecot.login(here) as imap:
        assert imap.chosen(f"INBOX.{wire}")
    with dotted_dovecot.login(there) as imap:
        assert imap.create(quoted(f"INBOX.{wire}"))[0] == "OK"
    assert f"user.{local}.{name}@example.org" in dotted_site.names("*")


def test_a_folder_with_a_dot_in_its_name_can_be_opened_with_the_separator_dot(
    dotted_site: Site, dotted_dovecot: Dovecot, dotted: Callable[[str], str]
) -> None:
    here, there = dotted("h"), dotted("t")
    made = f"user.{here.partition('@')[0]}.a^b"
    dotted_site.make(f"{made}@example.org")
    dotted_site.grant(f"{made}@example.org", "anyone", "p")
    deliver(dotted_site, here.replace("@", "+a^b@"))
    with dotted_dovecot.login(here) as imap:
        assert imap.folders() == ["INBOX", r"INBOX.a\2eb"]
        assert imap.chosen(r"INBOX.a\2eb")
        assert len(imap.search(None, "ALL")[1][0].split()) == 1
    with dotted_dovecot.login(there) as imap:
        imap.create("INBOX.a^b")
        imap.setacl("INBOX.a^b", "anyone", "p")
        deliver(dotted_site, there.replace("@", "+a^b@"))
        assert imap.choose("INBOX.a^b") == 1


def test_shared_folders_and_those_of_others_stand_where_they_do_in_cyrus(
    dotted_site: Site, dotted_dovecot: Dovecot, dotted: Callable[[str], str], new_name: Callable[[str], str]
) -> None:
    alice, bob, board = dotted("alice"), dotted("bob"), new_name("board")
    dotted_site.make(f"{board}@example.org", f"{board}.sub@example.org")
    local = bob.partition("@")[0]
    dotted_site.make(f"user.{local}.Pub@example.org")
    dotted_site.grant(f"user.{local}.Pub@example.org", alice, "lrs")
    with dotted_dovecot.login(alice) as imap:
        folders = imap.folders()
        assert {"INBOX", board, f"{board}.sub", f"user.{local}.Pub"} <= set(folders)
        assert all(imap.chosen(name) for name in folders)
