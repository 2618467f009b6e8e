"""A user moves to another host: another site, reached through a command that stands in for ssh.

The other end is the real one with a store of its own: a process, or for what is tried at many places a thread.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from sievemda.cli import mailbox_move_far
from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.delivery.snoozes import Note, Snoozes
from sievemda.errors import TemporaryTrouble, Unavailable
from sievemda.store import accounts, aside, departures, files, messages
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.upkeep.moving.leaving import Leaving
from sievemda.upkeep.moving.receiving import serve
from sievemda.upkeep.moving.wire import Wire

SSH = """#!/bin/sh
# HOST COMMAND
[ "$1" = new.example ] || { echo "no host $1" >&2; exit 255; }
exec sh -c "$2"
"""


class Sites:
    def __init__(self, base, capsys):
        self.old, self.new = base / "old", base / "new"
        (base / "ssh").write_text(SSH)
        (base / "ssh").chmod(0o755)
        self.ssh, self._capsys = base / "ssh", capsys
        for name in ("user/alice", "user/alice/a", "user/alice/a/b"):
            assert self.call("mailbox", "create", name)[0] == 0

    def call(self, *arguments, at=None):
        code = run(["--data", str(at or self.old), *arguments])
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    def remote(self, program="sievemda"):
        return f"{sys.executable} -m {program} --data {self.new}"

    def move(self, *more, remote=None):
        far = ("--host", "new.example", "--ssh", str(self.ssh), "--remote-command", remote or self.remote())
        return self.call("mailbox", "move", "user/alice", *far, *more)

    def store(self, at=None):
        return MailStore(Settings(data=at or self.old))

    def put(self, name, text, flags=(), at=None):
        store = self.store(at)
        box = store.find(store.namespace.parse_admin(name))
        return store.stage(box.partition, [f"Subject: {text}\n\n".encode()]).deliver(box, flags, last=True)

    def mail(self, at=None):
        """Subject and flags of what is in which mailbox."""
        store, found = self.store(at), {}
        for name, box in store.named("*"):
            paths = [path for part in ("new", "cur") for path in (box.path / part).iterdir()]
            found[name] = sorted((p.read_text().split()[1], messages.flags_of(box, p)) for p in paths)
        return found


@pytest.fixture
def sites(tmp_path, capsys, monkeypatch):
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)
    monkeypatch.setattr(files, "sync_file_system", lambda _: None)
    return Sites(tmp_path, capsys)


@pytest.fixture
def near(sites, monkeypatch):
    """The sites, where the other end is a thread."""

    @contextmanager
    def connected(_journey, host):
        to, back = os.pipe(), os.pipe()
        with ThreadPoolExecutor() as thread, os.fdopen(back[0], "rb") as reading:
            settings = Settings(data=sites.new)

            def answer():
                with (
                    os.fdopen(to[0], "rb") as asked,
                    os.fdopen(back[1], "wb") as answers,
                    suppress(Unavailable, OSError),
                ):
                    serve(settings, MailStore(settings), Wire(asked, answers, "the other end"))

            thread.submit(answer)
            writing = os.fdopen(to[1], "wb")
            try:
                yield Wire(reading, writing, host)
            finally:
                with suppress(OSError):
                    writing.close()

    monkeypatch.setattr(mailbox_move_far, "_connected", connected)
    return sites


def test_a_user_goes_with_all_that_he_has(sites):
    sites.put("user/alice", "one")
    file = sites.put("user/alice/a", "two", ("\\Seen", "work"))
    sites.put("user/alice/a/b", "three", ("\\Flagged",))
    os.utime(file, (1_000_000_000, 1_000_000_000))
    (sites.old / "script").write_text("keep;")
    for arguments in (
        ("script", "put", "alice", "mine", str(sites.old / "script")),
        ("script", "activate", "alice", "mine"),
        ("acl", "set", "user/alice/a", "bob", "lrsn"),
        ("quota", "set", "user/alice", "STORAGE", "1000"),
        ("mailbox", "unsubscribe", "alice", "a"),
        ("account", "deny", "alice", "-s", "sieve"),
    ):
        assert sites.call(*arguments)[0] == 0, arguments
    snoozed = sites.put("user/alice/a", "asleep")
    box = sites.store().find(MailboxName("alice", ("a",)))
    Snoozes(Settings(data=sites.old)).put(Note(1 << 33, "alice", box.id, messages.unique_part(snoozed.name)))
    before = {at: sites.call(*at)[1] for at in ASKED}
    mail = sites.mail()

    assert sites.move() == (0, "user/alice moved to new.example\n", "")

    assert sites.mail(sites.new) == mail
    assert {at: sites.call(*at, at=sites.new)[1] for at in ASKED} == before
    (arrived,) = (sites.new / "mail/user/alice/Maildir/.a/cur").iterdir()
    assert arrived.stat().st_mtime == 1_000_000_000
    assert [note.user for note in Snoozes(Settings(data=sites.new)).of_user("alice")] == ["alice"]


ASKED = [
    ("acl", "list", "user/alice/a"),
    ("quota", "list"),
    ("script", "list", "alice"),
    ("mailbox", "subscriptions", "alice"),
    ("account", "denied"),
]


def test_mail_for_who_has_moved_is_put_off_until_that_is_finished(near):
    sites = near
    sites.put("user/alice", "one")
    sites.move()
    assert sites.call("account", "denied")[1] == "alice lmtp moved to new.example\nalice sieve moved to new.example\n"
    assert sites.mail() == {"user/alice": []}
    assert sites.call("mailbox", "move", "user/alice", "--finish") == (0, "user/alice is no more here\n", "")
    assert sites.mail() == {}
    assert not departures.is_departing(sites.store(), "alice")
    assert sites.call("mailbox", "undelete", "user/alice")[0] == 0
    assert sites.mail()["user/alice"] == [("one", ())]


def test_no_mail_goes_into_an_inbox_that_an_imap_server_makes_of_who_has_just_left(near, monkeypatch):
    sites, real = near, aside.set_aside

    def set_aside(store, shown, partition, parts):
        entry = real(store, shown, partition, parts)
        for part in ("cur", "new", "tmp"):
            (parts[0] / "Maildir" / part).mkdir(parents=True)
        return entry

    monkeypatch.setattr(aside, "set_aside", set_aside)
    assert sites.move()[0] == 0
    assert sites.call("account", "denied")[1] == "alice lmtp moved to new.example\nalice sieve moved to new.example\n"


def test_an_inbox_that_an_imap_server_makes_while_ours_is_made_does_not_end_the_move(near, monkeypatch):
    sites, real = near, accounts.build

    def build(store, userid, finish):
        home = store.layout.home(userid, store.layout.default)
        for part in ("cur", "new", "tmp"):
            (home / "Maildir" / part).mkdir(parents=True)
        return real(store, userid, finish)

    monkeypatch.setattr(accounts, "build", build)
    assert sites.move()[0] == 0
    assert sites.call("account", "denied")[1] == "alice lmtp moved to new.example\nalice sieve moved to new.example\n"


def test_he_may_be_called_otherwise_there(near):
    sites = near
    sites.call("acl", "set", "user/alice/a", "bob", "lr")
    assert sites.move("--to", "alice.jones", "--then", "remove")[0] == 0
    assert set(sites.mail(sites.new)) == {"user/alice.jones", "user/alice.jones/a", "user/alice.jones/a/b"}
    assert sites.call("acl", "list", "user/alice.jones/a", at=sites.new)[1].splitlines() == [
        "alice.jones lrswipkxtecdan",
        "bob lr",
    ]
    assert sites.mail() == {}


def test_mail_can_be_forwarded_afterwards(near):
    sites = near
    assert sites.move("--then", "forward", "--forward-to", "alice@new.example")[0] == 0
    assert sites.call("account", "denied")[1] == ""
    assert sites.call("script", "get", "alice", "moved")[1] == 'redirect "alice@new.example";\n'
    assert sites.call("mailbox", "list")[1] == "user/alice\n"


CUTS = [1, 2, 3, 6, 9, 13, 17, 21, 25, 29, 33, 35, 36, 37, 38, 39]  # the last is where he has arrived


@pytest.mark.parametrize("cut", CUTS)
def test_wherever_the_pipe_is_cut_the_same_command_goes_on(near, monkeypatch, cut):
    sites = near

    sites.put("user/alice", "one")
    sites.put("user/alice/a", "two", ("\\Seen", "work"))
    mail, real, asked = sites.mail(), Wire.hear, []

    def hear(wire):
        nonlocal asked
        asked += [1] if wire.peer == "new.example" else []
        if len(asked) == cut and wire.peer == "new.example":
            wire._reading.close()
        return real(wire)

    monkeypatch.setattr(Wire, "hear", hear)
    code, _, err = sites.move()
    monkeypatch.setattr(Wire, "hear", real)
    assert (code, err) == (69, "sievemda: user/alice: new.example: the connection was cut\n")
    assert sites.move()[0] == 0
    assert sites.mail(sites.new) == mail


@pytest.mark.parametrize("phase", ["staying", "held", "away", "arriving"])
def test_what_is_not_finished_can_be_taken_back(near, monkeypatch, phase):
    sites = near
    sites.put("user/alice", "one")
    mail, real = sites.mail(), departures.write

    def write(store, userid, departure, **changes):
        written = real(store, userid, departure, **changes)
        if written.phase == phase:
            raise OSError(5, "no")
        return written

    monkeypatch.setattr(departures, "write", write)
    assert sites.move()[0] == 74
    monkeypatch.setattr(departures, "write", real)
    code, out, err = sites.call(
        "mailbox", "move", "user/alice", "--abort", "--ssh", str(sites.ssh), "--remote-command", sites.remote()
    )
    assert (code, out, err) == (0, "user/alice stays here\n", "")
    assert sites.mail() == mail
    assert sites.call("account", "denied")[1] == ""
    assert sites.mail(sites.new) == {}
    assert sites.move()[0] == 0


def test_who_has_arrived_is_not_taken_back(near):
    sites = near
    sites.move()
    code, _, err = sites.call("mailbox", "move", "user/alice", "--abort")
    assert (code, err) == (77, "sievemda: user/alice: alice has arrived at new.example: move him back from there\n")


def test_what_changes_between_two_tries_is_so_there(near, monkeypatch):
    sites = near
    first, second = sites.put("user/alice", "one"), sites.put("user/alice/a", "two")
    sites.put("user/alice/a/b", "three")
    real = departures.write

    def write(store, userid, departure, **changes):
        if changes.get("phase") == "held":
            raise OSError(5, "no")
        return real(store, userid, departure, **changes)

    monkeypatch.setattr(departures, "write", write)
    assert sites.move()[0] == 74
    monkeypatch.setattr(departures, "write", real)
    box = sites.store().find(MailboxName("alice"))
    messages.set_flags(box, first, ("\\Answered",))
    second.unlink()
    sites.put("user/alice/a", "late")
    assert sites.call("mailbox", "delete", "user/alice/a/b", "--yes")[0] == 0
    mail = sites.mail()
    assert sites.move()[0] == 0
    assert sites.mail(sites.new) == mail


def test_a_delivery_that_had_opened_the_folder_is_waited_for(near, monkeypatch):
    sites = near
    store = sites.store()
    box = store.find(MailboxName("alice"))
    staged = store.stage(box.partition, [b"Subject: late\n\n"])
    folder = os.open(box.path / "new", os.O_RDONLY)
    real = Leaving._last_passes

    def last(self, *arguments):
        staged.give(folder, files.unique_name(), last=True)
        real(self, *arguments)

    monkeypatch.setattr(Leaving, "_last_passes", last)
    assert sites.move()[0] == 0
    os.close(folder)
    assert sites.mail(sites.new)["user/alice"] == [("late", ())]


@pytest.mark.parametrize(
    ("more", "remote", "code", "said"),
    [
        (("--then", "forward"), None, 65, "--forward-to"),
        (("--forward-to", "a@b"), None, 65, "--then forward"),
        (("--then", "forward", "--forward-to", 'a"@b'), None, 65, "no address"),
        (("--host", "-oProxyCommand=x"), None, 65, "no name of a host"),
        (("--host", "elsewhere"), None, 69, "the connection was cut"),
        (("--ssh", "/nowhere/ssh"), None, 69, "/nowhere/ssh"),
        ((), "echo hello;", 69, "does not answer as sievemda does"),
        ((), "echo '{}';", 69, "the same sievemda"),
        ((), """echo '{"sievemda": 99}';""", 69, "speaks version 99"),
        ((), "exit 3;", 69, "the connection was cut"),
        (("--partition", "none"), None, 65, "no partition"),
        (("--to", "a/b"), None, 65, ""),
    ],
)
def test_what_cannot_be_leaves_him_as_he_was(sites, more, remote, code, said):
    sites.put("user/alice", "one")
    mail = sites.mail()
    found, out, err = sites.move(*more, remote=remote)
    assert (found, out) == (code, "")
    assert said in err
    assert sites.mail() == mail
    assert not departures.is_departing(sites.store(), "alice")


def test_who_is_there_already_is_not_overwritten(near):
    sites = near
    assert sites.call("mailbox", "create", "user/alice", at=sites.new)[0] == 0
    code, _, err = sites.move()
    assert (code, err) == (73, "sievemda: user/alice: new.example: user alice is there already\n")
    assert sites.mail(sites.new) == {"user/alice": []}


def test_a_folder_of_a_user_does_not_go_alone(sites):
    code, _, err = sites.call("mailbox", "move", "user/alice/a", "--host", "new.example")
    assert (code, err) == (65, "sievemda: user/alice/a: only whole users move to another host\n")


def test_a_dry_run_changes_nothing_anywhere(sites):
    code, out, _ = sites.move("--dry-run", "--json")
    assert code == 0
    assert json.loads(out)[0]["name"] == "user/alice"
    assert not sites.new.exists()


def test_nobody_else_moves_him_meanwhile(sites):
    with departures.alone(sites.store(), "alice"):
        code, _, err = sites.move()
    assert (code, err) == (75, "sievemda: user/alice: alice is being moved by somebody else at this moment\n")


@pytest.mark.parametrize("silent", ["exec sleep 60", "sleep 60 & exit 0", "sleep 60 & wait"])
def test_a_host_that_says_nothing_is_not_waited_for_without_end(sites, silent):
    code, _, err = sites.move("--timeout", "0.2", remote=f"{silent};")
    assert (code, err.count("\n")) == (75, 1)
    assert "new.example has said nothing for 0.2 seconds" in err
    assert sites.mail()["user/alice"] == []


def test_a_host_that_stops_in_the_middle_is_not_waited_for_without_end(sites):
    remote = f"{sites.remote()} mailbox receive < /dev/null; sleep 60; :"  # it has said who it is
    code, _, err = sites.move("--timeout", "0.2", remote=remote)
    assert code == 75
    assert "said nothing" in err


def test_a_host_that_takes_nothing_is_not_waited_for_without_end():
    there, here = os.pipe()
    with os.fdopen(here, "wb", buffering=0) as writing, pytest.raises(TemporaryTrouble):
        Wire(writing, writing, "new.example", 0.1).say({"octets": 0}, [b"x" * 1_000_000])
    os.close(there)


def test_what_was_given_up_goes_on(sites):
    sites.put("user/alice", "x")
    assert sites.move("--timeout", "0.2", remote="exec sleep 60;")[0] == 75
    assert sites.move()[0] == 0
    assert sites.mail(sites.new)["user/alice"] == [("x", ())]


def changed(sites, count=3):
    """Alice's script, stored so many times; her history."""
    for number in range(count):
        (sites.old / "script").write_text(f"# {number}\nkeep;")
        assert sites.call("script", "put", "alice", "mine", str(sites.old / "script"))[0] == 0
    return history(sites, sites.old)


def history(sites, at, user="alice"):
    return sites.call("script", "history", user, "--json", at=at)[1]


def test_what_became_of_his_scripts_goes_with_him(sites):
    before = changed(sites)
    assert sites.move()[0] == 0
    assert history(sites, sites.new) == before
    assert sites.call("script", "get", "alice", "mine", "--version", "1", at=sites.new)[1] == "# 0\nkeep;"
    assert sites.call("script", "undo", "alice", at=sites.new)[0] == 0
    assert sites.call("script", "get", "alice", "mine", at=sites.new)[1] == "# 1\nkeep;"
    assert json.loads(history(sites, sites.old)) == []  # of who stands in for him


def test_by_another_name_he_finds_them_too(near):
    before = changed(near)
    assert near.move("--to", "alicia")[0] == 0
    assert history(near, near.new, "alicia") == before


def test_who_comes_back_brings_what_is_new_of_them_and_nothing_twice(near, monkeypatch):
    changed(near)
    assert near.move("--then", "remove")[0] == 0
    (near.new / "script").write_text("# there\nkeep;")
    assert near.call("script", "put", "alice", "mine", str(near.new / "script"), at=near.new)[0] == 0
    there = history(near, near.new)
    near.old, near.new = near.new, near.old
    far = ("--host", "old.example", "--ssh", "none", "--remote-command", "none")
    assert near.call("mailbox", "move", "user/alice", *far)[0] == 0
    assert history(near, near.new) == there
    assert len(json.loads(there)) == 4


def test_an_older_host_takes_him_without_them(near, monkeypatch):
    before = changed(near)
    said = []

    def older(wire, what, octets=()):
        said.append(what.get("do"))
        what.pop("can", None)
        say(wire, what, octets)

    say = Wire.say
    monkeypatch.setattr(Wire, "say", older)
    assert near.move()[0] == 0
    assert "history" not in said
    assert json.loads(history(near, near.new))[0]["via"] == "found"
    assert len(json.loads(before)) == 3


def test_a_host_that_cannot_take_them_now_is_known_before_his_mail_is_put_off(near):
    before = changed(near)
    (near.new / "state").mkdir(parents=True)
    (near.new / "state" / "versions.db").write_bytes(b"this is no database" * 500)
    code, _, said = near.move()
    assert (code, "versions.db" in said) == (75, True)
    assert departures.read(near.store(), "alice").phase == departures.STAYING
    (near.new / "state" / "versions.db").unlink()
    assert near.move()[0] == 0
    assert history(near, near.new) == before
