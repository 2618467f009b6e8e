"""Many sessions that upload and activate scripts for the same users at once, over all workers, while mail is delivered.

Every upload that was acknowledged is a version, and whatever a delivery ran was one of the texts that were uploaded,
whole. `SIEVEMDA_STORM=full` runs it with 200 sessions for 50 users.
"""

from __future__ import annotations

import base64
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count, pairwise
from pathlib import Path

import pytest

from sievemda.auth.passwords import credentials_for
from sievemda.scripts.keeper import Keeper
from sievemda.scripts.opening import keeper_of, open_versions
from sievemda.state.credentials import Credentials
from sievemda.state.journal import Journal
from sievemda.state.versions import Actor
from tests.interop.processes import answers, wait_until
from tests.interop.site import Site, message, message_id

SESSIONS, USERS, UPLOADS = (200, 50, 5) if os.environ.get("SIEVEMDA_STORM") == "full" else (24, 6, 4)
NAMES = ("main", "webmail")
PASSWORD = "secret"


@pytest.fixture(scope="module")
def storm_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    directory = make_directory()
    site = Site(directory / "site", {"lmtp_max_connections": "300"}, workers=2)
    logs["sievemda"] = site.log
    site.make(*(f"user/u{number}" for number in range(USERS)))
    credentials, kept = Credentials(site.data / "state" / "accounts.db"), credentials_for(PASSWORD)
    for number in range(USERS):
        credentials.replace(f"u{number}", kept)
    site.start()
    yield site
    site.stop()


@dataclass
class Told:
    """What the server has acknowledged, by user."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    puts: dict[str, list[str]] = field(default_factory=dict)  # digests
    refused: list[bytes] = field(default_factory=list)
    renamed: dict[str, int] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class Session:
    """A client with a script of its own for each upload."""

    def __init__(self, site: Site, user: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.managesieve_port), 120)
        self.file = self.socket.makefile("rb")
        self.user = user
        assert self._answer() == b"OK"
        login = base64.b64encode(f"\0{user}\0{PASSWORD}".encode())
        assert self.say(b'AUTHENTICATE "PLAIN" "%s"' % login) == b"OK"

    def say(self, command: bytes) -> bytes:
        self.socket.sendall(command + b"\r\n")
        return self._answer()

    def _answer(self) -> bytes:
        while True:
            line = self.file.readline()
            assert line, "the server has closed"
            if line.startswith((b"OK", b"NO", b"BYE")):
                return line.rstrip(b"\r\n")

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def text_of(who: int, number: int) -> bytes:
    """A script that is long enough to be seen half-written, and does not compile then."""
    filling = b"# nothing to see\r\n" * 1000
    return b'require ["fileinto", "mailbox"];\r\nif true {\r\n%s# %d of %d\r\nfileinto :create "F";\r\n}\r\n' % (
        filling, number, who,
    )  # fmt: skip


def upload(site: Site, who: int, begin: threading.Barrier, told: Told) -> None:
    chance, user = random.Random(who), f"u{who % USERS}"
    session = Session(site, user)
    begin.wait(120)
    for number in range(UPLOADS):
        text, name = text_of(who, number), chance.choice(NAMES)
        if chance.random() < 0.3:
            session.say(b'GETSCRIPT "%s"' % name.encode())
        answers = [session.say(b'PUTSCRIPT "%s" {%d+}\r\n%s' % (name.encode(), len(text), text))]
        if answers[0].startswith(b"OK"):
            with told.lock:
                told.puts.setdefault(user, []).append(sha256(text).hexdigest())
        answers.append(session.say(b'SETACTIVE "%s"' % name.encode()))
        with told.lock:
            told.refused += [answer for answer in answers if not answer.startswith(b"OK")]
    session.close()


def deliver(site: Site, who: int, told: Told) -> list[tuple[str, bytes]]:
    sent, number = [], who
    while not told.done.is_set():
        user, number = f"u{number % USERS}", number + 1
        content = message(to=f"{user}@example.org")
        assert site.lmtp(content, f"{user}@example.org")[0][0] == 250
        sent.append((user, content))
    return sent


def keeper(site: Site, user: str) -> Keeper:
    with site.store() as store:
        return keeper_of(store.settings, store, open_versions(store.settings), user, Actor())


@pytest.fixture(scope="module")
def storm(storm_site: Site) -> tuple[Told, list[tuple[str, bytes]]]:
    told, begin = Told(), threading.Barrier(SESSIONS)
    with ThreadPoolExecutor(SESSIONS + 2) as pool:
        deliveries = [pool.submit(deliver, storm_site, who, told) for who in (0, USERS // 2)]
        try:
            sessions = [pool.submit(upload, storm_site, who, begin, told) for who in range(SESSIONS)]
            for session in sessions:
                session.result()
        finally:
            told.done.set()
        return told, [each for delivery in deliveries for each in delivery.result()]


def test_no_upload_and_no_activation_is_refused(storm: tuple[Told, list[tuple[str, bytes]]]) -> None:
    told, _ = storm
    assert told.refused == []
    assert sum(map(len, told.puts.values())) == SESSIONS * UPLOADS


def test_every_acknowledged_upload_is_a_version(storm_site: Site, storm: tuple[Told, list[tuple[str, bytes]]]) -> None:
    told, _ = storm
    for user, digests in told.puts.items():
        puts = [version for version in keeper(storm_site, user).history() if version.action == "put"]
        assert sorted(version.digest for version in puts) == sorted(digests), user
        assert {(version.status, version.via, version.actor) for version in puts} == {("done", "managesieve", user)}


def test_versions_are_one_row_without_gaps_in_which_nothing_is_overwritten_unseen(
    storm_site: Site, storm: tuple[Told, list[tuple[str, bytes]]]
) -> None:
    for user in storm[0].puts:
        scripts = keeper(storm_site, user)
        found = scripts.history()
        assert [version.number for version in found] == list(range(1, len(found) + 1))
        for name in NAMES:
            puts = [version for version in found if version.action == "put" and version.script == name]
            assert all(later.before == earlier.digest for earlier, later in pairwise(puts))
            if puts:
                assert sha256(scripts.store.get(name)).hexdigest() == puts[-1].digest
        assert scripts.store.state().active == found[-1].active


def test_deliveries_saw_whole_scripts_alone(storm_site: Site, storm: tuple[Told, list[tuple[str, bytes]]]) -> None:
    told, sent = storm
    journal = Journal(storm_site.data / "state" / "journal.db", only_read=True)
    ran = 0
    for user, content in sent:
        (entry,) = journal.find(message_id(content))
        assert entry["failure"] == "", user
        if entry["script"] is not None:
            assert entry["script"]["sha256"] in told.puts[user]
            ran += 1
    journal.close()
    assert ran > 0
    assert not any("SieveFailed" in (path / "dovecot-keywords").read_text() for path in folders(storm_site))


def folders(site: Site) -> list[Path]:
    found = [site.folder(f"u{number}") for number in range(USERS)]
    return [path for path in found if (path / "dovecot-keywords").exists()]


def test_of_many_who_rename_a_script_at_once_one_wins(storm_site: Site, storm: object) -> None:
    number, begin = min(SESSIONS, 24), threading.Barrier(min(SESSIONS, 24))
    owner = Session(storm_site, "u0")
    assert owner.say(b'PUTSCRIPT "contested" "keep;"').startswith(b"OK")

    def rename(who: int) -> bytes:
        session = Session(storm_site, "u0")
        begin.wait(120)
        answer = session.say(b'RENAMESCRIPT "contested" "of %d"' % who)
        session.close()
        return answer

    with ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(rename, range(number)))
    owner.close()
    assert answers.count(b"OK") == 1
    assert {answer.split(b" ")[1] for answer in answers if answer != b"OK"} == {b"(NONEXISTENT)"}
    assert [version.action for version in keeper(storm_site, "u0").history()].count("rename") == 1


def upload_for_ever(session: Session, who: int, acknowledged: list[str], several: threading.Event) -> None:
    """Until the connection breaks."""
    for number in count():
        text = text_of(who, number)
        try:
            if session.say(b'PUTSCRIPT "main" {%d+}\r\n%s' % (len(text), text)).startswith(b"OK"):
                acknowledged.append(sha256(text).hexdigest())
            session.say(b'SETACTIVE "main"')
        except (OSError, AssertionError):
            return
        if number > 2:
            several.set()


def test_a_server_that_is_killed_has_lost_no_upload_that_it_acknowledged(
    make_directory: Callable[[], Path], logs: dict[str, Path]
) -> None:
    site = Site(make_directory() / "site", workers=2)
    logs["sievemda that is killed"] = site.log
    site.make("user/u0")
    Credentials(site.data / "state" / "accounts.db").replace("u0", credentials_for(PASSWORD))
    acknowledged: list[str] = []
    for turn in range(3):
        site.start()
        sessions, several = [Session(site, "u0") for _ in range(4)], threading.Event()
        with ThreadPoolExecutor(len(sessions)) as pool:
            for who, session in enumerate(sessions):
                pool.submit(upload_for_ever, session, 10 * turn + who, acknowledged, several)
            assert several.wait(60)
            site.kill()
            wait_until(lambda: not answers(("127.0.0.1", site.managesieve_port)), "the end of the workers")
        for session in sessions:
            session.close()
    found = keeper(site, "u0").history()
    puts = [version for version in found if version.action == "put"]
    assert not any(version.status == "begun" or version.via != "managesieve" for version in found)
    done = [version.digest for version in puts if version.status == "done"]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(done)
    assert sha256(keeper(site, "u0").store.get("main")).hexdigest() == done[-1]
