"""What a session is told when its user is not there any more, or may not stay; and when that cannot be told."""

import time
from base64 import b64encode

import pytest

from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.users import Users
from sievemda.errors import NotFound, TemporaryTrouble
from sievemda.managesieve import stay
from sievemda.managesieve.scripts import Scripts
from sievemda.scripts.opening import keeper_of
from sievemda.state.credentials import Credentials
from sievemda.state.versions import Actor
from sievemda.store.denials import set_denials
from sievemda.store.names import MailboxName
from tests.managesieve.conversation import LOGIN, Direct, skip_to

GONE = b'BYE "there is no mailbox for this user any more"\r\n'
DENIED = b'BYE "this user is not allowed in now"\r\n'
TROUBLE = b'NO (TRYLATER) "the server has trouble; try again later"\r\n'
ALICE, NEW = MailboxName("alice"), MailboxName("alice.jones")
COMMANDS = [
    b"LISTSCRIPTS",
    b'GETSCRIPT "a"',
    b'GETSCRIPT "/history"',
    b'HAVESPACE "b" 9',
    b'PUTSCRIPT "b" "keep;"',
    b'PUTSCRIPT "b" "this is no script"',
    b'CHECKSCRIPT "keep;"',
    b'SETACTIVE "a"',
    b'SETACTIVE ""',
    b'RENAMESCRIPT "a" "b"',
    b'DELETESCRIPT "a"',
    b'XTRYSCRIPT "a" 1',
]


class Peer(Direct):
    def __init__(self, service, login=LOGIN):
        super().__init__(service)
        skip_to(self, b"OK\r\n")
        assert self.ask(login) == b"OK\r\n"

    def ask(self, octets):
        self.send(octets)
        said, self.output = bytes(self.output), bytearray()
        return said


def as_root(owner):
    return b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64encode(b"%s\0root\0toor" % owner)


@pytest.fixture
def site(service):
    peer = Peer(service)
    assert peer.ask(b'PUTSCRIPT "a" "keep;"\r\nSETACTIVE "a"\r\n') == b"OK\r\nOK\r\n"
    return service


def renamed(service):
    service.homes.rename(ALICE, NEW)


def deleted(service):
    service.homes.delete(ALICE)


def made_anew(service):
    """Somebody else has the name now, and has scripts."""
    service.homes.delete(ALICE)
    service.homes.create(ALICE)
    other = service.keeper("alice", Actor())
    for name in ("a", "theirs"):
        other.put(name, b"discard;")


def files(service):
    home = service.homes.home("alice")
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


@pytest.mark.parametrize("login", [LOGIN, as_root(b"alice")], ids=["himself", "administrator"])
@pytest.mark.parametrize("change", [renamed, deleted, made_anew])
def test_a_session_whose_user_has_gone_ends(site, change, login):
    peers = {command: Peer(site, login) for command in COMMANDS}
    change(site)
    before = files(site)
    for command, peer in peers.items():
        assert peer.ask(command + b'\r\nPUTSCRIPT "c" "keep;"\r\n') == GONE, command
        assert peer.closed
    assert files(site) == before


def test_a_session_whose_user_is_shut_out_ends(site):
    peers = {command: Peer(site) for command in COMMANDS}
    set_denials(site.homes.find(ALICE), {"sieve": "Account disabled"})
    for command, peer in peers.items():
        assert peer.ask(command + b"\r\n") == DENIED, command
        assert peer.closed
    assert [script.name for script in site.scripts("alice").list()] == ["a"]


def test_who_is_shut_out_of_mail_alone_goes_on(site):
    peer = Peer(site)
    set_denials(site.homes.find(ALICE), {"lmtp": "being moved"})
    assert peer.ask(b"LISTSCRIPTS\r\n") == b'"a" ACTIVE\r\nOK\r\n'


def test_what_is_no_work_on_scripts_is_answered_all_the_same(site):
    peer = Peer(site)
    deleted(site)
    assert peer.ask(b"NOOP\r\nUNAUTHENTICATE\r\n") == b"OK\r\nOK\r\n"
    assert peer.ask(LOGIN) == b'NO "there is no mailbox for this user"\r\n'


def test_who_is_called_as_before_again_goes_on(site):
    peer = Peer(site)
    renamed(site)
    site.homes.rename(NEW, ALICE)
    assert peer.ask(b"LISTSCRIPTS\r\n") == b'"a" ACTIVE\r\nOK\r\n'


def test_a_user_whose_inbox_an_imap_server_made_gets_his_id_at_login(site):
    inbox = site.homes.find(ALICE)
    (inbox.path / "sievemda-mailbox").unlink()
    peer = Peer(site)
    assert peer.ask(b"LISTSCRIPTS\r\n") == b'"a" ACTIVE\r\nOK\r\n'
    assert (inbox.path / "sievemda-mailbox").exists()


@pytest.mark.parametrize("command", [b"LISTSCRIPTS", b'GETSCRIPT "a"'])
def test_what_is_read_is_never_that_of_somebody_who_has_just_got_the_name(site, command, monkeypatch):
    peer = Peer(site)
    for method in ("listed", "get"):
        read = getattr(Scripts, method)

        def after_the_look(*arguments, read=read):
            made_anew(site)
            return read(*arguments)

        monkeypatch.setattr(Scripts, method, after_the_look)
    assert peer.ask(command + b"\r\n") == GONE


@pytest.mark.parametrize("versions", ["100", "0"])
def test_what_is_changed_is_never_that_of_somebody_who_has_just_got_the_name(make_service, versions):
    service = make_service(f"sieve_versions={versions}")
    keeper = keeper_of(
        service.settings, service.homes, service.versions, "alice", Actor(), service.inbox_of("alice") or ""
    )
    made_anew(service)
    for change in (
        lambda: keeper.put("a", b"keep;"),
        lambda: keeper.activate("a"),
        keeper.deactivate,
        lambda: keeper.rename("a", "b"),
        lambda: keeper.delete("a"),
    ):
        with pytest.raises(NotFound):
            change()
    assert service.scripts("alice").everything() == ({"a": b"discard;", "theirs": b"discard;"}, ())


def test_a_command_that_fails_because_the_user_goes_meanwhile_says_so(site, monkeypatch):
    peer, put = Peer(site), Scripts.put
    monkeypatch.setattr(Scripts, "put", lambda *arguments: (deleted(site), put(*arguments))[1])
    assert peer.ask(b'PUTSCRIPT "b" "keep;"\r\n') == GONE
    assert files(site) == []


def test_a_trial_ends_when_the_user_goes(site, monkeypatch):
    """In the middle of its answer, which ends with NO; the next command ends the session."""
    peer = Peer(site)

    def pieces(*_):
        yield b'"PROGRESS" "1"\r\n'
        deleted(site)
        yield b'"MESSAGE" "not for him"\r\n'

    monkeypatch.setattr(Scripts, "try_out", pieces)
    answer = peer.session.handle(("XTRYSCRIPT", b"a", "9"))
    told = list(iter(lambda: peer.session.piece(answer), None))
    assert told == [b'"PROGRESS" "1"\r\n', b'NO "there is no mailbox for this user any more"\r\n']
    assert peer.ask(b'HAVESPACE "b" 9\r\n') == GONE


def test_what_an_activation_changes_is_not_said_of_the_mail_of_somebody_else(site, monkeypatch):
    """It was done all the same."""
    peer = Peer(site)

    def pieces(*_):
        made_anew(site)
        yield b'OK (WARNINGS) "not for him"\r\n'

    monkeypatch.setattr(Scripts, "activate", pieces)
    answer = peer.session.handle(("SETACTIVE", b"a"))
    assert list(iter(lambda: peer.session.piece(answer), None)) == [b"OK\r\n"]
    assert peer.ask(b'HAVESPACE "b" 9\r\n') == GONE


def test_a_move_to_another_partition_is_nothing_to_a_session(make_service, tmp_path):
    sets = ("allowplaintext=yes", f"partition-default={tmp_path}/mail", f"partition-two={tmp_path}/two")
    service = make_service(*sets, "defaultpartition=default")
    peer = Peer(service)
    assert peer.ask(b'PUTSCRIPT "a" "keep;"\r\n') == b"OK\r\n"
    service.homes.rename(ALICE, ALICE, partition="two")
    assert peer.ask(b'PUTSCRIPT "b" "keep;"\r\nLISTSCRIPTS\r\n') == b'OK\r\n"a"\r\n"b"\r\nOK\r\n'
    assert (tmp_path / "two/user/alice/sieve/b.sieve").exists()


@pytest.mark.parametrize(
    ("command", "answer"), [(b"LISTSCRIPTS", b'"a"\r\nOK\r\n'), (b'GETSCRIPT "a"', b"{5}\r\nkeep;\r\nOK\r\n")]
)
def test_what_moves_while_it_is_read_is_read_where_it_is_then(make_service, tmp_path, monkeypatch, command, answer):
    sets = ("allowplaintext=yes", f"partition-default={tmp_path}/mail", f"partition-two={tmp_path}/two")
    service = make_service(*sets, "defaultpartition=default")
    peer = Peer(service)
    assert peer.ask(b'PUTSCRIPT "a" "keep;"\r\n') == b"OK\r\n"
    for method in ("_listed", "_got"):
        read = getattr(Scripts, method)

        def after_the_move(*arguments, read=read):
            if not (tmp_path / "two/user/alice").exists():
                service.homes.rename(ALICE, ALICE, partition="two")
            return read(*arguments)

        monkeypatch.setattr(Scripts, method, after_the_move)
    assert peer.ask(command + b"\r\n") == answer


@pytest.fixture
def away(site):
    """Takes the disk with the mail away, so that its mount point is empty; what it gives brings it back."""
    mail = site.settings.data / "mail"

    def away():
        mail.rename(site.settings.data / "elsewhere")
        mail.mkdir()

        def back():
            assert list(mail.iterdir()) == []
            mail.rmdir()
            (site.settings.data / "elsewhere").rename(mail)

        return back

    return away


@pytest.mark.parametrize("login", [LOGIN, as_root(b"alice")], ids=["himself", "administrator"])
def test_while_the_disk_is_away_a_session_is_told_to_try_later(site, away, login):
    peers = {command: Peer(site, login) for command in COMMANDS}
    back = away()
    for command, peer in peers.items():
        assert peer.ask(command + b"\r\n") == TROUBLE, command
    back()
    for command, peer in peers.items():
        assert peer.ask(b"LISTSCRIPTS\r\n") == b'"a" ACTIVE\r\nOK\r\n', command


def test_a_login_while_the_disk_is_away_has_not_failed(site, away):
    """It is no attempt that counts, and no administrator finds himself among the scripts of the site."""
    site.homes.create(MailboxName("root"))
    peer = Direct(site)
    skip_to(peer, b"OK\r\n")
    back = away()
    for login in (LOGIN, as_root(b"")):
        peer.send(login)
        assert bytes(peer.output) == TROUBLE
        peer.output.clear()
    assert peer.session.failures == 0
    back()
    peer.send(LOGIN)
    assert bytes(peer.output) == b"OK\r\n"


@pytest.mark.parametrize("mount_point", [True, False])
def test_while_the_history_is_away_scripts_are_read_and_not_changed(site, mount_point):
    """What could not be noted is not done, and none of it is in the history when that is back."""
    peers, state = {command: Peer(site) for command in COMMANDS}, site.settings.data / "state"
    before = site.keeper("alice", Actor()).history()
    state.rename(site.settings.data / "elsewhere")
    if mount_point:
        state.mkdir()
    reads = {b"LISTSCRIPTS", b'GETSCRIPT "a"', b'HAVESPACE "b" 9', b'CHECKSCRIPT "keep;"'}
    for command in COMMANDS[:5] + COMMANDS[6:-1]:
        said = peers[command].ask(command + b"\r\n")
        assert said.endswith(b"OK\r\n") if command in reads else said == TROUBLE, command
    assert list(state.parent.glob("state/*")) == []
    if mount_point:
        state.rmdir()
    (site.settings.data / "elsewhere").rename(state)
    assert site.scripts("alice").everything() == ({"a": b"keep;"}, ("a",))
    assert site.keeper("alice", Actor()).history() == before
    assert peers[b'SETACTIVE ""'].ask(b'SETACTIVE ""\r\nPUTSCRIPT "b" "keep;"\r\n') == b"OK\r\nOK\r\n"


# -- passwords ---------------------------------------------------------------------------------------------------------

CHANGED = b'BYE "your password has been changed; log in again"\r\n'


@pytest.fixture
def later(monkeypatch):
    """Puts the clock of sessions forward."""
    ahead = [0.0]
    monkeypatch.setattr(stay, "monotonic", lambda now=time.monotonic: now() + ahead[0])

    def later(seconds=6.0):
        ahead[0] += seconds

    return later


@pytest.mark.parametrize("login", [LOGIN, as_root(b"alice"), as_root(b"/global")], ids=["himself", "proxy", "global"])
@pytest.mark.parametrize("change", ["another", "none"])
def test_who_has_another_password_or_none_has_to_log_in_again(make_service, later, login, change):
    service = make_service("allowplaintext=yes", "sieve_global=global")
    peers = {command: Peer(service, login) for command in COMMANDS}
    name = "alice" if login is LOGIN else "root"
    service.users.forget(name)
    if change == "another":
        service.users.set_password(name, "another")
    later()
    for command, peer in peers.items():
        assert peer.ask(command + b"\r\n") == CHANGED, command
        assert peer.closed


def test_who_works_for_another_does_not_depend_on_the_password_of_that_one(site, later):
    peer = Peer(site, as_root(b"alice"))
    site.users.set_password("alice", "another")
    later()
    assert peer.ask(b"LISTSCRIPTS\r\n") == b'"a" ACTIVE\r\nOK\r\n'


def test_who_gets_verifiers_beside_his_password_goes_on(site, later):
    """As when he logs in by PLAIN in another session, and the site keeps what SCRAM wants from then on."""
    kept = site.users.kept("alice")
    site.users.keep("alice", {"argon2id": kept["argon2id"]})
    peer = Peer(site)
    site.users.keep("alice", kept)
    later()
    assert peer.ask(b"LISTSCRIPTS\r\n") == b'"a" ACTIVE\r\nOK\r\n'


def test_passwords_are_looked_at_now_and_then_and_not_for_each_command(site, later, monkeypatch):
    peer, looks, mark = Peer(site), [], Users.mark
    monkeypatch.setattr(Users, "mark", lambda *arguments: looks.append(1) or mark(*arguments))
    frozen = time.monotonic()
    monkeypatch.setattr(stay, "monotonic", lambda: frozen)
    for _ in range(9):
        assert peer.ask(b'HAVESPACE "b" 9\r\n') == b"OK\r\n"
    assert looks == []
    monkeypatch.setattr(stay, "monotonic", lambda: frozen + 6)
    for _ in range(9):
        assert peer.ask(b'HAVESPACE "b" 9\r\n') == b"OK\r\n"
    assert looks == [1]


def test_a_database_that_does_not_answer_ends_no_session_and_is_left_alone_for_a_while(site, later, monkeypatch):
    peer, looks = Peer(site), []

    def trouble(*_):
        looks.append(1)
        raise TemporaryTrouble("it does not answer")

    monkeypatch.setattr(Users, "mark", trouble)
    for _ in range(9):
        later()
        assert peer.ask(b'HAVESPACE "b" 9\r\n') == b"OK\r\n"
    assert looks == [1]


@pytest.mark.parametrize("line", ["alice:{PLAIN}another", "alice:{PLAIN}secret::::::nologin", "bob:{PLAIN}secret"])
def test_a_password_in_a_file_is_looked_at_too(make_service, tmp_path, later, line):
    path = tmp_path / "passwd"
    path.write_text("alice:{PLAIN}secret\n")
    service = make_service("allowplaintext=yes")
    backend = PasswdFile(path, "PLAIN", service.settings.site)
    object.__setattr__(service, "users", Users(Credentials(tmp_path / "none.db"), service.settings.site, [backend]))
    first, second = Peer(service), Peer(service)
    path.write_text("# changed in another place\nalice:{PLAIN}secret:1000:1000\n")
    later()
    assert first.ask(b"LISTSCRIPTS\r\n") == b"OK\r\n"
    path.write_text(f"{line}\n")
    later()
    assert first.ask(b"LISTSCRIPTS\r\n") == second.ask(b"LISTSCRIPTS\r\n") == CHANGED
