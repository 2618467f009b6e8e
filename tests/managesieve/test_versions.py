"""Nobody's rules get lost: what sessions tell of the changes of others, and of the history."""

import base64

import pytest

from sievemda.auth.client import Client
from sievemda.managesieve.session import Session
from sievemda.state.versions import Actor
from tests.managesieve.conversation import LOGIN, Direct


class Visitor(Direct):
    """A session that speaks in commands."""

    def __init__(self, service, address="127.0.0.1", login=LOGIN, port=0):
        super().__init__(service, address)
        if port:
            self.session = Session(service, Client(address, port=port))
        self.output.clear()
        assert self.say(login) == [b"OK"]

    def say(self, octets):
        self.send(octets if octets.endswith(b"\r\n") else octets + b"\r\n")
        lines = bytes(self.output).split(b"\r\n")[:-1]
        self.output.clear()
        return lines

    def put(self, name, text):
        return self.say(b'PUTSCRIPT "%s" {%d+}\r\n%s' % (name.encode(), len(text), text))

    def get(self, name):
        return self.say(b'GETSCRIPT "%s"' % name.encode())

    def active(self):
        return [line.split(b'"')[1].decode() for line in self.say(b"LISTSCRIPTS") if line.endswith(b" ACTIVE")]


A, B, C = b"keep;", b"discard;", b"stop;"
PLAIN_ROOT_FOR_ALICE = b'AUTHENTICATE "PLAIN" "YWxpY2UAcm9vdAB0b29y"'
PLAIN_ROOT_FOR_GLOBAL = b'AUTHENTICATE "PLAIN" "%s"' % base64.b64encode(b"/global\0root\0toor")


@pytest.fixture
def visit(service):
    return lambda *a, **k: Visitor(service, *a, **k)


@pytest.fixture
def history(service):
    return lambda: service.keeper("alice", Actor()).history()


# -- versions ----------------------------------------------------------------------------------------------------------


def test_what_a_session_changes_is_in_the_history_with_its_address_and_user(visit, history):
    one = visit("::1")
    one.put("main", A)
    one.say(b'SETACTIVE "main"')
    one.say(b'RENAMESCRIPT "main" "other"')
    one.say(b'SETACTIVE ""')
    one.say(b'DELETESCRIPT "other"')
    assert [v.action for v in history()] == ["put", "activate", "rename", "deactivate", "delete"]
    assert {(v.actor, v.owner, v.address, v.via) for v in history()} == {("alice", "alice", "::1", "managesieve")}


def test_the_history_tells_who_acted_for_whom(visit, history):
    visit(login=PLAIN_ROOT_FOR_ALICE).put("main", A)
    assert [(v.actor, v.owner) for v in history()] == [("root", "alice")]


def test_an_upload_that_is_refused_is_no_version(visit, history):
    assert visit().put("main", b"nonsense;")[0].startswith(b"NO")
    assert history() == []


def test_a_history_that_cannot_be_written_is_trouble_that_passes(visit, service, history):
    one = visit()
    one.put("main", A)
    service.versions.close()
    path = service.settings.data / "state" / "versions.db"
    for file in path.parent.glob("versions.db*"):
        file.unlink()
    path.write_bytes(b"no database " * 1000)
    assert one.put("main", B) == [b'NO (TRYLATER) "the server has trouble; try again later"']
    assert one.get("main")[1] == A
    assert one.say(b"LISTSCRIPTS") == [b'"main"', b"OK"]


def test_without_versions_everything_works_and_none_is_kept(make_service):
    service = make_service("allowplaintext=yes", "sieve_versions=0")
    one = Visitor(service)
    assert one.put("main", A) == [b"OK"]
    assert one.say(b'SETACTIVE "main"') == [b"OK"]
    assert one.active() == ["main"]
    assert not (service.settings.data / "state" / "versions.db").exists()


# -- stale uploads -----------------------------------------------------------------------------------------------------


def test_an_upload_based_on_a_stale_copy_is_stored_and_told_of(visit, scripts):
    one, two = visit(), visit("::1")
    one.put("main", A)
    one.get("main")
    two.put("main", B)
    (told,) = one.put("main", C)
    assert told.startswith(b'OK (WARNINGS) "main has been replaced since you read it, by alice from ::1 on 2')
    assert told.endswith(
        b"your text is stored, and the other text is kept: GETSCRIPT /history/2,"
        b' or sievemda script get alice main --version 2"'
    )
    assert scripts.get("main") == C
    assert one.get("/history/2")[1] == B


@pytest.mark.parametrize(
    ("before", "between"),
    [
        ([], [b'PUTSCRIPT "main" "discard;"']),  # put without get
        ([b'GETSCRIPT "main"'], []),
        ([b'GETSCRIPT "main"'], [b'SETACTIVE "main"']),
        ([b'GETSCRIPT "main"'], [b'PUTSCRIPT "other" "discard;"']),
        ([b'GETSCRIPT "main"'], [b'PUTSCRIPT "main" "discard;"', b'PUTSCRIPT "main" "keep;"']),  # and back again
        ([b'GETSCRIPT "main"'], [b'PUTSCRIPT "main" "stop;"']),  # the very same change
        ([b'GETSCRIPT "main"', b'DELETESCRIPT "main"'], [b'PUTSCRIPT "main" "discard;"']),
        ([b'GETSCRIPT "main"', b'RENAMESCRIPT "main" "x"'], [b'PUTSCRIPT "main" "discard;"']),
        ([b'GETSCRIPT "main"', b"UNAUTHENTICATE", LOGIN], [b'PUTSCRIPT "main" "discard;"']),
        ([b'PUTSCRIPT "main" "discard;"'], []),
        ([b'PUTSCRIPT "main" "keep;"'], [b'PUTSCRIPT "main" "discard;"']),  # puts without get
        ([b'GETSCRIPT "other"', b'PUTSCRIPT "main" "keep;"'], [b'PUTSCRIPT "main" "discard;"']),
    ],
)
def test_an_upload_that_overwrites_nothing_unseen_is_not_stale(visit, before, between):
    visit("::1").put("main", A)
    one = visit()
    for command in before:
        one.say(command)
    two = visit("::1")
    for command in between:
        assert two.say(command) == [b"OK"]
    assert one.put("main", C) == [b"OK"]


@pytest.mark.parametrize(
    ("before", "between", "told"),
    [
        ([b'GETSCRIPT "main"'], [b'DELETESCRIPT "main"'], b"main has been deleted since you read it, by alice from ::1"),
        ([b'GETSCRIPT "main"'], [b'RENAMESCRIPT "main" "x"'], b"main has been renamed to x since"),
        (
            [b'GETSCRIPT "main"'],
            [b'DELETESCRIPT "main"', b'PUTSCRIPT "y" "discard;"', b'RENAMESCRIPT "y" "main"'],
            b"main has been replaced by what was y since",
        ),
        (
            [b'GETSCRIPT "main"', b'PUTSCRIPT "main" "keep;"'],
            [b'PUTSCRIPT "main" "discard;"'],
            b"main has been replaced since",
        ),
        ([b'GETSCRIPT "main"', b'RENAMESCRIPT "main" "new"', b'RENAMESCRIPT "new" "main"'],
         [b'PUTSCRIPT "main" "discard;"'], b"main has been replaced since"),
        ([b'GETSCRIPT "main"', b'SETACTIVE "main"', b"NOOP"], [b'PUTSCRIPT "main" "discard;"'], b"main has been replaced"),
    ],
)  # fmt: skip
def test_what_others_did_meanwhile_is_told(visit, before, between, told):
    visit("::1").put("main", A)
    one = visit()
    for command in before:
        one.say(command)
    two = visit("::1")
    for command in between:
        assert two.say(command) == [b"OK"]
    (answer,) = one.put("main", C)
    assert answer.startswith(b'OK (WARNINGS) "' + told)


@pytest.mark.parametrize(
    "between",
    [
        [b'SETACTIVE "main"'],
        [b'SETACTIVE "main"', b'SETACTIVE ""'],
        [b'SETACTIVE "main"', b'SETACTIVE "other"'],
    ],
)
def test_who_has_replaced_the_text_is_told_and_not_who_has_activated_it(visit, between):
    visit().put("main", A)
    one = visit()
    one.get("main")
    visit("::1").put("main", B)
    another = visit()
    another.put("other", A)
    for command in between:
        assert another.say(command) == [b"OK"]
    (answer,) = one.put("main", C)
    assert answer.startswith(b'OK (WARNINGS) "main has been replaced since you read it, by alice from ::1 on 2')
    assert b"GETSCRIPT /history/2," in answer
    assert one.get("/history/2")[1] == B


def test_a_change_without_a_text_says_so(visit):
    one = visit()
    one.put("main", A)
    one.say(b'SETACTIVE "main"')
    one.say(b'SETACTIVE ""')
    assert one.get("/history/3") == [b'NO (NONEXISTENT) "that change has no text, or it is not kept any more"']


def test_a_change_by_hand_makes_a_copy_stale_too(visit, scripts, service):
    one = visit()
    one.put("main", A)
    one.get("main")
    (service.homes.home("alice") / "sieve" / "main.sieve").write_bytes(B)
    (answer,) = one.put("main", C)
    assert b"replaced since you read it, by somebody at the server on" in answer
    assert one.get("/history/2")[1] == B


def test_a_stale_upload_is_told_of_once(visit):
    one, two = visit(), visit()
    one.put("main", A)
    one.get("main")
    two.put("main", B)
    assert one.put("main", C) != [b"OK"]
    assert one.put("main", A) == [b"OK"]


def test_warnings_of_the_script_stand_behind_that_of_the_stale_copy(visit):
    one, two = visit(), visit()
    one.put("main", A)
    one.get("main")
    two.put("main", B)
    (answer,) = one.put("main", b'require "include"; include :personal "nope";')
    assert answer.index(b"has been replaced") < answer.index(b"line 1: ")


def test_an_administrator_is_told_of_by_his_office_alone(visit, service):
    one = visit()
    one.put("main", A)
    one.get("main")
    service.keeper("alice", Actor("root (uid 0)", "command line", "command")).put("main", B)
    (answer,) = one.put("main", C)
    assert b"by the administrator on" in answer
    assert b"uid" not in answer


# -- the history as a script -------------------------------------------------------------------------------------------


def test_the_history_can_be_read_as_a_script_of_comments(visit):
    one = visit("::1")
    one.put("main", A)
    one.say(b'SETACTIVE "main"')
    lines = one.get("/history")[1:-2]
    assert all(line.startswith(b"#") for line in lines)
    assert lines[1].endswith(b'"main" activated by alice from ::1')
    assert lines[2].endswith(b'"main" stored, 5 octets by alice from ::1')


def test_the_history_of_nothing_is_one_line(visit):
    assert len(visit().get("/history")[1:-2]) == 1


@pytest.mark.parametrize(
    "name", ["/history/9", "/history/0", "/history/x", "/history/", "/history/99999999999999999999"]
)
def test_a_version_that_is_not_there_does_not_exist(visit, name):
    assert visit().get(name) == [b'NO (NONEXISTENT) "there is no such version"']


def test_nobody_reads_the_history_of_another(visit, service):
    service.keeper("bob", Actor("bob", "192.0.2.9", "managesieve")).put("secret", A)
    assert visit().get("/history/1")[0].startswith(b"NO (NONEXISTENT)")


@pytest.mark.parametrize(
    "command",
    [
        b'PUTSCRIPT "/history" "keep;"',
        b'SETACTIVE "/history/1"',
        b'DELETESCRIPT "/history"',
        b'RENAMESCRIPT "/history" "mine"',
        b'RENAMESCRIPT "main" "/history"',
        b'HAVESPACE "/history" 10',
    ],
)
def test_the_history_can_only_be_read(visit, command):
    one = visit()
    one.put("main", A)
    (answer,) = one.say(command)
    assert answer.startswith(b'NO "/history')
    assert answer.endswith(b'can only be read"')


def test_the_history_is_listed_where_the_site_wants_it(make_service):
    one = Visitor(make_service("allowplaintext=yes", "managesieve_history=list"))
    assert one.say(b"LISTSCRIPTS") == [b'"/history"', b"OK"]


def test_the_history_is_not_shown_where_the_site_does_not_want_it(make_service):
    one = Visitor(make_service("allowplaintext=yes", "managesieve_history=off"))
    one.put("main", A)
    assert one.get("/history")[0].startswith(b"NO")
    Visitor(one.session._service).put("main", B)
    assert b"GETSCRIPT" not in one.put("main", C)[0]


# -- several active scripts --------------------------------------------------------------------------------------------

SLOTS = ("allowplaintext=yes", "sieve_active_slots=own=* webmail=managesieve|roundcube sogo")


@pytest.fixture
def slotted(make_service):
    return make_service(
        *SLOTS, "managesieve_slots=4191=webmail 192.0.2.7=sogo root=sogo", "managesieve_listen=inet:127.0.0.1:4191"
    )


def test_each_client_activates_only_its_own(slotted):
    person, webmail, groupware = (
        Visitor(slotted),
        Visitor(slotted, port=4191),
        Visitor(slotted, login=PLAIN_ROOT_FOR_ALICE),
    )
    for session, name in ((groupware, "sogo"), (webmail, "managesieve"), (person, "my rules")):
        session.put(name, A)
        assert session.say(b'SETACTIVE "%s"' % name.encode()) == [b"OK"]
    assert [s.active() for s in (person, webmail, groupware)] == [["my rules"], ["managesieve"], ["sogo"]]
    assert slotted.scripts("alice").state().active == ("my rules", "managesieve", "sogo")


def test_activating_takes_the_place_of_the_one_in_the_same_slot(slotted):
    webmail = _beside_sogo(slotted)
    for name in ("managesieve", "roundcube"):
        webmail.put(name, A)
        webmail.say(b'SETACTIVE "%s"' % name.encode())
    assert slotted.scripts("alice").state().active == ("roundcube", "sogo")
    assert webmail.active() == ["roundcube"]


def test_deactivating_leaves_those_of_others(slotted):
    webmail = _beside_sogo(slotted)
    webmail.put("managesieve", A)
    webmail.say(b'SETACTIVE "managesieve"')
    assert webmail.say(b'SETACTIVE ""') == [b"OK"]
    assert webmail.active() == []
    assert slotted.scripts("alice").state().active == ("sogo",)
    assert webmail.say(b'SETACTIVE ""') == [b"OK"]
    assert slotted.scripts("alice").state().active == ("sogo",)


def test_a_client_that_looks_after_a_slot_is_shown_no_scripts_of_others(slotted):
    webmail = _beside_sogo(slotted)
    Visitor(slotted).put("my rules", A)
    assert webmail.say(b"LISTSCRIPTS") == [b"OK"]
    webmail.put("managesieve", A)
    assert webmail.say(b"LISTSCRIPTS") == [b'"managesieve"', b"OK"]
    assert Visitor(slotted).say(b"LISTSCRIPTS") == [b'"managesieve"', b'"my rules"', b'"sogo" ACTIVE', b"OK"]


@pytest.mark.parametrize(
    "command",
    [
        b'PUTSCRIPT "sogo" "discard;"',
        b'HAVESPACE "sogo" 10',
        b'SETACTIVE "my rules"',
        b'DELETESCRIPT "sogo"',
        b'RENAMESCRIPT "sogo" "managesieve"',
        b'RENAMESCRIPT "managesieve" "my rules"',
    ],
)
def test_a_client_that_looks_after_a_slot_changes_no_scripts_of_others(slotted, command):
    webmail = _beside_sogo(slotted)
    webmail.put("managesieve", A)
    Visitor(slotted).put("my rules", A)
    (answer,) = webmail.say(command)
    assert answer.startswith(b'NO "')
    assert answer.endswith(b' is not for this client: it looks after the scripts of the slot webmail"')
    store = slotted.scripts("alice")
    assert [script.name for script in store.list()] == ["managesieve", "my rules", "sogo"]
    assert store.state().active == ("sogo",)
    assert store.get("sogo") == A


def test_a_renaming_into_a_slot_that_has_an_active_script_is_refused(slotted):
    person = Visitor(slotted)
    for name in ("my rules", "sogo"):
        person.put(name, A)
        person.say(f'SETACTIVE "{name}"'.encode())
    (answer,) = person.say(b'RENAMESCRIPT "sogo" "old sogo"')
    assert answer.startswith(b'NO (ACTIVE) "')
    assert b"would be active beside" in answer
    assert person.say(b"LISTSCRIPTS") == [b'"my rules"', b'"sogo" ACTIVE', b"OK"]


def test_an_administrator_who_looks_after_a_slot_sees_the_scripts_of_the_site(make_service, tmp_path):
    service = make_service(*SLOTS, "managesieve_slots=root=sogo", f"sieve_global={tmp_path / 'global'}")
    one = Visitor(service, login=PLAIN_ROOT_FOR_GLOBAL)
    one.put("spam", A)
    assert one.say(b"LISTSCRIPTS") == [b'"spam"', b"OK"]


def _beside_sogo(service):
    """The web mail of somebody for whom SOGo has put a script already."""
    groupware = Visitor(service, login=PLAIN_ROOT_FOR_ALICE)
    groupware.put("sogo", A)
    groupware.say(b'SETACTIVE "sogo"')
    return Visitor(service, port=4191)


def test_a_client_that_is_not_named_sees_the_slot_that_it_works_on(slotted):
    one = Visitor(slotted)
    for name in ("main", "sogo"):
        one.put(name, A)
        one.say(b'SETACTIVE "%s"' % name.encode())
    assert one.active() == ["sogo"]
    assert Visitor(slotted).active() == ["main"]


def test_deactivation_without_slots_leaves_nothing_active(visit, scripts):
    one = visit()
    one.put("main", A)
    one.say(b'SETACTIVE "main"')
    one.say(b'SETACTIVE ""')
    assert scripts.state().active == ()
