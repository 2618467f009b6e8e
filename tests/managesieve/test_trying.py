"""XTRYSCRIPT and the warnings of SETACTIVE, by a server with real scripts and messages."""

import contextlib
import json
import re
from dataclasses import replace

import pytest

from sievemda import assembly
from sievemda.managesieve.trying import Trying
from sievemda.store.names import MailboxName
from tests.managesieve.conversation import PATIENCE, login, running

LISTS = b'require "fileinto"; if header :contains "subject" "list" { fileinto "Lists"; }'


@pytest.fixture
def trying(make_service):
    """A service with messages of alice: three to a list, one other. `tryout` stands in for the real one."""

    def make(*sets, tryout=None):
        service = make_service("allowplaintext=yes", *sets)
        options = service.settings.managesieve
        tried = Trying(
            tryout or assembly.tryout(service.settings), options.managesieve_try_max, options.managesieve_try_last
        )
        service.homes.create(MailboxName("alice", ("Lists",)))
        folder = service.homes.find(MailboxName("alice")).path / "cur"
        for number in range(1, 4):
            text = f'From: "B\\"ob" <bob@example.net>\nSubject: list {number} \\"\n\nx\n'
            (folder / f"{number}.host:2,").write_text(text)
        (folder / "9.host:2,").write_text("From: bob@example.net\nSubject: other\n\nx\n")
        return replace(service, trying=tried)

    return make


@pytest.fixture
def talk(connect):
    """Logged in as alice at a server: gives commands, gets all lines up to the last one."""
    with contextlib.ExitStack() as stack:

        def to(service):
            address, _ = stack.enter_context(running(service))
            peer = login(connect(address))

            def ask(command):
                peer.send(command + b"\r\n")
                lines = [peer.line()]
                while not re.match(rb"OK|NO|BYE", lines[-1]):
                    if found := re.search(rb"\{(\d+)\}\r\n\Z", lines[-1]):
                        lines[-1] += peer.file.read(int(found[1])) + peer.line()
                    lines.append(peer.line())
                return lines

            ask.peer = peer
            return ask

        yield to


def told(lines, word):
    found = (re.match(rb'"%s" \{\d+\}\r\n(.*)\r\n' % word, line, re.DOTALL) for line in lines)
    return [json.loads(match[1]) for match in found if match]


def test_a_stored_script_is_tried_on_the_last_messages(trying, talk):
    ask = talk(trying())
    ask(b'PUTSCRIPT "lists" {%d+}\r\n%s' % (len(LISTS), LISTS))
    lines = ask(b'XTRYSCRIPT "lists" 50')
    assert lines[-1] == b"OK\r\n"
    assert told(lines, b"SUMMARY") == [{"looked_at": 4, "differ": 3, "unread": 0, "complete": True}]
    assert {one["new"]["sentence"] for one in told(lines, b"MESSAGE")} == {"to Lists"}
    assert told(ask(b'XTRYSCRIPT "lists" 2'), b"SUMMARY")[0]["looked_at"] == 2


def test_a_text_that_is_not_stored_can_be_tried(trying, talk):
    ask = talk(trying())
    lines = ask(b'XTRYSCRIPT "new" 50 {%d+}\r\n%s' % (len(LISTS), LISTS))
    assert len(told(lines, b"MESSAGE")) == 3
    assert ask(b"LISTSCRIPTS") == [b"OK\r\n"]


def test_to_have_no_script_can_be_tried(trying, talk):
    ask = talk(trying())
    ask(b'PUTSCRIPT "a" "discard;"')
    ask(b'SETACTIVE "a"')
    assert told(ask(b'XTRYSCRIPT "" 50'), b"SUMMARY")[0]["differ"] == 4


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b'XTRYSCRIPT "nothing" 5', b"NO (NONEXISTENT)"),
        (b'XTRYSCRIPT "a" 0', b"NO "),
        (b'XTRYSCRIPT "a" 101', b'NO "a script can be tried on 1 to 100 messages"'),
        (b'XTRYSCRIPT "a" 5 "foo;"', b"NO "),
        (b'XTRYSCRIPT "a/b" 5', b"NO "),
        (b'XTRYSCRIPT "a"', b"NO "),
        (b'XTRYSCRIPT "a" "5"', b"NO "),
        (b"XTRYSCRIPT a 5", b"NO "),
        (b'XTRYSCRIPT "a" 4294967296', b"NO "),
    ],
)
def test_what_cannot_be_tried_is_refused_and_the_session_goes_on(trying, talk, command, answer):
    ask = talk(trying("managesieve_try_max=100"))
    (line,) = ask(command)
    assert line.startswith(answer)
    assert ask(b"NOOP") == [b"OK\r\n"]


def test_the_capability_says_how_many(trying, talk):
    assert b'"XSIEVEMDA-TRY" "100"\r\n' in talk(trying("managesieve_try_max=100"))(b"CAPABILITY")


def test_where_it_is_off_there_is_no_capability(trying, talk):
    ask = talk(trying("managesieve_try_max=0", "managesieve_try_last=5"))
    assert not any(b"XSIEVEMDA" in line for line in ask(b"CAPABILITY"))
    assert ask(b'XTRYSCRIPT "" 5')[0].startswith(b"NO ")


def test_before_login_nothing_is_tried(trying, connect):
    with running(trying()) as (address, _):
        peer = connect(address)
        peer.send(b'XTRYSCRIPT "" 5\r\n')
        assert peer.line() == b'NO "authenticate first"\r\n'


def test_commands_behind_it_are_answered_in_their_order(trying, talk):
    ask = talk(trying())
    ask.peer.send(b'XTRYSCRIPT "" 5\r\nNOOP "x"\r\n')
    assert ask.peer.line().startswith(b'"SUMMARY" {')
    while (line := ask.peer.line()) != b"OK\r\n":
        assert line
    assert ask.peer.line() == b"OK (TAG {1}\r\n"


# --- a tryout that takes its time ------------------------------------------------------------------------------


class Endless:
    """Messages without end, none of which differs, one a turn."""

    problem, differs = "", False

    def __init__(self):
        self.looked_at = 0
        self.ended = False

    def begin(self, owner, name, text):
        return self

    def last(self, most, go_on):
        try:
            while go_on():
                self.looked_at += 1
                yield self
        finally:
            self.ended = True


@pytest.fixture
def hurried(monkeypatch):
    """Progress is told at once, and time is never up."""
    monkeypatch.setattr("sievemda.managesieve.trying._PROGRESS", 0.0)
    monkeypatch.setattr("sievemda.managesieve.trying._SECONDS", 3600.0)


def test_a_client_that_goes_away_ends_it(trying, connect, hurried):
    endless = Endless()
    with running(trying(tryout=endless)) as (address, _):
        peer = login(connect(address))
        peer.send(b'XTRYSCRIPT "" 5\r\n')
        assert peer.line() == b'"PROGRESS" "1"\r\n'
        peer.close()
        while not endless.ended:
            login(connect(address)).send(b"LOGOUT\r\n")


def test_one_trial_of_a_user_at_a_time(trying, connect, hurried):
    with running(trying(tryout=Endless())) as (address, _):
        first, second = login(connect(address)), login(connect(address))
        first.send(b'XTRYSCRIPT "" 5\r\n')
        assert first.line() == b'"PROGRESS" "1"\r\n'
        second.send(b'XTRYSCRIPT "" 5\r\n')
        assert second.line().startswith(b"NO (TRYLATER) ")
        second.send(b"NOOP\r\n")
        assert second.line() == b"OK\r\n"


def test_a_server_that_stops_says_good_bye_in_the_middle(trying, connect, hurried):
    endless = Endless()
    with running(trying(tryout=endless)) as (address, _):
        peer = login(connect(address))
        peer.send(b'XTRYSCRIPT "" 5\r\n')
        assert peer.line() == b'"PROGRESS" "1"\r\n'
    assert peer.file.read().splitlines()[-1].startswith(b"BYE ")
    assert endless.ended


def test_when_time_is_up_the_summary_says_so(trying, talk, monkeypatch):
    monkeypatch.setattr("sievemda.managesieve.trying._SECONDS", 0.0)
    lines = talk(trying())(b'XTRYSCRIPT "" 5')
    assert told(lines, b"SUMMARY") == [{"looked_at": 0, "differ": 0, "unread": 0, "complete": False}]


class Broken:
    def begin(self, owner, name, text):
        raise RuntimeError("secret internals")


def test_what_breaks_inside_is_not_told(trying, talk):
    (line,) = talk(trying(tryout=Broken()))(b'XTRYSCRIPT "" 5')
    assert line.startswith(b"NO (TRYLATER) ")
    assert b"secret" not in line


# --- SETACTIVE -------------------------------------------------------------------------------------------------


def test_setactive_warns_of_what_will_be_different(trying, talk):
    ask = talk(trying("managesieve_try_last=50"))
    ask(b'PUTSCRIPT "lists" {%d+}\r\n%s' % (len(LISTS), LISTS))
    (line,) = ask(b'SETACTIVE "lists"')
    assert line.startswith(b'OK (WARNINGS) "3 of your last 4 messages would have gone elsewhere: ')
    assert line.count(b"to Lists, not to INBOX") == 3
    assert line.endswith(b'"\r\n')
    assert line.count(b'"') == 2
    assert ask(b"LISTSCRIPTS")[0] == b'"lists" ACTIVE\r\n'
    assert ask(b'SETACTIVE "lists"') == [b"OK\r\n"]
    assert ask(b'SETACTIVE ""')[0].startswith(b"OK (WARNINGS) ")


def test_setactive_says_nothing_where_nothing_differs_or_nobody_asked(trying, talk):
    ask = talk(trying("managesieve_try_last=50"))
    ask(b'PUTSCRIPT "a" "keep;"')
    assert ask(b'SETACTIVE "a"') == [b"OK\r\n"]
    assert ask(b'SETACTIVE ""') == [b"OK\r\n"]
    assert ask(b'SETACTIVE "nothing"')[0].startswith(b"NO (NONEXISTENT)")


def test_what_is_no_name_is_refused_without_a_word_in_the_log(trying, talk, caplog):
    ask = talk(trying("managesieve_try_last=50"))
    assert ask(b'SETACTIVE "a/b"')[0].startswith(b'NO "a script name cannot contain')
    assert ask(b'SETACTIVE "%s"' % (b"x" * 129))[0].startswith(b'NO "the script name is longer')
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_without_the_setting_setactive_is_as_ever(trying, talk):
    ask = talk(trying())
    ask(b'PUTSCRIPT "a" "discard;"')
    assert ask(b'SETACTIVE "a"') == [b"OK\r\n"]


def test_a_trial_that_breaks_prevents_no_activation(trying, talk):
    ask = talk(trying("managesieve_try_last=50", tryout=Broken()))
    ask(b'PUTSCRIPT "a" "discard;"')
    assert ask(b'SETACTIVE "a"') == [b"OK\r\n"]
    assert ask(b"LISTSCRIPTS")[0] == b'"a" ACTIVE\r\n'


def test_warnings_have_little_time(trying, talk, monkeypatch):
    monkeypatch.setattr("sievemda.managesieve.trying._WARNING_SECONDS", 0.0)
    ask = talk(trying("managesieve_try_last=50", tryout=Endless()))
    ask(b'PUTSCRIPT "a" "discard;"')
    assert ask(b'SETACTIVE "a"') == [b"OK\r\n"]


@pytest.fixture
def unhurried(monkeypatch):
    """Warnings have more time than anybody waits."""
    monkeypatch.setattr("sievemda.managesieve.trying._WARNING_SECONDS", 2 * PATIENCE)


def test_warnings_of_many_keep_nobody_else_waiting(trying, connect, unhurried):
    endless = Endless()
    with running(trying("managesieve_try_last=50", tryout=endless)) as (address, _):
        activating, other = [login(connect(address)) for _ in range(6)], login(connect(address))
        other.send(b'PUTSCRIPT "a" "discard;"\r\n')
        assert other.line() == b"OK\r\n"
        for peer in activating:
            peer.send(b'SETACTIVE "a"\r\n')
        while endless.looked_at < 6:
            other.send(b"NOOP\r\n")
            assert other.line() == b"OK\r\n"
        other.send(b"LISTSCRIPTS\r\n")
        assert other.line() == b'"a" ACTIVE\r\n'
        assert other.line() == b"OK\r\n"


def test_a_server_that_stops_says_that_the_script_is_active(trying, connect, unhurried):
    endless = Endless()
    with running(trying("managesieve_try_last=50", tryout=endless)) as (address, _):
        peer = login(connect(address))
        peer.send(b'PUTSCRIPT "a" "discard;"\r\nSETACTIVE "a"\r\n')
        assert peer.line() == b"OK\r\n"
        while not endless.looked_at:
            login(connect(address)).send(b"LOGOUT\r\n")
    assert peer.line() == b"OK\r\n"
    assert peer.line().startswith(b"BYE (TRYLATER) ")
    assert endless.ended


# --- several active scripts ------------------------------------------------------------------------------------

SLOTS = ("sieve_active_slots=own=* webmail=managesieve", "managesieve_try_last=50")
OTHER = b'require "fileinto"; if header :contains "subject" "other" { fileinto "Lists"; }'


@pytest.fixture
def slotted(trying, talk):
    """Beside what a webmail client has active, which files lists, a script of one's own is stored."""
    ask = talk(trying(*SLOTS))
    for name, text in ((b"managesieve", LISTS), (b"mine", OTHER)):
        ask(b'PUTSCRIPT "%s" {%d+}\r\n%s' % (name, len(text), text))
    ask(b'SETACTIVE "managesieve"')
    return ask


def differing(lines):
    return [(each["subject"][:5], each["new"]["sentence"]) for each in told(lines, b"MESSAGE")]


def test_a_script_is_tried_in_its_slot_beside_those_of_others(slotted):
    assert differing(slotted(b'XTRYSCRIPT "mine" 50')) == [("other", "to Lists")]
    assert differing(slotted(b'XTRYSCRIPT "new" 50 {%d+}\r\n%s' % (len(OTHER), OTHER))) == [("other", "to Lists")]
    (line,) = slotted(b'SETACTIVE "mine"')
    assert line.startswith(b'OK (WARNINGS) "1 of your last 4 messages')


@pytest.mark.parametrize(("last", "gone"), [("mine", "other"), ("managesieve", "list ")])
def test_to_have_none_is_to_have_none_in_the_slot_of_the_client(slotted, last, gone):
    slotted(b'SETACTIVE "mine"')
    slotted(b'SETACTIVE "%s"' % last.encode())
    assert set(differing(slotted(b'XTRYSCRIPT "" 50'))) == {(gone, "to INBOX")}
    (line,) = slotted(b'SETACTIVE ""')
    assert line.startswith(b"OK (WARNINGS) ")
    assert gone.encode() in line


def test_to_have_none_where_one_has_none_makes_no_difference(slotted):
    slotted(b'SETACTIVE "mine"')
    slotted(b'SETACTIVE ""')
    slotted(b'PUTSCRIPT "mine" "keep;"')
    slotted(b'SETACTIVE "mine"')
    slotted(b'SETACTIVE ""')
    assert slotted(b'SETACTIVE ""') == [b"OK\r\n"]
    assert differing(slotted(b'XTRYSCRIPT "" 50')) == []
