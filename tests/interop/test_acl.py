"""That Dovecot and we enforce the same, whoever has set an ACL: random ones, asked of both for several users."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sievemda.policy.acl import Rights
from sievemda.policy.dovecot import KNOWN
from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site

OWNER = "bob"
USERS = ("ann", "abe", OWNER, "eve")
# Dovecot makes two groups of each user's name; we are told of them by a file.
GROUPS = "plugin {\n  acl_groups = head-%1u,tail-%-1.1u\n}\n"
GROUPS_FILE = "head-a:x:1:ann,abe\ntail-e:x:2:abe,eve\nhead-b:x:3:bob\n"
COUNT = 60
LETTERS = "lrswtipekxa"


@pytest.fixture(scope="module")
def place(directory: Path) -> Site:
    (directory / "groups").write_text(GROUPS_FILE)
    data = directory / "acl-site" / "data"
    settings = {"groups_file": str(directory / "groups"), "acl_shared_dict": str(data / "shared-mailboxes")}
    site = Site(directory / "acl-site", settings)
    site.make(*(f"user/{user}" for user in USERS))
    return site


@pytest.fixture(scope="module")
def server(directory: Path, place: Site, logs: dict[str, Path]) -> Iterator[Dovecot]:
    dovecot = Dovecot(directory / "dovecot-acl", place.data)
    logs["dovecot of ACLs"] = dovecot.log
    with (dovecot.directory / "dovecot.conf").open("a") as config:
        config.write(GROUPS)
    dovecot.start()
    yield dovecot
    complaints = dovecot.complaints()  # that it is stopped is one
    dovecot.stop()
    assert complaints == []


@pytest.fixture(scope="module")
def sessions(server: Dovecot) -> Iterator[dict[str, Imap]]:
    sessions = {user: server.login(user) for user in USERS}
    yield sessions
    for session in sessions.values():
        session.logout()


def there(session: Imap, user: str, folder: str) -> Rights | None:
    """The rights that Dovecot gives; None when it says that there is no such folder."""
    if not folder.startswith(("user/", "Shared")):
        folder = f"Shared Folders/{folder}"
    elif folder.startswith(f"user/{user}/"):
        folder = folder.removeprefix(f"user/{user}/")
    else:
        folder = folder.replace("user/", "Other Users/", 1)
    status, answer = session.myrights(f'"{folder}"')
    if status != "OK":
        return None
    return Rights(answer[0].decode().rpartition(" ")[2]) & KNOWN


def compare(place: Site, sessions: dict[str, Imap], folders: list[str]) -> None:
    different = []
    with place.store() as store:
        for folder in folders:
            mailbox = store.find(store.namespace.parse_admin(folder))
            assert mailbox is not None
            for user, session in sessions.items():
                ours, theirs = store.rights(mailbox, user) & KNOWN, there(session, user, folder)
                if theirs != ours and not (theirs is None and ours <= {"p"}):
                    text = (mailbox.path / "dovecot-acl").read_text()
                    different.append(
                        (folder, user, "".join(ours), theirs and "".join(theirs), str(mailbox.acl()), text)
                    )
    assert different == []


def some(chance: random.Random) -> str:
    return "".join(letter for letter in LETTERS if chance.random() < 0.4)


def test_what_is_set_here_is_enforced_there(place: Site, sessions: dict[str, Imap]) -> None:
    chance = random.Random(5)
    identifiers = ["anyone", "authenticated", *USERS, "group:head-a", "group:tail-e", "group:head-b"]
    folders = []
    with place.store() as store:
        for number in range(COUNT):
            folder = f"ours{number}" if number % 3 else f"user/{OWNER}/ours{number}"
            mailbox = store.create(store.namespace.parse_admin(folder))
            for _ in range(chance.randint(1, 5)):
                who = ("-" if chance.random() < 0.35 else "") + chance.choice(identifiers)
                mailbox.change_acl(lambda acl, who=who: acl.changed(who, chance.choice(["", "+"]) + some(chance)))
            folders.append(folder)
    compare(place, sessions, folders)


def test_what_is_set_there_counts_here(place: Site, sessions: dict[str, Imap]) -> None:
    chance = random.Random(6)
    kinds = ["anyone", "anonymous", "authenticated", "owner", *(f"user={user}" for user in USERS)]
    kinds += ["group=head-a", "group=tail-e", "group=head-b", "group-override=tail-e"]
    folders = []
    for number in range(COUNT):
        folder = f"theirs{number}" if number % 3 else f"user/{OWNER}/theirs{number}"
        place.make(folder)
        lines = []
        for _ in range(chance.randint(1, 6)):
            sign = "-" if chance.random() < 0.35 else ""
            lines.append(f"{sign}{chance.choice(kinds)} {some(chance)}".rstrip() + "\n")
        (place.mailbox(folder).path / "dovecot-acl").write_text("".join(lines))
        folders.append(folder)
    compare(place, sessions, folders)


def test_what_is_set_in_turns_is_enforced_by_both(place: Site, sessions: dict[str, Imap]) -> None:
    chance, folders = random.Random(7), []
    own = sessions[OWNER]
    for number in range(COUNT // 4):
        folder = f"user/{OWNER}/turns{number}"
        place.make(folder)
        for _ in range(3):
            who = chance.choice(["anyone", "ann", "abe", "-ann", "-eve"])
            with place.store() as store:
                mailbox = store.find(store.namespace.parse_admin(folder))
                assert mailbox is not None
                mailbox.change_acl(lambda acl, who=who: acl.changed(who, some(chance)))
            who = chance.choice(["anyone", "authenticated", "ann", "eve", "-abe"])
            own.setacl(f"turns{number}", who, chance.choice(["lrs", "+p", "-r", "lrswip"]))
        folders.append(folder)
    compare(place, sessions, folders)


def test_a_new_folder_with_the_rights_of_the_one_above_is_listed_for_others(place: Site, server: Dovecot) -> None:
    def listed() -> set[str]:
        with server.login("ann") as imap:
            return set(imap.folders())

    place.make(f"user/{OWNER}/Shared")
    place.grant(f"user/{OWNER}/Shared", "ann", "lr")
    above = f"Other Users/{OWNER}/Shared"
    assert above in listed()
    place.make(f"user/{OWNER}/Shared/New")
    assert f"{above}/New" in listed()
    with place.store() as store:
        store.rename(*map(store.namespace.parse_admin, (f"user/{OWNER}/Shared/New", f"user/{OWNER}/Shared/Newer")))
    assert f"{above}/Newer" in listed()
    assert f"{above}/New" not in listed()
