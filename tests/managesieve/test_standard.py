"""What RFC 5804 says of capabilities and of the order of things, where no dialogue shows it."""

import re

import pytest

from sievemda.config import ManageSieve
from tests.managesieve.conversation import LOGIN, Direct, login, running

REQUIRED = {"IMPLEMENTATION", "SIEVE", "VERSION"}


def ask(peer, octets):
    peer.send(octets)
    said = bytes(peer.output)
    peer.output.clear()
    return said


def capabilities(said):
    """Name to value, of a list that ends with OK; each name once."""
    lines = said.removesuffix(b"OK\r\n").splitlines()
    pairs = [re.fullmatch(rb'"([A-Z-]+)"(?: "([^"]*)")?', line) for line in lines]
    assert all(pairs), lines
    found = {pair[1].decode(): (pair[2] or b"").decode() for pair in pairs}
    assert len(found) == len(lines)
    return found


@pytest.fixture
def peer(make_service):
    return Direct(make_service("allowplaintext=yes", tls=True))


def test_the_capabilities_stay_the_same_but_for_login_and_its_end(peer):
    greeted = capabilities(ask(peer, b""))
    asked = capabilities(ask(peer, b"CAPABILITY\r\n"))
    ask(peer, b'NOOP\r\nAUTHENTICATE "PLAIN"\r\n"*"\r\nFOO\r\n')
    again = capabilities(ask(peer, b"CAPABILITY\r\n"))
    assert greeted == asked == again
    ask(peer, LOGIN)
    within = capabilities(ask(peer, b"CAPABILITY\r\n"))
    ask(peer, b'PUTSCRIPT "a" "keep;"\r\nSETACTIVE "a"\r\n')
    assert capabilities(ask(peer, b"CAPABILITY\r\n")) == within
    ask(peer, b"UNAUTHENTICATE\r\n")
    assert capabilities(ask(peer, b"CAPABILITY\r\n")) == greeted


def test_what_is_required_is_always_there(peer):
    before = capabilities(ask(peer, b""))
    ask(peer, LOGIN)
    within = capabilities(ask(peer, b"CAPABILITY\r\n"))
    assert before.keys() >= REQUIRED
    assert within.keys() >= REQUIRED
    assert before["VERSION"] == within["VERSION"] == "1.0"
    assert before["LANGUAGE"] == "en"


def test_the_owner_is_told_within_and_starttls_without(peer):
    before = capabilities(ask(peer, b""))
    ask(peer, LOGIN)
    within = capabilities(ask(peer, b"CAPABILITY\r\n"))
    assert ("OWNER" in before, "STARTTLS" in before) == (False, True)
    assert (within["OWNER"], "STARTTLS" in within) == ("alice", False)
    assert within["SASL"] == before["SASL"]


def test_the_list_of_mechanisms_is_empty_only_where_starttls_is(make_service):
    bare = Direct(make_service("sasl_mech_list=PLAIN", tls=True), "192.0.2.1")
    offered = capabilities(ask(bare, b""))
    assert offered["SASL"] == ""
    assert "STARTTLS" in offered
    assert ask(bare, LOGIN).startswith(b'NO (ENCRYPT-NEEDED) "this mechanism is for encrypted connections only: use')


def test_after_login_half_an_hour_of_silence_is_allowed_by_default():
    assert ManageSieve().timeout * 3 >= 30 * 60


@pytest.mark.parametrize(
    "command",
    [
        b"Noop",
        b"nOOp",
        b"CAPABILITY",
        b"capability",
        b"ListScripts",
        b"lIsTsCrIpTs",
        b'SetActive ""',
        b"UnAuthenticate",
    ],
)
def test_commands_have_no_case(peer, command):
    ask(peer, LOGIN)
    assert ask(peer, command + b"\r\n").endswith(b"OK\r\n")


@pytest.mark.parametrize("mechanism", [b"plain", b"Plain", b"PLAIN"])
def test_mechanisms_have_no_case(peer, mechanism):
    assert ask(peer, LOGIN.replace(b"PLAIN", mechanism)).endswith(b"OK\r\n")


def test_who_is_in_cannot_log_in_again_before_he_is_out(peer):
    ask(peer, LOGIN)
    assert ask(peer, LOGIN) == b'NO "already authenticated"\r\n'
    assert ask(peer, b"UNAUTHENTICATE\r\n" + LOGIN) == b"OK\r\nOK\r\n"


def test_unauthenticate_forgets_everything_of_the_user_before(peer):
    ask(peer, LOGIN)
    ask(peer, b'PUTSCRIPT "a" "keep;"\r\nGETSCRIPT "a"\r\nUNAUTHENTICATE\r\n')
    assert ask(peer, b'AUTHENTICATE "PLAIN" "AGJvYgBzZWNyZXQ="\r\n') == b"OK\r\n"
    assert ask(peer, b"LISTSCRIPTS\r\n") == b"OK\r\n"
    assert ask(peer, b'GETSCRIPT "a"\r\n').startswith(b"NO (NONEXISTENT)")
    assert ask(peer, b'PUTSCRIPT "a" "stop;"\r\n') == b"OK\r\n"


def test_the_old_script_stays_when_an_upload_fails_in_any_way(peer):
    ask(peer, LOGIN)
    ask(peer, b'PUTSCRIPT "a" "keep;"\r\n')
    for bad in (
        b'"keep"',
        b'""',
        b'"require \\"nothing\\";"',
        b"{3+}\r\n\xff\xfe\xfd",
        b"{2000000+}\r\n" + b"#" * 2_000_000,
    ):
        assert ask(peer, b'PUTSCRIPT "a" %s\r\n' % bad).startswith(b"NO")
    assert ask(peer, b'GETSCRIPT "a"\r\n') == b"{5}\r\nkeep;\r\nOK\r\n"


@pytest.mark.parametrize("text", [b"keep;", b"keep;\n", b"# \xc3\xa4\r\n", b"#\r\n\r\n#\n\n", b"# {5+}\r\n# OK\r\n"])
def test_a_script_comes_back_octet_by_octet(peer, text):
    ask(peer, LOGIN)
    ask(peer, b'PUTSCRIPT "a" {%d+}\r\n%s\r\n' % (len(text), text))
    assert ask(peer, b'GETSCRIPT "a"\r\n') == b"{%d}\r\n%s\r\nOK\r\n" % (len(text), text)


def test_what_ihave_asks_for_need_not_be_supported(peer):
    ask(peer, LOGIN)
    script = b'require "ihave"; if ihave "no-such-thing" { keep; }'
    assert ask(peer, b"CHECKSCRIPT {%d+}\r\n%s\r\n" % (len(script), script)).startswith(b"OK")


@pytest.mark.parametrize("name", ["x" * 128, "\u00e4" * 128, "\U0001f600" * 128], ids=["1", "2", "4 octets"])
def test_names_of_128_characters_are_names(peer, name):
    ask(peer, LOGIN)
    assert ask(peer, b'PUTSCRIPT "%s" "keep;"\r\n' % name.encode()) == b"OK\r\n"
    assert ask(peer, b"LISTSCRIPTS\r\n") == b'"%s"\r\nOK\r\n' % name.encode()
    assert ask(peer, b'SETACTIVE "%s"\r\n' % name.encode()) == b"OK\r\n"
    assert ask(peer, b'PUTSCRIPT "%sx" "keep;"\r\n' % name.encode()).startswith(b"NO")


def test_answers_come_in_the_order_of_commands_that_came_in_one_go(service, connect):
    with running(service) as (address, _):
        peer = login(connect(address))
        peer.send(b"".join(b'NOOP "%d"\r\n' % number for number in range(3000)) + b"LOGOUT\r\n")
        lines = peer.file.read().split(b"\r\n")
        tags = [line.partition(b")")[0] for line in lines if line.endswith(b'"done"')]
        assert tags == [b"%d" % number for number in range(3000)]
        assert lines[-2] == b"OK"
