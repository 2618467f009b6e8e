"""OpenLDAP as a back end, and behind saslauthd."""

import contextlib
import socket
import threading

import pytest

from sievemda import configload
from sievemda.auth.backends import Verdict
from sievemda.auth.backends.ldap import Ldap
from sievemda.auth.backends.saslauthd import Saslauthd
from sievemda.auth.chain import users_of
from sievemda.auth.client import Client
from sievemda.errors import ConfigurationError, TemporaryTrouble
from tests.interop.processes import Program, answers, free_port, need
from tests.interop.slapd import BASE, PEOPLE, READER, READER_PASSWORD, Slapd

HERE = Client("192.0.2.7")
DN = f"ldap_user_dn=uid=%u,ou=people,{BASE}"
SEARCH = (f"ldap_base={BASE}", f"ldap_bind_dn={READER}", f"ldap_password={READER_PASSWORD}")
RIGHT, WRONG, UNKNOWN = Verdict.RIGHT, Verdict.WRONG, Verdict.UNKNOWN


@pytest.fixture(scope="module")
def directory_server(make_directory, logs):
    server = Slapd(make_directory() / "ldap")
    logs["slapd"] = server.program.log
    server.start()
    yield server
    server.stop()


@pytest.fixture
def make(directory_server, tmp_path):
    def make(*sets, uri=None):
        options = [f"ldap_uri={uri or directory_server.plain}", "auth_backends=ldap", "auth_timeout=20", *sets]
        return Ldap(configload.load(data=tmp_path, sets=options))

    return make


def verdict(backend, user, password):
    return backend.check(user, password, HERE).verdict


@pytest.mark.parametrize("user", PEOPLE)
@pytest.mark.parametrize("way", [(DN,), SEARCH], ids=["dn", "search"])
def test_the_password_of_the_entry_is_right_and_no_other(make, way, user):
    backend = make(*way)
    assert verdict(backend, user, PEOPLE[user]) is RIGHT
    assert verdict(backend, user, "wrong") is (UNKNOWN if way == (DN,) else WRONG)


@pytest.mark.parametrize("way", [(DN,), SEARCH], ids=["dn", "search"])
@pytest.mark.parametrize(
    "user",
    ["nobody", "*", "al*", "alice)(uid=*", "*)(objectClass=*", "alice,ou=people", "alice\\2a", "alice\0", "\\", "", "x" * 2000, "\udcff", "alice\n", "%u", "ä", "+", "alice+cn=x", "#00", " alice", "alice ", "a  lice"],
)  # fmt: skip
def test_a_hostile_name_is_nobody(make, way, user):
    assert verdict(make(*way), user, "pencil") is UNKNOWN


@pytest.mark.parametrize("way", [(DN,), SEARCH], ids=["dn", "search"])
@pytest.mark.parametrize(
    "password", ["", "\0", "pencil\0", "x" * 2000, "\udcff", "\u00ad", "\u200b", "\ufeff", "\u2060"]
)
def test_an_empty_or_hostile_password_never_binds(make, way, password):
    assert verdict(make(*way), "alice", password) in {WRONG, UNKNOWN}


def test_who_has_no_password_gets_in_with_none(make):
    for password in ("", "x"):
        assert verdict(make(*SEARCH), "nopassword", password) in {WRONG, UNKNOWN}
        assert verdict(make(DN), "nopassword", password) in {WRONG, UNKNOWN}


def test_two_entries_for_one_name_are_trouble(make):
    with pytest.raises(TemporaryTrouble, match="more than one"):
        verdict(make(*SEARCH), "twin", "twin")


def test_filter_scope_and_base_choose_the_entry(make):
    assert (
        verdict(make(*SEARCH, "ldap_filter=(&(objectClass=inetOrgPerson)(uid=%U))"), "alice@example.org", "pencil")
        is RIGHT
    )
    assert verdict(make(*SEARCH, "ldap_filter=(&(objectClass=device)(uid=%u))"), "alice", "pencil") is UNKNOWN
    assert verdict(make(*SEARCH, "ldap_scope=one"), "alice", "pencil") is UNKNOWN
    assert verdict(make(*SEARCH[1:], f"ldap_base=ou=people,{BASE}", "ldap_scope=one"), "alice", "pencil") is RIGHT
    assert verdict(make(f"ldap_user_dn=uid=%U,ou=people,dc=%d,{BASE}"), "alice@nowhere", "pencil") is UNKNOWN


def test_a_reader_who_cannot_bind_is_trouble_and_no_refusal(make):
    for sets in (
        [*SEARCH[:2], "ldap_password=wrong"],
        [SEARCH[0], f"ldap_bind_dn=cn=nobody,{BASE}", "ldap_password=x"],
    ):
        with pytest.raises(TemporaryTrouble, match="ldap_bind_dn cannot bind"):
            verdict(make(*sets), "alice", "pencil")
        with pytest.raises(TemporaryTrouble, match="ldap_bind_dn cannot bind"):
            make(*sets).probe()


@pytest.mark.parametrize(
    "sets", [SEARCH[:1], [*SEARCH[1:], f"ldap_base=ou=nowhere,{BASE}"]], ids=["anonymous", "nowhere"]
)
def test_a_base_that_is_not_there_or_not_to_be_seen_is_trouble_and_no_refusal(make, sets):
    with pytest.raises(TemporaryTrouble, match="search: noSuchObject"):
        verdict(make(*sets), "alice", "pencil")
    with pytest.raises(TemporaryTrouble, match="search: noSuchObject"):
        make(*sets).probe()


def test_tls_from_the_first_octet_and_starttls(make, directory_server):
    ca = f"ldap_ca_file={directory_server.certificate}"
    assert verdict(make(DN, ca, uri=directory_server.tls), "alice", "pencil") is RIGHT
    assert verdict(make(DN, ca, "ldap_start_tls=yes"), "alice", "pencil") is RIGHT
    assert verdict(make(*SEARCH, ca, "ldap_start_tls=yes"), "alice", "wrong") is WRONG
    assert verdict(make(DN, uri=directory_server.socket), "alice", "pencil") is RIGHT


@pytest.mark.parametrize("sets", [("ldap_start_tls=yes",), ()])
def test_a_certificate_that_nobody_vouches_for_is_trouble(make, directory_server, sets):
    uri = directory_server.plain if sets else directory_server.tls
    with pytest.raises(TemporaryTrouble, match=r"(?i)certificate"):
        verdict(make(DN, *sets, uri=uri), "alice", "pencil")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # ldap3 leaves that socket to Python
def test_a_certificate_of_another_host_is_trouble(make, directory_server):
    ca = f"ldap_ca_file={directory_server.certificate}"
    with pytest.raises(TemporaryTrouble, match="certificate"):
        verdict(make(DN, ca, uri=directory_server.other), "alice", "pencil")


def test_a_server_without_starttls_is_never_shown_a_password(make):
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TemporaryTrouble):
        verdict(
            make(DN, "ldap_start_tls=yes", "auth_timeout=1", uri=f"ldap://127.0.0.1:{listener.getsockname()[1]}"),
            "alice",
            "pencil",
        )


def test_servers_are_tried_in_their_order(make, directory_server):
    down = f"ldap://127.0.0.1:{free_port()}"
    assert verdict(make(DN, uri=f"{down} {directory_server.plain}"), "alice", "pencil") is RIGHT
    assert verdict(make(*SEARCH, uri=f"{down} {directory_server.plain}"), "alice", "wrong") is WRONG
    with pytest.raises(TemporaryTrouble):
        verdict(make(DN, uri=f"{down} {down}"), "alice", "pencil")


def test_a_silent_server_is_trouble(make):
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TemporaryTrouble):
        verdict(make(DN, "auth_timeout=1", uri=f"ldap://127.0.0.1:{listener.getsockname()[1]}"), "alice", "pencil")


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\0" * 1000,
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x05\x02\x01\x01\x61\x00" * 9,
        b"0\x0c\x02\x01\x01a\x07\n\x01\x00\x04\x00\x04",
    ],
)
def test_nonsense_is_trouble(make, says):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            listener.settimeout(10)
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(says)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(TemporaryTrouble):
            verdict(make(DN, "auth_timeout=2", uri=f"ldap://127.0.0.1:{listener.getsockname()[1]}"), "alice", "pencil")
        thread.join()


def test_a_directory_that_comes_back_is_asked_again(make_directory, make):
    server = Slapd(make_directory() / "ldap")
    server.start()
    users = make(*SEARCH, uri=server.plain)
    assert verdict(users, "alice", "pencil") is RIGHT
    server.stop()
    with pytest.raises(TemporaryTrouble):
        verdict(users, "alice", "pencil")
    with pytest.raises(TemporaryTrouble):
        verdict(users, "nobody", "pencil")
    with pytest.raises(TemporaryTrouble):
        users.probe()
    server.start()
    assert verdict(users, "alice", "pencil") is RIGHT
    assert verdict(users, "alice", "wrong") is WRONG
    server.stop()


def test_no_password_is_in_what_is_told(make, tmp_path):
    with pytest.raises(TemporaryTrouble) as caught:
        verdict(make(*SEARCH[:2], "ldap_password=hush"), "alice", "secretive")
    assert "hush" not in str(caught.value)
    assert "secretive" not in str(caught.value)


def test_users_of_a_directory_log_in_beside_our_own(directory_server, tmp_path):
    sets = ["auth_backends=own ldap", f"ldap_uri={directory_server.plain}", *SEARCH, "defaultdomain=example.org"]
    users = users_of(configload.load(data=tmp_path, sets=sets))
    users.set_password("root", "toor")
    assert users.check_password("root", "toor") == "root"
    assert users.check_password("Alice@example.org", "pencil") == "alice"
    assert users.check_password("alice", "wrong") is None
    assert users.mechanisms() == {"PLAIN"}


@pytest.mark.parametrize(
    ("sets", "text"),
    [
        (["auth_backends=ldap"], "ldap_uri"),
        (["auth_backends=ldap", "ldap_uri=ldap://x"], "ldap_base"),
        (["ldap_uri=http://x"], "ldap://HOST"),
        (["ldap_filter=(uid=alice)"], "%u"),
        (["ldap_filter=uid=%u"], "no filter"),
        (["ldap_filter=((uid=%u)"], "no filter"),
        (["ldap_user_dn=uid=alice"], "%u"),
        (["ldap_user_dn=uid=%u,%x"], "%d"),
        (["ldap_user_dn=uid=%u%"], "%d"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, sets, text):
    with pytest.raises(ConfigurationError, match=text):
        configload.load(data=tmp_path, sets=sets)


# --- saslauthd in front of it -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saslauthd(make_directory, directory_server, logs):
    need("saslauthd")
    place = make_directory()
    (place / "ldap.conf").write_text(
        f"ldap_servers: {directory_server.plain}\nldap_search_base: {BASE}\nldap_bind_dn: {READER}\n"
        f"ldap_bind_pw: {READER_PASSWORD}\nldap_filter: (uid=%u)\nldap_auth_method: bind\n"
    )
    program = Program(
        ["saslauthd", "-a", "ldap", "-O", str(place / "ldap.conf"), "-m", str(place), "-n", "2", "-d"], place / "log"
    )
    logs["saslauthd"] = program.log
    program.start(lambda: answers(place / "mux"))
    yield Saslauthd(place / "mux", configload.load(data=place))
    program.stop()


@pytest.mark.parametrize("user", ["alice", "bob", "a*b", "o(c)"])
def test_saslauthd_knows_who_is_in_the_directory(saslauthd, user):
    assert verdict(saslauthd, user, PEOPLE[user]) is RIGHT
    assert verdict(saslauthd, user, "wrong") is UNKNOWN


@pytest.mark.parametrize("user", ["nobody", "*", "alice)(uid=*", "", "x" * 255, "x" * 256, "alice\0"])
def test_saslauthd_knows_no_hostile_name(saslauthd, user):
    assert verdict(saslauthd, user, "pencil") is UNKNOWN


@pytest.mark.parametrize("password", ["", "x" * 255, "x" * 256, "pencil\0"])
def test_saslauthd_takes_no_hostile_password(saslauthd, password):
    assert verdict(saslauthd, "alice", password) is UNKNOWN


def test_many_ask_saslauthd_at_once(saslauthd):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda n: verdict(saslauthd, "alice", "pencil" if n % 2 else "wrong"), range(40)))
    assert found == [UNKNOWN, RIGHT] * 20


def test_saslauthd_answers_when_it_is_there(saslauthd):
    saslauthd.probe()
