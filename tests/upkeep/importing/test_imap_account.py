"""Accounts are taken over from a server that speaks IMAP, well or badly."""

import base64
import ssl

import pytest

from sievemda.errors import NotPermitted, Unavailable
from sievemda.store.message_list import stored
from sievemda.store.messages import set_flags
from sievemda.store.subscriptions import subscribed
from sievemda.store.withdrawn import entries as withdrawn
from sievemda.upkeep.importing.imap import account as module
from sievemda.upkeep.importing.imap import answers
from sievemda.upkeep.importing.imap.account import Account, Choice
from sievemda.upkeep.importing.imap.connection import Connection, Login, Server
from sievemda.upkeep.importing.places import Places
from tests.interop.certificate import make_certificate
from tests.upkeep.importing.imap_server import Box, Cut, ImapServer


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(module, "_PAUSE", 0)


def mail(uid, flags="", size=0):
    return uid, flags, f"Subject: {uid}\r\n\r\nBody {uid}\r\n".encode() + b"x" * size


class Run:
    def __init__(self, store, server, top="user/alice", **choice):
        self.faults = []
        self.places = Places(store, dry_run=choice.get("dry_run", False))
        self.account = Account(
            self.places,
            Server("127.0.0.1", server.port, timeout=60, longest=choice.pop("longest", 1 << 20)),
            Login("alice", "secret", choice.pop("admin", "")),
            store.namespace.parse_admin(top),
            Choice(**choice),
            lambda error, about: self.faults.append((about, str(error))),
        )

    def __call__(self):
        self.ticks = sum(1 for _ in self.account.run())
        return {taken.mailbox: (taken.added, taken.there, taken.failed) for taken in self.account.taken}


def subjects(store, name):
    mailbox = store.find(store.namespace.parse_admin(name))
    return [int(one.fields("Subject")["Subject"]) for one in stored(mailbox)]


def test_folders_come_with_their_messages_flags_dates_uses_and_subscriptions(store):
    boxes = {
        "INBOX": Box([mail(1, "\\Seen $Forwarded"), mail(4, "\\Recent"), mail(5)]),
        "Sent": Box([mail(1)], flags="\\Sent"),
        "Entw&APw-rfe/b": Box(),
        "none": Box(flags="\\Noselect"),
    }
    with ImapServer(boxes) as server:
        server.subscribed = ["INBOX", "Sent"]
        assert Run(store, server)() == {
            "user/alice": (3, 0, 0),
            "user/alice/Entwürfe/b": (0, 0, 0),
            "user/alice/Sent": (1, 0, 0),
        }
        assert base64.b64decode(server.logins[0]) == b"\0alice\0secret"
    inbox = store.find(store.namespace.parse_admin("user/alice"))
    assert [(one.flags, one.new) for one in stored(inbox)] == [
        (("\\Seen", "$Forwarded"), False),
        ((), True),
        ((), False),
    ]
    assert {one.arrived for one in stored(inbox)} == {1580547600.0}
    assert store.special_use("alice", "\\Sent").name.path == ("Sent",)
    assert subscribed(inbox.tree.root) == ["INBOX", "Sent"]
    assert not any("BODY[]" in command for command in server.commands)  # without PEEK
    assert not any(command.startswith("SELECT") for command in server.commands)


def test_a_second_run_asks_for_what_is_new(store):
    with ImapServer({"INBOX": Box([mail(1), mail(2)])}) as server:
        Run(store, server)()
        server.boxes["INBOX"].messages.append(mail(3))
        server.fetched.clear()
        assert Run(store, server)() == {"user/alice": (1, 2, 0)}
        assert server.fetched == [3]
    assert sorted(subjects(store, "user/alice")) == [1, 2, 3]


def state(store, name="user/alice"):
    """The flags of messages by their subjects."""
    mailbox = store.find(store.namespace.parse_admin(name))
    return {int(one.fields("Subject")["Subject"]): set(one.flags) for one in stored(mailbox)}


def mark(store, subject, flags):
    mailbox = store.find(store.namespace.parse_admin("user/alice"))
    (one,) = [each for each in stored(mailbox) if each.fields("Subject")["Subject"] == str(subject)]
    set_flags(mailbox, one.file, flags)


@pytest.mark.parametrize(
    ("came", "there", "here", "after"),
    [
        ("", "\\Seen", None, {"\\Seen"}),
        ("\\Recent", "\\Seen \\Recent", None, {"\\Seen"}),
        ("\\Seen a", "", None, set()),
        ("\\seen A", "\\Seen a", None, {"\\Seen", "A"}),
        ("", "$Forwarded Work", None, {"$Forwarded", "Work"}),
        ("\\Seen", "\\Seen", (), set()),  # who has marked it unread here wants it so
        ("", "\\Answered", ("\\Flagged", "Mine"), {"\\Answered", "\\Flagged", "Mine"}),
        ("\\Seen \\Flagged", "\\Seen", ("\\Seen", "\\Flagged", "x"), {"\\Seen", "x"}),
        ("", "\\Deleted", None, {"\\Deleted"}),
    ],
)
def test_flags_follow_whoever_has_changed_them(store, came, there, here, after):
    with ImapServer({"INBOX": Box([mail(1, came), mail(2, came)])}) as server:
        Run(store, server)()
        if here is not None:
            mark(store, 1, here)
        server.boxes["INBOX"].messages[0] = mail(1, there)
        before = state(store)
        run = Run(store, server)
        assert run() == {"user/alice": (0, 2, 0)}
        assert state(store) == {1: after, 2: before[2]}
        assert run.account.taken[0].marked == (before[1] != after)
        assert Run(store, server)() == {"user/alice": (0, 2, 0)}
        assert state(store) == {1: after, 2: before[2]}


def test_what_is_taken_away_there_after_it_was_set_there_goes_here_too(store):
    with ImapServer({"INBOX": Box([mail(1)])}) as server:
        for flags in ("", "\\Seen work", "work", ""):
            server.boxes["INBOX"].messages[0] = mail(1, flags)
            Run(store, server)()
            assert {flag.lower() for flag in state(store)[1]} == set(flags.lower().split())


@pytest.mark.parametrize("wanted", [True, False])
def test_what_was_expunged_there_goes_when_that_is_wanted_and_nobody_touched_it(store, wanted):
    with ImapServer({"INBOX": Box([mail(uid) for uid in (1, 2, 3)])}) as server:
        Run(store, server)()
        mark(store, 2, ("\\Flagged",))
        server.boxes["INBOX"].messages = [mail(3)]
        dry = Run(store, server, expunge=wanted, dry_run=True)
        dry()
        assert sorted(state(store)) == [1, 2, 3]
        run = Run(store, server, expunge=wanted)
        run()
        assert [each.account.taken[0].removed for each in (dry, run)] == [wanted, wanted]
    assert sorted(state(store)) == ([2, 3] if wanted else [1, 2, 3])
    assert len([*withdrawn(store.find(store.namespace.parse_admin("user/alice")).tree)]) == wanted


def test_a_search_that_misses_messages_expunges_none(store, monkeypatch):
    with ImapServer({"INBOX": Box([mail(1), mail(2)])}) as server:
        Run(store, server)()
        monkeypatch.setattr(module, "uids", lambda *_: [])
        Run(store, server, expunge=True)()
    assert sorted(state(store)) == [1, 2]


def test_a_dry_run_tells_what_would_get_other_flags_and_gives_them_none(store):
    with ImapServer({"INBOX": Box([mail(1), mail(2, "a")])}) as server:
        Run(store, server)()
        server.boxes["INBOX"].messages = [mail(1, "New"), mail(2)]
        run = Run(store, server, dry_run=True)
        run()
        assert run.account.taken[0].marked == 2
    assert state(store) == {1: set(), 2: {"a"}}


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\0\n", b"0" * 16 + b"\t1\tx\tS\t"], ids=["empty", "nonsense", "cut short"]
)
def test_damaged_memory_of_copies_follows_nothing_and_is_mended_by_what_comes(store, damage):
    with ImapServer({"INBOX": Box([mail(1)])}) as server:
        Run(store, server)()
        (store.find(store.namespace.parse_admin("user/alice")).path / "sievemda-copies").write_bytes(damage)
        server.boxes["INBOX"].messages = [mail(1, "\\Seen"), mail(2)]
        Run(store, server)()
        server.boxes["INBOX"].messages = [mail(1, "\\Seen"), mail(2, "\\Seen")]
        Run(store, server)()
    assert state(store) == {1: set(), 2: {"\\Seen"}}


def test_a_folder_made_anew_there_is_compared(store):
    with ImapServer({"INBOX": Box([mail(1)])}) as server:
        Run(store, server)()
        server.boxes["INBOX"] = Box([mail(1), mail(2)], validity=8)
        assert Run(store, server)() == {"user/alice": (1, 1, 0)}
    assert sorted(subjects(store, "user/alice")) == [1, 2]


@pytest.mark.parametrize("cut", [0, 150], ids=["between messages", "within one"])
def test_a_connection_that_breaks_is_made_again(store, cut):
    broken = []

    def spoil(uid, octets):
        if uid == 3 and len(broken) < 3:
            broken.append(uid)
            return Cut(octets[:cut])
        return octets

    with ImapServer({"INBOX": Box([mail(uid, size=300) for uid in range(1, 6)])}) as server:
        server.spoil = spoil
        assert Run(store, server)() == {"user/alice": (5, 0, 0)}
        assert server.fetched.count(1) == 1
    assert sorted(subjects(store, "user/alice")) == [1, 2, 3, 4, 5]


def test_a_server_that_keeps_breaking_is_given_up_and_the_rest_comes_later(store):
    with ImapServer({"INBOX": Box([mail(1), mail(2)])}) as server:
        server.spoil = lambda uid, octets: Cut() if uid == 2 else octets
        with pytest.raises(Unavailable, match="run it again"):
            Run(store, server)()
        server.spoil = lambda _uid, octets: octets
        assert Run(store, server)() == {"user/alice": (1, 1, 0)}


@pytest.mark.parametrize(
    "bad",
    [
        lambda octets: octets.replace(b"BODY[] {", b"BODY[] {99999999999"),
        lambda octets: b"* 2 FETCH (UID 2 FLAGS (" + b"(" * 100 + b"\r\n",
        lambda octets: b"\0\0\0\r\n",
    ],
    ids=["an endless literal", "lists without end", "nonsense"],
)
def test_a_message_that_cannot_be_had_does_not_stop_the_others(store, bad):
    with ImapServer({"INBOX": Box([mail(1), mail(2), mail(3)])}) as server:
        server.spoil = lambda uid, octets: bad(octets) if uid == 2 else octets
        run = Run(store, server)
        assert run() == {"user/alice": (2, 0, 1)}
        assert [about for about, _ in run.faults] == ["127.0.0.1, INBOX, UID 2"]
    assert sorted(subjects(store, "user/alice")) == [1, 3]


def test_a_large_message_does_not_pass_through_memory(store, monkeypatch):
    monkeypatch.setattr(answers, "IN_MEMORY", 1000)
    with ImapServer({"INBOX": Box([mail(1, size=50_000)])}) as server:
        assert Run(store, server)() == {"user/alice": (1, 0, 0)}
    inbox = store.find(store.namespace.parse_admin("user/alice"))
    assert [one.size for one in stored(inbox)] == [50_000 + len("Subject: 1\n\nBody 1\n")]


def test_news_of_other_messages_and_messages_twice_are_no_messages(store):
    def spoil(_uid, octets):
        return b"* 9 FETCH (FLAGS (\\Seen))\r\n* 9 FETCH (UID 77 BODY[] NIL)\r\n* 1 EXPUNGE\r\n" + octets + octets

    with ImapServer({"INBOX": Box([mail(1)])}) as server:
        server.spoil = spoil
        assert Run(store, server)() == {"user/alice": (1, 0, 0)}


def test_names_that_cannot_be_are_mapped_and_told(store):
    names = {"../../etc": "user/alice/___/___/etc", "a\x01b": "user/alice/a_b", "a^b": "user/alice/a_b_"}
    with ImapServer({name: Box([mail(1)]) for name in names}) as server:
        run = Run(store, server)
        run()
    assert set(run.account.renamed) == set(names)
    assert all(found.startswith("user/alice/") for found in run.account.renamed.values())
    assert len({taken.mailbox for taken in run.account.taken}) == 3


def test_a_prefix_for_all_folders_and_folders_of_others_stay_behind(store):
    with ImapServer({"INBOX": Box(), "INBOX.a": Box(), "user.bob": Box(), "board": Box()}, separator=".") as server:
        server.namespace = '(("INBOX." ".")) (("user." ".")) (("board" "."))'
        assert set(Run(store, server)()) == {"user/alice", "user/alice/a"}


def test_folders_can_be_chosen_and_renamed(store):
    boxes = {"INBOX": Box(), "Old": Box(), "Old/x": Box(), "Older": Box(), "Trash": Box()}
    with ImapServer(boxes) as server:
        found = Run(store, server, without=("Trash",), maps=(("Old", "Archive/2020"),))()
        assert set(found) == {
            "user/alice",
            "user/alice/Archive/2020",
            "user/alice/Archive/2020/x",
            "user/alice/Older",
        }
        assert set(Run(store, server, "user/bob", only=("Old*",))()) == {
            "user/bob/Old",
            "user/bob/Old/x",
            "user/bob/Older",
        }
        assert set(Run(store, server, "user/carl/Here", only=("Old/x",))()) == {"user/carl/Here"}


def test_a_dry_run_changes_nothing(store):
    with ImapServer({"INBOX": Box([mail(1)]), "a": Box([mail(1)])}) as server:
        assert Run(store, server, dry_run=True)() == {"user/alice": (1, 0, 0), "user/alice/a": (1, 0, 0)}
        assert not store.user_exists("alice")
        Run(store, server)()
        assert Run(store, server, dry_run=True)() == {"user/alice": (0, 1, 0), "user/alice/a": (0, 1, 0)}


def test_rights_and_limits_come_when_they_are_wanted(store):
    with ImapServer({"INBOX": Box(), "a": Box(acl="alice lrswipkxtea bob lrs anyone p %% l")}) as server:
        server.quota = "STORAGE 10 5000 MESSAGE 1 99"
        run = Run(store, server, acl=True, quota=True)
        run()
    folder = store.find(store.namespace.parse_admin("user/alice/a"))
    assert dict(folder.acl().entries)["bob"] == frozenset("lrs")
    assert [about for about, _ in run.faults] == ["a: the rights of %%"]
    assert store.quota_root(store.namespace.parse_admin("user/alice")).limits().printed("STORAGE") == 5000


def test_an_administrator_logs_in_for_the_user(store):
    with ImapServer({"INBOX": Box()}) as server:
        Run(store, server, admin="cyrus")()
        assert base64.b64decode(server.logins[0]) == b"alice\0cyrus\0secret"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


def connect(server, certificate, tls):
    trusted = ssl.create_default_context(cafile=certificate[0]) if certificate else None
    Connection(Server("127.0.0.1", server.port, tls, trusted, timeout=60), Login("alice", "secret")).log_out()


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_password_goes_over_tls(certificate, tls):
    with ImapServer({}, certificate=certificate, tls=tls == "tls", capabilities="STARTTLS") as server:
        connect(server, certificate, tls)
        assert len(server.logins) == 1


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_that_nobody_signed_is_no_server(certificate, tls):
    with ImapServer({}, certificate=certificate, tls=tls == "tls", capabilities="STARTTLS") as server:
        with pytest.raises(Unavailable, match="verify failed"):
            connect(server, None, tls)
        assert server.logins == []


def test_a_password_does_not_go_without_tls_to_another_host():
    with ImapServer({}) as server, pytest.raises(Unavailable, match="no TLS"):
        Connection(Server("127.0.0.1", server.port, tls="starttls"), Login("alice", "secret"))
    assert server.logins == []


def test_a_server_that_refuses_the_password_says_so(store):
    with ImapServer({}) as server:
        server.refuses = True
        with pytest.raises(NotPermitted, match="alice"):
            Run(store, server)()
