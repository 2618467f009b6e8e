import base64
import logging
import re

import pytest
import scramp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sievemda.auth.client import Client
from sievemda.managesieve.login import MAX_FAILURES
from sievemda.managesieve.session import Session
from sievemda.store.scripts import ScriptStore
from tests.managesieve.conversation import LOGIN, Direct, skip_to


@pytest.fixture
def peer(service):
    peer = Direct(service)
    skip_to(peer, b"OK\r\n")
    return peer


@pytest.fixture
def alice(peer):
    peer.send(LOGIN)
    assert peer.line() == b"OK\r\n"
    return peer


def ask(peer, octets):
    """Everything that the server says to one command."""
    peer.send(octets)
    said = bytes(peer.output)
    peer.output.clear()
    return said


def b64(text):
    return base64.b64encode(text.encode())


def challenge(said):
    """What a challenge, sent as a literal, says."""
    return base64.b64decode(re.fullmatch(rb"\{[0-9]+\}\r\n(.*)\r\n", said)[1])


def scram(peer, mechanism, user, password, empty=b'""'):
    """The lines of the server in one SCRAM exchange, by scramp's client, which checks the server too.

    `empty` is how the client writes an empty response.
    """
    client = scramp.ScramClient([mechanism], user, password)
    said = [ask(peer, b'AUTHENTICATE "%s" "%s"\r\n' % (mechanism.encode(), b64(client.get_client_first())))]
    client.set_server_first(challenge(said[0]).decode())
    said.append(ask(peer, b'"%s"\r\n' % b64(client.get_client_final())))
    if said[1].startswith(b"{"):
        client.set_server_final(challenge(said[1]).decode())
        said.append(ask(peer, empty + b"\r\n"))
    return said


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_scram_ends_with_a_challenge_and_a_plain_ok(make_service, mechanism):
    peer = Direct(make_service(), "192.0.2.1")
    ask(peer, b"")
    assert scram(peer, mechanism, "alice", "secret")[-1] == b"OK\r\n"
    assert b'"OWNER" "alice"' in ask(peer, b"CAPABILITY\r\n")


@pytest.mark.parametrize("empty", [b"", b" ", b"{0+}\r\n"])
def test_an_empty_response_may_be_written_in_other_ways(peer, empty):
    """An empty line is how Emacs writes it."""
    assert scram(peer, "SCRAM-SHA-256", "alice", "secret", empty)[-1] == b"OK\r\n"


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_a_scram_exchange_of_an_unknown_user_looks_like_a_known_one_to_the_end(peer, mechanism):
    known, unknown = scram(peer, mechanism, "alice", "wrong"), scram(peer, mechanism, "nobody", "wrong")
    assert known[1:] == unknown[1:] == [b'NO "authentication failed"\r\n']
    shape = rb"r=[^,]+,s=[A-Za-z0-9+/]{22}==,i=15000"
    for said in (known, unknown):
        assert re.fullmatch(shape, challenge(said[0]))
    salt = re.compile(rb"s=[^,]+")
    again = scram(peer, mechanism, "nobody", "other")
    first, second = (salt.search(challenge(said[0]))[0] for said in (unknown, again))
    assert first == second


def test_an_abort_in_the_middle_of_scram_ends_it(peer):
    client = scramp.ScramClient(["SCRAM-SHA-256"], "alice", "secret")
    ask(peer, b'AUTHENTICATE "SCRAM-SHA-256" "%s"\r\n' % b64(client.get_client_first()))
    assert ask(peer, b'"*"\r\n') == b'NO "authentication cancelled"\r\n'
    assert ask(peer, LOGIN) == b"OK\r\n"


def test_a_malformed_line_in_the_middle_of_scram_ends_it(peer):
    ask(peer, b'AUTHENTICATE "SCRAM-SHA-256"\r\n')
    assert ask(peer, b'"unclosed\r\n').startswith(b"NO")
    assert ask(peer, b"NOOP\r\n") == b"OK\r\n"


@pytest.mark.parametrize(
    ("user", "mechanism", "line"),
    [
        ("alice", "PLAIN", "user=alice mech=PLAIN rhost=127.0.0.1 reason=credentials"),
        ("nobody", "PLAIN", "user=nobody mech=PLAIN rhost=127.0.0.1 reason=credentials"),
        ("alice", "SCRAM-SHA-256", "user=alice mech=SCRAM-SHA-256 rhost=127.0.0.1 reason=credentials"),
        ("x y\n=", "PLAIN", "user=x\\x20y\\x0a\\x3d mech=PLAIN rhost=127.0.0.1 reason=credentials"),
    ],
)
def test_a_failed_login_is_one_log_line(peer, caplog, user, mechanism, line):
    caplog.set_level(logging.INFO)
    if mechanism == "PLAIN":
        ask(peer, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64(f"\0{user}\0wrong"))
    else:
        scram(peer, mechanism, user, "wrong")
    assert [r.getMessage() for r in caplog.records if "failed" in r.getMessage()] == [
        f"managesieve: login failed: {line}"
    ]


def test_a_login_without_mailbox_is_logged_as_failed(peer, caplog):
    ask(peer, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0carol\0secret"))
    assert "managesieve: login failed: user=carol mech=PLAIN rhost=127.0.0.1 reason=mailbox" in caplog.messages


def test_wrong_passwords_cost_time_and_in_the_end_the_session(peer):
    delays = []
    for _ in range(MAX_FAILURES):
        before = peer.delay
        said = ask(peer, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0alice\0wrong"))
        delays.append(peer.delay - before)
    assert delays[:4] == [0.5, 1.0, 2.0, 2.0]
    assert said == b'BYE "too many failed authentication attempts"\r\n'
    assert peer.closed


@pytest.mark.parametrize(
    ("address", "offered"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_plain_in_clear_is_for_loopback(service, address, offered):
    peer = Direct(service, address)
    assert (b"PLAIN" in ask(peer, b"")) == offered
    assert ask(peer, LOGIN).startswith(b"OK" if offered else b"NO (ENCRYPT-NEEDED)")


def test_nobody_is_sent_to_starttls_where_there_is_none(make_service, caplog):
    """At a UNIX socket, for one. He has no address, which is a word of its own in the log."""
    caplog.set_level(logging.INFO)
    session = Session(make_service(tls=True), Client("", socket_user="alice"))
    refused = session.handle(("AUTHENTICATE", b"PLAIN", b64("\0alice\0secret")))
    assert refused.data == b'NO (ENCRYPT-NEEDED) "%s: there is no TLS here"\r\n' % (
        b"this mechanism is for encrypted connections only"
    )
    assert session.handle(("STARTTLS",)).data == b'NO "TLS is not available"\r\n'
    assert session.handle(("AUTHENTICATE", b"EXTERNAL", b"")).data == b"OK\r\n"
    assert "managesieve: login: user=alice mech=EXTERNAL rhost=- owner=alice" in caplog.messages


def test_tls_brings_plain_and_takes_starttls_away(make_service):
    session = Session(make_service(tls=True), Client("192.0.2.1"))
    before, after = session.greeting(), session.secured(Client("192.0.2.1", secure=True))
    assert b'"STARTTLS"\r\n' in before
    assert b"PLAIN" not in before
    assert b'"STARTTLS"\r\n' not in after
    assert b"PLAIN" in after
    assert session.handle(("STARTTLS",)).data.startswith(b"NO")


def test_starttls_is_not_offered_after_login(make_service):
    peer = Direct(make_service("allowplaintext=yes", tls=True))
    assert b'"STARTTLS"\r\n' in ask(peer, b"")
    ask(peer, LOGIN)
    assert b'"STARTTLS"\r\n' not in ask(peer, b"CAPABILITY\r\n")
    assert ask(peer, b"STARTTLS\r\n") == b'NO "already authenticated"\r\n'


def test_credentials_that_cannot_be_read_are_trouble_and_not_a_wrong_password(peer, service):
    service.settings.accounts_path.write_bytes(b"junk" * 1000)
    said = ask(peer, LOGIN)
    assert said == b'NO (TRYLATER) "the server has trouble; try again later"\r\n'
    assert ask(peer, b'AUTHENTICATE "SCRAM-SHA-256" "%s"\r\n' % b64("n,,n=alice,r=x")) == said


def test_a_broken_script_folder_is_trouble_without_an_internal_word(alice, service):
    (service.homes.home("alice") / "sieve").write_bytes(b"")
    for command in (b"LISTSCRIPTS\r\n", b'PUTSCRIPT "a" "keep;"\r\n', b'GETSCRIPT "a"\r\n', b'SETACTIVE "a"\r\n'):
        assert ask(alice, command) == b'NO (TRYLATER) "the server has trouble; try again later"\r\n'
    assert ask(alice, b"NOOP\r\n") == b"OK\r\n"


def test_what_nobody_foresaw_is_trouble_and_logged(alice, monkeypatch, caplog):
    monkeypatch.setattr(ScriptStore, "list", lambda _: 1 / 0)
    assert ask(alice, b"LISTSCRIPTS\r\n") == b'NO (TRYLATER) "the server has trouble; try again later"\r\n'
    assert "ZeroDivisionError" in caplog.text
    assert ask(alice, b"NOOP\r\n") == b"OK\r\n"


def test_the_mailbox_of_a_user_may_go_while_he_is_logged_in(alice, service):
    from sievemda.store.names import MailboxName

    service.homes.delete(MailboxName("alice"))
    assert ask(alice, b'PUTSCRIPT "a" "keep;"\r\n').startswith(b"BYE")
    assert not service.homes.user_exists("alice")


def test_who_is_shut_out_cannot_log_in(alice, service):
    from sievemda.store.denials import set_denials
    from sievemda.store.names import MailboxName

    set_denials(service.homes.find(MailboxName("bob")), {"sieve": "has left"})
    ask(alice, b"UNAUTHENTICATE\r\n")
    assert ask(alice, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0bob\0secret")).startswith(b"NO ")
    set_denials(service.homes.find(MailboxName("bob")), {"sieve": None, "lmtp": "is being moved"})
    assert ask(alice, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0bob\0secret")).startswith(b"OK")


def test_users_see_their_own_scripts_only(alice):
    ask(alice, b'PUTSCRIPT "a" "keep;"\r\n')
    ask(alice, b"UNAUTHENTICATE\r\n")
    ask(alice, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0bob\0secret"))
    assert ask(alice, b"LISTSCRIPTS\r\n") == b"OK\r\n"
    assert ask(alice, b'GETSCRIPT "a"\r\n').startswith(b"NO (NONEXISTENT)")


def test_a_script_comes_back_octet_by_octet(alice):
    text = b'# \xc3\xbc\r\nkeep; # no line end "{5+}\\'
    assert ask(alice, b'PUTSCRIPT "a" {%d+}\r\n%s\r\n' % (len(text), text)) == b"OK\r\n"
    assert ask(alice, b'GETSCRIPT "a"\r\n') == b"{%d}\r\n%s\r\nOK\r\n" % (len(text), text)


def test_a_script_as_a_long_quoted_string_is_taken(alice):
    text = b"# " + b"x" * 5000
    assert ask(alice, b'PUTSCRIPT "a" "%s"\r\n' % text) == b"OK\r\n"
    assert ask(alice, b'GETSCRIPT "a"\r\n') == b"{5002}\r\n%s\r\nOK\r\n" % text


@pytest.mark.parametrize(("sets", "fits"), [([], False), (["gssapi_keytab=keytab"], True)])
def test_before_login_there_is_room_for_the_ticket_of_who_is_in_many_groups(make_service, sets, fits):
    """48,000 octets are the most that Windows issues."""
    peer = Direct(make_service(*sets))
    skip_to(peer, b"OK\r\n")
    ticket = base64.b64encode(bytes(48_000))
    assert ask(peer, b'AUTHENTICATE "UNKNOWN" {%d+}\r\n%s\r\n' % (len(ticket), ticket)) == (
        b'NO "this mechanism is not supported"\r\n' if fits else b'NO "the command is too long"\r\n'
    )


@pytest.mark.parametrize("size", [(1 << 20) + 1, 3 << 20])
def test_a_script_over_the_limit_is_refused_and_the_session_goes_on(alice, size):
    upload = b'PUTSCRIPT "big" {%d+}\r\n%s\r\n' % (size, b"#" * size)
    assert ask(alice, upload).startswith(b"NO (QUOTA/MAXSIZE)")
    assert ask(alice, b'putscript "big" "%s"\r\n' % (b"#" * size)).startswith(b"NO (QUOTA/MAXSIZE)")
    assert ask(alice, b"LISTSCRIPTS\r\n") == b"OK\r\n"


def test_a_script_to_check_that_no_limit_could_allow_is_refused_without_a_quota_code(alice):
    size = 3 << 20
    assert ask(alice, b"CHECKSCRIPT {%d+}\r\n%s\r\n" % (size, b"#" * size)) == b'NO "the command is too long"\r\n'


def test_a_script_of_the_largest_size_is_stored(alice, scripts):
    text = b"#" * ((1 << 20) - 7) + b"\r\nkeep;"
    assert ask(alice, b'PUTSCRIPT "big" {%d+}\r\n%s\r\n' % (len(text), text)) == b"OK\r\n"
    assert scripts.get("big") == text


@pytest.mark.parametrize(("limit", "size"), [("0", 16 << 20), ("20M", 16 << 20), ("2M", 2 << 20)])
def test_what_is_stored_can_be_read_again(make_service, limit, size):
    """However much the site allows: no delivery reads a larger script either."""
    alice = Direct(make_service("allowplaintext=yes", f"sieve_maxscriptsize={limit}"))
    skip_to(alice, b"OK\r\n")
    assert ask(alice, LOGIN) == b"OK\r\n"
    text = b"#" * (size - 7) + b"\r\nkeep;"
    assert ask(alice, b'PUTSCRIPT "a" {%d+}\r\n#%s\r\n' % (size + 1, text)).startswith(b"NO (QUOTA/MAXSIZE)")
    assert ask(alice, b'PUTSCRIPT "a" {%d+}\r\n%s\r\n' % (size, text)) == b"OK\r\n"
    assert ask(alice, b'GETSCRIPT "a"\r\n') == b"{%d}\r\n%s\r\nOK\r\n" % (size, text)


@pytest.mark.parametrize(
    "script",
    [
        "%s;",
        "%s",
        "if %s {}",
        "keep :%s;",
        'require "%s";',
        'if header :comparator "%s" "a" "b" {}',
        'require "relational"; if header :count "%s" "a" "b" {}',
        "%s { keep; }",
        "require :%s;",
    ],
)
def test_a_problem_does_not_repeat_all_of_a_long_word(alice, script):
    text = (script % ("x" * 50_000)).encode()
    assert len(ask(alice, b"CHECKSCRIPT {%d+}\r\n%s\r\n" % (len(text), text))) < 1000


def test_many_problems_are_all_told(alice):
    text = b"".join(b"unknown%d;\r\n" % n for n in range(30))
    said = ask(alice, b'PUTSCRIPT "a" {%d+}\r\n%s\r\n' % (len(text), text)).decode()
    assert all(f"line {n}: " in said for n in range(1, 31))


def test_problems_are_one_line_which_can_be_copied_from(alice):
    """RFC 5804 §4: a literal where there are quotes, since not every client undoes escapes."""
    said = ask(alice, b'CHECKSCRIPT "fileinto \\"x\\"; frob;"\r\n')
    assert re.fullmatch(rb"NO \{[0-9]+\}\r\n[^\r\n]*\r\n", said)
    assert b'add require ["fileinto"];' in said
    assert b"unknown command 'frob'" in said


def test_a_mailbox_that_is_missing_is_a_warning(alice):
    script = rb"require \"fileinto\"; fileinto \"Lists\";"
    said = ask(alice, b'CHECKSCRIPT "' + script + b'"\r\n')
    assert said.startswith(b"OK (WARNINGS) \"line 1: there is no mailbox 'Lists'")


def test_a_warning_has_no_quotes_that_a_client_would_have_to_undo(alice):
    said = ask(alice, b'CHECKSCRIPT "require \\"fileinto\\"; fileinto \\"Lists\\";"\r\n')
    assert re.fullmatch(rb'OK \(WARNINGS\) "[^"\\]*require \'mailbox\'[^"\\]*"\r\n', said)


def test_many_warnings_are_still_one_quoted_string(alice):
    """Not every client reads a literal behind OK: it takes what has been stored as failed."""
    lines = b"".join(rb"fileinto \"Lists%d\"; " % number for number in range(40))
    said = ask(alice, b'CHECKSCRIPT "require \\"fileinto\\"; ' + lines.replace(b'\\"', b'\\"') + b'"\r\n')
    told = re.fullmatch(rb'OK \(WARNINGS\) "([^"\\\r\n]{1,1024}); and (\d+) more"\r\n', said)
    assert told[1].count(b"line 1: ") + int(told[2]) >= 40


def test_a_redirect_to_oneself_is_a_warning(alice):
    said = ask(alice, b'CHECKSCRIPT "redirect \\"alice@localhost\\";"\r\n')
    assert said.startswith(b'OK (WARNINGS) "line 1: a redirect to yourself')


def test_the_text_of_many_problems_is_a_literal_with_a_line_for_each(alice):
    said = ask(alice, 'CHECKSCRIPT "{}"\r\n'.format("unbekanntÜ; keep 5; " * 20).encode())
    assert said.count(b"\r\nline 1: ") > 20
    size, rest = re.fullmatch(rb"NO \{([0-9]+)\}\r\n(.*)\r\n", said, re.DOTALL).groups()
    assert len(rest) == int(size)


commands = st.sampled_from(
    [
        b"NOOP",
        b"LISTSCRIPTS",
        b"PUTSCRIPT",
        b"GETSCRIPT",
        b"SETACTIVE",
        b"RENAMESCRIPT",
        b"DELETESCRIPT",
        b"HAVESPACE",
        b"CHECKSCRIPT",
        b"AUTHENTICATE",
        b"CAPABILITY",
    ]
)
arguments = st.sampled_from(
    [b'"a"', b'""', b'"b"', b"{1+}\r\na", b"5", b'"keep;"', b"{0+}\r\n", b'"\xff"', b"(", b'"*"']
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(lines=st.lists(st.tuples(commands, st.lists(arguments, max_size=3)), max_size=8))
def test_every_command_gets_one_completion(service, lines):
    peer = Direct(service)
    ask(peer, LOGIN)
    for command, given_arguments in lines:
        said = ask(peer, b" ".join([command, *given_arguments]) + b"\r\n")
        completions = [line for line in said.split(b"\r\n") if re.match(rb"(OK|NO|BYE)\b", line)]
        assert len(completions) == 1
        assert said.endswith(b"\r\n")


INCLUDES = b'require \\"include\\"; include \\"other\\"; include :optional \\"third\\"; include :global \\"g\\";'


def test_a_script_that_includes_what_is_not_there_is_stored_with_a_warning(alice):
    answer = ask(alice, b'PUTSCRIPT "a" "%s"\r\n' % INCLUDES)
    assert answer.startswith(b"OK (WARNINGS)")
    assert b"there is no personal script 'other' to include" in answer
    assert b"there is no global script 'g' to include" in answer
    assert b"third" not in answer
    assert ask(alice, b'PUTSCRIPT "other" "keep;"\r\n') == b"OK\r\n"
    assert b"'other'" not in ask(alice, b'CHECKSCRIPT "%s"\r\n' % INCLUDES)


def test_an_address_that_guesses_is_put_off_with_a_right_password_too(make_service, caplog):
    service = make_service("allowplaintext=yes", "lockout_failures=3", "failedloginpause=0", "lockout_never=")
    peers = [Direct(service), Direct(service), Direct(service, "127.0.0.2")]
    for peer in peers:
        skip_to(peer, b"OK\r\n")
    guessing, other, elsewhere = peers
    for number in range(3):
        said = ask(guessing, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64(f"\0alice\0wrong{number}"))
        assert said == b'NO "authentication failed"\r\n'
    locked = b'NO (TRYLATER) "too many failed logins from your address; try again later"\r\n'
    assert ask(guessing, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0alice\0secret")) == locked
    assert ask(other, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0nobody\0x")) == locked
    assert ask(other, b'AUTHENTICATE "SCRAM-SHA-256"\r\n') == locked
    assert "managesieve: login failed: user=- mech=PLAIN rhost=127.0.0.1 reason=locked" in caplog.messages
    assert "managesieve: locked out: rhost=127.0.0.1 seconds=600" in caplog.messages
    assert ask(elsewhere, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0alice\0secret")) == b"OK\r\n"


def test_a_lock_out_ends_exchanges_that_were_begun_before(make_service):
    service = make_service("allowplaintext=yes", "lockout_failures=1", "lockout_never=")
    waiting, guessing = Direct(service), Direct(service)
    for peer in (waiting, guessing):
        skip_to(peer, b"OK\r\n")
    assert ask(waiting, b'AUTHENTICATE "PLAIN"\r\n') == b'""\r\n'
    ask(guessing, b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64("\0alice\0wrong"))
    assert ask(waiting, b'"%s"\r\n' % b64("\0alice\0secret")).startswith(b"NO (TRYLATER)")
