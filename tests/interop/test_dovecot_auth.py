"""Dovecot's auth service as a back end: the real one, with a passwd-file and several passdbs."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sievemda import configload
from sievemda.auth.backends import Verdict
from sievemda.auth.backends.dovecot import Dovecot
from sievemda.auth.chain import users_of
from sievemda.auth.client import Client
from sievemda.errors import TemporaryTrouble
from tests.interop.processes import Program, answers, fill, free_port, need, need_root

HERE = Client("192.0.2.7")
RIGHT, WRONG, UNKNOWN = Verdict.RIGHT, Verdict.WRONG, Verdict.UNKNOWN
USERS = """\
alice:{PLAIN}pencil
bob:{PLAIN}pén cil
a b:{PLAIN}blank
carol@other.example:{PLAIN}c
local:{PLAIN}x::::::allow_nets=10.0.0.0/8
shut:{PLAIN}x::::::nologin
other:{PLAIN}x::::::user=alice
"""
CONFIG = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols =
listen = 127.0.0.1
ssl = no
auth_mechanisms = plain
auth_failure_delay = 1 secs
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users
}}
!include {base}/dovecot-auth.conf
"""


class Service:
    def __init__(self, place, config=CONFIG):
        need("dovecot")
        need_root()
        self.place, self.socket = place, place / "run" / "auth-client"
        (place / "users").write_text(USERS)
        (place / "dovecot-auth.conf").write_text(fill("auth/dovecot-auth.conf", {"vmail": "mail"}))
        (place / "dovecot.conf").write_text(config.format(base=place))
        self.program = Program(["dovecot", "-F", "-c", str(place / "dovecot.conf")], place / "output")

    def start(self):
        self.program.start(lambda: answers(self.socket))

    def backend(self, *sets):
        return Dovecot(self.socket, configload.load(data=self.place, sets=["auth_timeout=20", *sets]))


@pytest.fixture(scope="module")
def service(make_directory, logs):
    service = Service(make_directory())
    logs["dovecot's auth"] = service.place / "log"
    service.start()
    yield service
    service.program.stop()


def verdict(backend, user, password, client=HERE):
    return backend.check(user, password, client).verdict


@pytest.mark.parametrize(
    ("user", "password", "client", "found"),
    [
        ("alice", "pencil", HERE, RIGHT),
        ("alice", "pencil", Client(""), RIGHT),
        ("bob", "pén cil", HERE, RIGHT),
        ("carol@other.example", "c", HERE, RIGHT),
        ("alice", "wrong", HERE, UNKNOWN),
        ("nobody", "pencil", HERE, UNKNOWN),
        ("local", "x", Client("10.1.2.3"), RIGHT),
        ("local", "x", HERE, UNKNOWN),
        ("shut", "x", HERE, WRONG),
    ],
)
def test_what_its_passdb_says_we_say(service, user, password, client, found):
    assert verdict(service.backend(), user, password, client) is found


@pytest.mark.parametrize(
    "user",
    ["al\tice", "alice\n", "alice\tresp=AAAA", "*", "%u", "alice\1t", "ä", "x" * 1000, "alice\r\nOK\t1\tuser=bob"],
)
def test_a_hostile_name_is_nobody_and_breaks_nothing(service, user):
    backend = service.backend()
    assert verdict(backend, user, "pencil") is UNKNOWN
    assert verdict(backend, "alice", "pencil") is RIGHT


def test_a_passdb_of_its_that_is_down_is_trouble(make_directory):
    """It asks an IMAP server, which is not there."""
    remote = f"driver = imap\n  args = host=127.0.0.1 port={free_port()}"
    service = Service(
        make_directory(), CONFIG.replace("driver = passwd-file", remote).replace("  args = scheme", "  #")
    )
    service.start()
    try:
        with pytest.raises(TemporaryTrouble, match="cannot tell now"):
            verdict(service.backend(), "alice", "pencil")
    finally:
        service.program.stop()


def test_many_ask_at_once(service):
    backend = service.backend()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda n: verdict(backend, "alice", "pencil" if n % 2 else "wrong"), range(30)))
    assert found == [UNKNOWN, RIGHT] * 15


def test_users_log_in_under_the_name_that_dovecot_gives_them(service, tmp_path):
    sets = ["auth_backends=own dovecot", f"dovecot_auth_socket={service.socket}", "auth_timeout=20"]
    users = users_of(configload.load(data=tmp_path, sets=sets))
    assert users.check_password("Alice", "pencil", HERE) == "alice"
    assert users.check_password("other", "x", HERE) == "alice"
    assert users.check_password("alice", "wrong", HERE) is None
    assert users.mechanisms() == {"PLAIN"}


def test_the_domain_is_added_where_dovecot_wants_it(service):
    backend = service.backend("auth_username_format={local}@{domain}", "defaultdomain=other.example")
    assert verdict(backend, "carol", "c") is RIGHT
    assert verdict(backend, "alice", "pencil") is UNKNOWN


def test_dovecot_that_stops_is_trouble_until_it_is_back(make_directory):
    service = Service(make_directory())
    service.start()
    backend = service.backend()
    backend.probe()
    assert verdict(backend, "alice", "pencil") is RIGHT
    service.program.stop()
    for user in ("alice", "nobody"):
        with pytest.raises(TemporaryTrouble, match="auth-client"):
            verdict(backend, user, "pencil")
    with pytest.raises(TemporaryTrouble):
        backend.probe()
    service.start()
    assert verdict(backend, "alice", "pencil") is RIGHT
    service.program.stop()


def test_a_server_without_plain_is_trouble(make_directory):
    service = Service(make_directory(), CONFIG.replace("auth_mechanisms = plain", "auth_mechanisms = cram-md5"))
    service.start()
    try:
        with pytest.raises(TemporaryTrouble, match="PLAIN is not among"):
            verdict(service.backend(), "alice", "pencil")
    finally:
        service.program.stop()
