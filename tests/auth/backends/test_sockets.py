"""saslauthd and Dovecot as they are not meant to be; as they are, they stand in tests/interop."""

import base64
import struct
import threading

import pytest

from sievemda.auth.backends import Verdict
from sievemda.auth.backends.asking import asked_name
from sievemda.auth.backends.dovecot import Dovecot
from sievemda.auth.backends.saslauthd import Saslauthd
from sievemda.auth.chain import users_of
from sievemda.auth.client import Client
from sievemda.errors import ConfigurationError, TemporaryTrouble

HELLO = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n"
KINDS = {"saslauthd": Saslauthd, "dovecot": Dovecot}
HERE = Client("192.0.2.7")


def counted(text):
    return struct.pack(">H", len(text)) + text


def dovecot_that_says(answer):
    def serve(connection, heard):
        connection.sendall(HELLO)
        with connection.makefile("rb") as file:
            heard.extend(iter(file.readline, b"")) if answer is None else heard.extend(
                file.readline() for _ in range(3)
            )
        connection.sendall(answer)

    return serve


@pytest.fixture
def make(settings):
    return lambda kind, path, *sets: KINDS[kind](path, settings(*sets))


@pytest.mark.parametrize("kind", KINDS)
def test_a_socket_that_is_not_there_is_trouble(make, place, kind):
    backend = make(kind, place / "none")
    for ask in (lambda: backend.check("alice", "pencil", HERE), backend.probe):
        with pytest.raises(TemporaryTrouble, match="none: No such file"):
            ask()


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_that_is_too_long_for_a_socket_is_trouble(make, place, kind):
    with pytest.raises(TemporaryTrouble):
        make(kind, place / ("x" * 200)).check("alice", "pencil", HERE)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_is_trouble(make, sham, kind):
    with pytest.raises(TemporaryTrouble, match="no answer in time"):
        make(kind, sham(None).path).check("alice", "pencil", HERE)


@pytest.mark.parametrize("kind", KINDS)
def test_while_it_is_silent_only_one_waits_for_it(make, sham, kind):
    server = sham(None)
    backend = make(kind, server.path)
    found = []

    def ask():
        try:
            backend.check("alice", "pencil", HERE)
        except TemporaryTrouble as e:
            found.append(str(e))

    ask()
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server._open) < 21
    assert any("not answered lately" in text for text in found)
    server.says = counted(b"OK") if kind == "saslauthd" else dovecot_that_says(b"OK\t1\tuser=alice\n")
    assert backend.check("alice", "pencil", HERE).verdict is Verdict.RIGHT
    assert backend.check("alice", "pencil", HERE).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    "says",
    [
        b"", b"\0", b"\0\0", b"\0\2O", b"\0\2ok", b"\0\3OKA", b"\0\4YES!", b"\0\3NOT", b"OK", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\xff" + b"A" * 70000,
        counted(b"NO [ALERT] The remote authentication server is currently unavailable"),
        counted(b"NO saslauthd internal error"), counted(b"NO PAM start error"),
    ],
)  # fmt: skip
def test_nonsense_of_saslauthd_is_trouble(make, sham, says):
    with pytest.raises(TemporaryTrouble):
        make("saslauthd", sham(says).path).check("alice", "pencil", HERE)


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        (b"OK", Verdict.RIGHT),
        (b"OK success", Verdict.RIGHT),
        (b"NO", Verdict.UNKNOWN),
        (b"NO PAM auth error", Verdict.UNKNOWN),
        (b"NO authentication failed", Verdict.UNKNOWN),
        (b"NO Incorrect password", Verdict.WRONG),
        (b"NO Account expired", Verdict.WRONG),
    ],
)
def test_what_saslauthd_says(make, sham, says, verdict):
    assert make("saslauthd", sham(counted(says)).path).check("alice", "pencil", HERE).verdict is verdict


def test_saslauthd_is_asked_with_counted_fields(make, sham):
    server = sham(counted(b"OK"))
    make("saslauthd", server.path).check("alice@example.org", "p ü", Client("192.0.2.7", service="lmtp"))
    assert server.heard == [counted(b"alice") + counted("p ü".encode()) + counted(b"lmtp") + counted(b"example.org")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("user", "password"),
    [("", "x"), ("alice", ""), ("a\0b", "x"), ("alice", "x\0y"), ("x" * 10_000, "x"), ("alice", "x" * 70_000), ("\udcff", "x"), ("alice", "\udcff")],
)  # fmt: skip
def test_what_nobody_can_be_called_is_not_asked_for(make, sham, kind, user, password):
    server = sham(counted(b"OK") if kind == "saslauthd" else dovecot_that_says(b"OK\t1\tuser=alice\n"))
    assert make(kind, server.path).check(user, password, HERE).verdict is Verdict.UNKNOWN
    assert server.heard == []


@pytest.mark.parametrize("name", ["al\tice", "al\nice", "al\1tice", "a*b", "a)(uid=*", "a%u", "resp=x", "alice\r"])
def test_a_hostile_name_stays_a_name(make, sham, name):
    server = sham(dovecot_that_says(b"FAIL\t1\n"))
    assert make("dovecot", server.path).check(name, "x\ty\n", HERE).verdict is Verdict.UNKNOWN
    version, cpid, auth = server.heard
    assert version == b"VERSION\t1\t1\n"
    assert cpid.startswith(b"CPID\t")
    *words, response = auth.rstrip(b"\n").split(b"\t")
    assert words == [b"AUTH", b"1", b"PLAIN", b"service=sieve", b"secured", b"no-penalty", b"rip=192.0.2.7"]
    assert base64.b64decode(response.removeprefix(b"resp=")) == f"\0{name}\0x\ty\n".encode()
    server = sham(counted(b"NO"))
    make("saslauthd", server.path).check(name, "x", HERE)
    assert server.heard == [counted(name.encode()) + counted(b"x") + counted(b"sieve") + counted(b"")]


@pytest.mark.parametrize(
    "says",
    [
        b"", b"\n", b"VERSION\t2\t0\nMECH\tPLAIN\nDONE\n", b"MECH\tPLAIN\nDONE\n", b"VERSION\n", b"DONE\n", b"\0" * 100_000, b"VERSION\t1\t1\n" + b"MECH\tPLAIN\n" * 10_000,
        b"VERSION\t1\t1\nMECH\tLOGIN\nDONE\n", b"HTTP/1.1 200 OK\r\n\r\n", b"220 mail ESMTP\r\n", HELLO + b"x" * 100_000, HELLO + b"OK\t2\tuser=alice\n", HELLO + b"OK\n", HELLO + b"x\n" * 1000,
    ],
)  # fmt: skip
def test_nonsense_of_dovecot_is_trouble(make, sham, says):
    with pytest.raises(TemporaryTrouble):
        make("dovecot", sham(says).path).check("alice", "pencil", HERE)


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        (b"OK\t1\tuser=alice\n", Verdict.RIGHT),
        (b"OK\t1\n", Verdict.RIGHT),
        (b"MECH\tLOGIN\nOK\t9\tuser=bob\nOK\t1\tuser=alice\n", Verdict.RIGHT),
        (b"OK\t1\tuser=alice\tnologin\treason=closed\n", Verdict.WRONG),
        (b"FAIL\t1\tuser=alice\n", Verdict.UNKNOWN),
        (b"FAIL\t1\n", Verdict.UNKNOWN),
        (b"FAIL\t1\tuser=alice\tuser_disabled\n", Verdict.WRONG),
        (b"FAIL\t1\tuser=alice\tcode=pass_expired\n", Verdict.WRONG),
    ],
)
def test_what_dovecot_says(make, sham, says, verdict):
    assert make("dovecot", sham(dovecot_that_says(says)).path).check("alice", "pencil", HERE).verdict is verdict


@pytest.mark.parametrize(
    "says", [b"FAIL\t1\tuser=alice\ttemp\n", b"FAIL\t1\tcode=temp_fail\n", b"CONT\t1\t\n", b"OK\t1"]
)
def test_dovecot_in_trouble_is_trouble(make, sham, says):
    with pytest.raises(TemporaryTrouble):
        make("dovecot", sham(dovecot_that_says(says)).path).check("alice", "pencil", HERE)


def test_who_dovecot_says_it_is_may_be_another(sham, settings):
    server = sham(dovecot_that_says(b"OK\t1\tuser=bob\n"))
    users = users_of(settings("auth_backends=dovecot", f"dovecot_auth_socket={server.path}"))
    assert users.check_password("alice", "pencil") == "bob"


@pytest.mark.parametrize("name", [b"a/b", b"..", b"\xff", b"a\1tb", b"x" * 300])
def test_who_cannot_be_a_user_is_none_whatever_dovecot_says(sham, settings, name):
    server = sham(dovecot_that_says(b"OK\t1\tuser=" + name + b"\n"))
    users = users_of(settings("auth_backends=dovecot", f"dovecot_auth_socket={server.path}"))
    assert users.check_password("alice", "pencil") is None


@pytest.mark.parametrize(
    ("form", "user", "asked"),
    [
        ("{user}", "alice", "alice"),
        ("{user}", "alice@other.example", "alice@other.example"),
        ("{local}@{domain}", "alice", "alice@example.org"),
        ("{local}@{domain}", "alice@other.example", "alice@other.example"),
        ("{domain}/{local}", "alice", "example.org/alice"),
        ("{local}", "{domain}@x.example", "{domain}"),
    ],
)
def test_users_are_called_otherwise_in_other_programs(settings, form, user, asked):
    assert asked_name(user, settings(f"auth_username_format={form}", "defaultdomain=example.org")) == asked


@pytest.mark.parametrize("form", ["", "alice", "{nonsense}", "{user", "{domain}", "{local}{uid}"])
def test_a_form_that_would_call_all_alike_is_refused(settings, form):
    with pytest.raises(ConfigurationError, match="auth_username_format"):
        settings(f"auth_username_format={form}")


# --- several back ends ------------------------------------------------------------------------------------------


@pytest.fixture
def chain(settings, place, sham):
    (place / "users").write_text("alice:{PLAIN}file\nbob:{PLAIN}file\n")
    server = sham(counted(b"OK"))

    def make(order):
        sets = [f"auth_backends={order}", f"auth_passwd_file={place}/users", f"saslauthd_path={server.path}"]
        return users_of(settings(*sets)), server

    return make


def test_the_first_that_knows_a_user_decides(chain):
    users, server = chain("own passwd-file saslauthd")
    users.set_password("alice", "own")
    assert users.check_password("alice", "own") == "alice"
    assert users.check_password("alice", "file") is None
    assert users.check_password("bob", "file") == "bob"
    assert users.check_password("bob", "other") is None
    assert server.heard == []
    assert users.check_password("carol", "other") == "carol"


def test_one_that_does_not_tell_passes_on(chain):
    users, server = chain("saslauthd passwd-file own")
    server.says = counted(b"NO")
    assert users.check_password("alice", "file") == "alice"
    assert users.check_password("alice", "wrong") is None
    server.says = counted(b"NO Incorrect password")
    assert users.check_password("alice", "file") is None


def test_one_that_is_down_ends_it_for_whom_it_would_be_asked(chain):
    users, server = chain("passwd-file saslauthd own")
    users.set_password("carol", "own")
    server.says = b""
    assert users.check_password("alice", "file") == "alice"
    assert users.check_password("alice", "wrong") is None
    for user in ("carol", "nobody"):
        with pytest.raises(TemporaryTrouble):
            users.check_password(user, "own")


@pytest.mark.parametrize(
    ("order", "mechanisms"),
    [
        ("own", {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}),
        ("own passwd-file", {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}),
        ("passwd-file", {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "CRAM-MD5", "DIGEST-MD5"}),
        ("own saslauthd", {"PLAIN"}),
        ("saslauthd", {"PLAIN"}),
    ],
)
def test_mechanisms_are_those_by_which_everybody_can_log_in(chain, order, mechanisms):
    assert chain(order)[0].mechanisms() == mechanisms
