"""Dovecot and sievemda over the same Maildirs: each finds at once what the other did."""

from __future__ import annotations

import pytest

from tests.interop.dovecot import Dovecot
from tests.interop.site import Site, message

# A folder as a person names it, as IMAP spells it (RFC 3501 §5.1.3), and as it lies on disk.
NAMES = [
    ("Lists", "Lists", "Lists"),
    ("Ünï", "&ANw-n&AO8-", "&ANw-n&AO8-"),
    ("a&b", "a&-b", "a&-b"),
    ("version 1.0", "version 1.0", "version 1\\2e0"),
    ("parent/child", "parent/child", "parent.child"),
    ("x~y", "x~y", "x~y"),
    ("日本/郵便", "&ZeVnLA-/&kPVPvw-", "&ZeVnLA-.&kPVPvw-"),
]
by_name = pytest.mark.parametrize(("name", "wire", "disk"), NAMES, ids=[name for name, _, _ in NAMES])


def deliver(site: Site, content: bytes, recipient: str) -> None:
    assert [code for code, _ in site.lmtp(content, recipient)] == [250]


def test_a_delivered_message_is_read_as_it_was_sent(site: Site, dovecot: Dovecot, user: str) -> None:
    content = message("First line\n\n.dot\nlast line")

    deliver(site, content, f"{user}@example.org")

    with dovecot.login(user) as imap:
        read = imap.body()
        _, [size] = imap.fetch("1", "(RFC822.SIZE)")
    assert read.startswith(b"Return-Path: <bob@example.net>\r\nReceived: ")
    assert read.endswith(content.partition(b"\r\n\r\n")[2])
    assert f"RFC822.SIZE {len(read)})".encode() in size


def test_flags_and_keywords_of_a_script_are_seen(site: Site, dovecot: Dovecot, user: str) -> None:
    site.script(
        user,
        'require ["fileinto", "imap4flags", "mailbox"];\n'
        'fileinto :create :flags ["\\\\Seen", "\\\\Flagged", "$Work"] "Done";\n'
        'addflag "later";\nkeep;\n',
    )
    for _ in range(2):
        deliver(site, message(), f"{user}@example.org")

    with dovecot.login(user) as imap:
        assert imap.flags("Done") == [{"\\Seen", "\\Flagged", "$Work"}] * 2
        assert imap.flags("INBOX") == [{"later"}] * 2


def test_a_keyword_set_over_imap_and_one_set_by_a_script_do_not_mix(site: Site, dovecot: Dovecot, user: str) -> None:
    deliver(site, message(), f"{user}@example.org")
    with dovecot.login(user) as imap:
        imap.choose()
        imap.store("1", "+FLAGS", "(FromImap)")
    site.script(user, 'require "imap4flags";\naddflag "FromSieve";\n')

    deliver(site, message(), f"{user}@example.org")

    with dovecot.login(user) as imap:
        assert imap.flags() == [{"FromImap"}, {"FromSieve"}]


def test_a_message_whose_script_is_broken_is_marked(site: Site, dovecot: Dovecot, user: str) -> None:
    site.script(user, "keep;\n")
    (site.data / "mail" / "user" / user / "sieve" / "main.sieve").write_text("if {\n")

    deliver(site, message(), f"{user}@example.org")

    with dovecot.login(user) as imap:
        assert imap.flags() == [{"$SieveFailed"}]


@by_name
def test_a_folder_made_over_imap_is_found_by_fileinto(
    site: Site, dovecot: Dovecot, user: str, name: str, wire: str, disk: str
) -> None:
    with dovecot.login(user) as imap:
        imap.create(f'"{wire}"')
    site.script(user, f'require "fileinto";\nfileinto "{name}";\n')

    deliver(site, message(), f"{user}@example.org")

    assert len(site.files(user, disk)) == 1
    with dovecot.login(user) as imap:
        assert imap.choose(wire) == 1
        assert imap.flags(wire) == [set()]


@by_name
def test_a_folder_made_by_a_script_is_listed_and_subscribed_over_imap(
    site: Site, dovecot: Dovecot, user: str, name: str, wire: str, disk: str
) -> None:
    site.script(user, f'require ["fileinto", "mailbox"];\nfileinto :create "{name}";\n')

    deliver(site, message(), f"{user}@example.org")

    with dovecot.login(user) as imap:
        assert wire in imap.folders()
        assert imap.choose(wire) == 1
        subscribed = [line.decode() for line in imap.lsub()[1] if line]
    assert any(line.endswith((f' "/" {wire}', f' "/" "{wire}"')) for line in subscribed), subscribed


@by_name
def test_a_folder_made_over_imap_is_listed_for_the_administrator(
    site: Site, dovecot: Dovecot, user: str, name: str, wire: str, disk: str
) -> None:
    with dovecot.login(user) as imap:
        imap.create(f'"{wire}"')

    assert f"user/{user}/{name}" in site.cli("mailbox", "list", f"user/{user}/*").splitlines()


def test_a_folder_deleted_over_imap_is_gone_for_the_next_delivery(site: Site, dovecot: Dovecot, user: str) -> None:
    site.cli("mailbox", "create", f"user/{user}/Lists")
    site.cli("acl", "set", f"user/{user}/Lists", "anyone", "p")
    deliver(site, message(), f"{user}+Lists@example.org")
    with dovecot.login(user) as imap:
        imap.delete("Lists")

    deliver(site, message(), f"{user}+Lists@example.org")

    assert len(site.files(user)) == 1
    assert not site.folder(user, "Lists").exists()


def test_the_right_to_post_granted_over_imap_holds_at_the_next_delivery(
    site: Site, dovecot: Dovecot, user: str
) -> None:
    with dovecot.login(user) as imap:
        imap.create("Lists")
        imap.setacl("Lists", "anyone", "p")

    deliver(site, message(), f"{user}+Lists@example.org")

    assert len(site.files(user, "Lists")) == 1
    assert "anyone p" in site.cli("acl", "list", f"user/{user}/Lists").splitlines()


def test_rights_given_on_the_command_line_hold_over_imap(site: Site, dovecot: Dovecot, user: str, new_name) -> None:
    board = new_name("board")
    site.cli("mailbox", "create", board)
    site.cli("acl", "set", board, "anyone", "p")
    with dovecot.login(user) as imap:
        assert f"Shared Folders/{board}" not in imap.folders()

    site.cli("acl", "set", board, user, "lrs")

    with dovecot.login(user) as imap:
        assert f"Shared Folders/{board}" in imap.folders()
        [answer] = imap.myrights(f'"Shared Folders/{board}"')[1]
        assert {"l", "r", "s"} <= set(answer.decode().split()[-1])


def test_the_owner_has_his_rights_over_imap_after_any_change_of_the_acl(
    site: Site, dovecot: Dovecot, user: str
) -> None:
    folder = f"user/{user}/Lists"
    site.cli("mailbox", "create", folder)
    for identifier, rights in [
        ("anyone", "p"),
        ("anonymous", "p"),
        ("-fred", "lrsn"),
        ("carol", "lrs5n"),
        ("fred", "lrs"),
    ]:
        site.cli("acl", "set", folder, identifier, rights)
    site.cli("acl", "delete", folder, "fred")

    with dovecot.login(user) as imap:
        [answer] = imap.myrights("Lists")[1]
        assert set("lrswipkxtea") <= set(answer.decode().split()[-1])


def test_expunging_over_imap_makes_room_under_the_quota(site: Site, dovecot: Dovecot, user: str) -> None:
    site.cli("quota", "set", f"user/{user}", "MESSAGE", "1")
    for _ in range(2):
        deliver(site, message(), f"{user}@example.org")
    assert [code for code, _ in site.lmtp(message(), f"{user}@example.org")] == [452]

    with dovecot.login(user) as imap:
        imap.choose()
        imap.store("1:2", "+FLAGS", "\\Deleted")
        imap.expunge()

    deliver(site, message(), f"{user}@example.org")


def test_a_message_appended_over_imap_counts_for_the_quota(site: Site, dovecot: Dovecot, user: str) -> None:
    site.cli("quota", "set", f"user/{user}", "STORAGE", "1")
    with dovecot.login(user) as imap:
        imap.append("INBOX", "", None, b"Subject: big\r\n\r\n" + b"x" * 900 + b"\r\n")
        imap.create("Archive")
    deliver(site, message("y" * 500), f"{user}@example.org")

    assert [code for code, _ in site.lmtp(message(), f"{user}@example.org")] == [452]


def test_limit_and_usage_are_the_same_over_imap(site: Site, dovecot: Dovecot, user: str) -> None:
    site.cli("quota", "set", f"user/{user}", "STORAGE", "100", "MESSAGE", "7")
    deliver(site, message("z" * 3000), f"{user}@example.org")

    with dovecot.login(user) as imap:
        [answer] = imap.ask("GETQUOTAROOT", "INBOX", answer="QUOTA")

    assert answer.endswith(b"(STORAGE 4 100 MESSAGE 1 7)"), answer


def test_a_message_read_and_moved_over_imap_is_still_known_as_a_duplicate(
    site: Site, dovecot: Dovecot, user: str
) -> None:
    content = message()
    deliver(site, content, f"{user}@example.org")
    with dovecot.login(user) as imap:
        imap.create("Old")
        imap.choose()
        imap.ask("MOVE", "1", "Old")

    deliver(site, content, f"{user}@example.org")

    assert site.files(user) == []
    assert len(site.files(user, "Old")) == 1
