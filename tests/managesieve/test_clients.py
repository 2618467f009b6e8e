"""A client that others wrote, against the server."""

import managesieve
import pytest

from tests.managesieve.conversation import running


@pytest.fixture(params=["clear", "starttls"])
def client(request, make_service, secure):
    tls = request.param == "starttls"
    server = secure() if tls else (make_service("allowplaintext=yes"), None)
    with running(*server) as ((host, port), _):
        client = managesieve.MANAGESIEVE(host, port, use_tls=tls, tls_verify=False, timeout=60)
        yield client
        client.logout()
        if tls:
            client.sock.sslobj.close()  # the client forgets it


@pytest.fixture
def alice(client):
    assert client.login("", "alice", "secret") == "OK"
    return client


def test_the_client_learns_what_the_server_offers(client):
    assert client.implementation.startswith("sievemda ")
    assert "fileinto" in client.capabilities
    unbound = [name for name in client.loginmechs if not name.endswith("-PLUS")]
    assert set(unbound) == {"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"}


def test_a_wrong_password_is_refused_and_the_right_one_taken_after_it(client):
    assert client.login("", "alice", "wrong") == "NO"
    assert client.login("", "alice", "secret") == "OK"


def test_the_life_of_a_script(alice):
    text = '# "quoted"\r\nkeep;\r\n'
    assert alice.listscripts() == ("OK", [])
    assert alice.havespace("main", len(text)) == "OK"
    assert alice.putscript("main", text) == "OK"
    assert alice.putscript("Füße", "discard;") == "OK"
    assert alice.setactive("main") == "OK"
    assert alice.listscripts() == ("OK", [("Füße", False), ("main", True)])
    assert alice.getscript("main") == ("OK", text)
    assert alice.deletescript("main") == "NO"
    assert alice.response_code == "ACTIVE"
    assert alice.setactive("") == "OK"
    assert alice.deletescript("main") == "OK"
    assert alice.getscript("main")[0] == "NO"


def test_problems_reach_the_user(alice):
    assert alice.putscript("bad", "keep;\r\nfoo;\r\nbar;\r\n") == "NO"
    assert "line 2: " in alice.response_text
    assert "line 3: " in alice.response_text


def test_a_large_script_goes_there_and_back(alice):
    text = "".join(f'if header :is "a" "{n}" {{ keep; }}\r\n' for n in range(3000))
    assert alice.putscript("large", text) == "OK"
    assert alice.getscript("large") == ("OK", text)


def test_unauthenticate(alice):
    assert alice.unauthenticate() == "OK"
    assert alice.login("", "bob", "secret") == "OK"
    assert alice.listscripts() == ("OK", [])
