"""A client in the hands of servers that are not what they should be."""

import base64

import pytest
from scramp import ScramMechanism

from sievemda.errors import AlreadyExists, DataError, NotFound, NotPermitted, TemporaryTrouble, Unavailable
from sievemda.managesieve.client import sasl
from sievemda.managesieve.client.discovery import Endpoint
from sievemda.managesieve.client.refusals import Referred
from sievemda.managesieve.client.sasl import Identity
from sievemda.managesieve.client.session import connect
from sievemda.managesieve.client.tls import Protection
from tests.managesieve.client.scripted import GREETING, Scripted, server_context

ALICE = Identity("alice", password="secret")


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode())


def open_(server, mode="none", **more):
    return connect(Endpoint("127.0.0.1", server.port), Protection(mode, **more), 5.0)


def login(play, *, identity=ALICE, wanted="", greeting=GREETING):
    """Log in to a server that plays that after its greeting; what it heard."""

    def whole(server):
        server.say(greeting)
        play(server)

    with Scripted(whole) as server:
        session = open_(server)
        try:
            session.login(identity, wanted)
        finally:
            session.drop()
    return server.heard


def test_starttls_that_is_not_offered_is_refused_before_anything_is_sent():
    with (
        Scripted(lambda server: (server.say(GREETING.replace(b'"STARTTLS"\r\n', b"")), server.line())) as server,
        pytest.raises(NotPermitted, match="does not offer STARTTLS"),
    ):
        open_(server, "starttls")
    assert b"".join(server.heard) == b""


def test_starttls_that_is_refused_ends_it():
    with (
        Scripted(lambda server: (server.say(GREETING), server.line(), server.say(b'NO "not now"\r\n'))) as server,
        pytest.raises(DataError, match="not now"),
    ):
        open_(server, "starttls")


def test_plaintext_injected_behind_starttls_is_discarded(certificate):
    forged = GREETING.replace(b"SCRAM-SHA-256 PLAIN", b"FORGED")

    def play(server):
        server.say(GREETING)
        server.line()
        server.say(b"OK\r\n" + forged)
        server.start_tls()
        server.say(GREETING)
        server.line()

    with Scripted(play, server_context(*certificate)) as server:
        session = open_(server, "starttls", authorities=certificate[0])
        assert session.capabilities["SASL"] == "SCRAM-SHA-256 PLAIN"
        session.drop()


@pytest.mark.parametrize("mode", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, mode):
    def play(server):
        if mode == "starttls":
            server.say(GREETING)
            server.line()
            server.say(b"OK\r\n")
        server.start_tls()

    with (
        Scripted(play, server_context(*certificate)) as server,
        pytest.raises(NotPermitted, match="is not to be trusted"),
    ):
        open_(server, mode)


def test_a_certificate_for_another_host_is_refused(certificate):
    with (
        Scripted(lambda server: server.start_tls(), server_context(*certificate), everywhere=True) as server,
        pytest.raises(NotPermitted, match=r"mismatch, .* '127\.0\.0\.2'; go without"),
    ):
        connect(Endpoint("127.0.0.2", server.port), Protection("tls", authorities=certificate[0]), 5.0)


def test_tls_with_a_server_that_speaks_in_clear_says_what_to_do():
    with (
        Scripted(lambda server: (server.say(GREETING), server.line())) as server,
        pytest.raises(Unavailable, match="STARTTLS"),
    ):
        open_(server, "tls")


@pytest.mark.parametrize(
    "greeting", [b"220 smtp\r\n", b"* OK IMAP\r\n", b"SSH-2.0-x\r\n", b"OK\r\n", b'"X" "y"\r\nOK\r\n']
)
def test_another_service_is_no_managesieve_server(greeting):
    with Scripted(lambda server: server.say(greeting)) as server, pytest.raises(Unavailable):
        open_(server)


def test_a_server_that_sends_us_away_is_heard():
    with (
        Scripted(lambda server: server.say(b'BYE (TRYLATER) "busy"\r\n')) as server,
        pytest.raises(TemporaryTrouble, match="busy"),
    ):
        open_(server)


# --- logging in ------------------------------------------------------------------------------------------------


def scram(server, *, password="secret", proof=True, mechanism="SCRAM-SHA-256", as_data=False):
    """The server's part; with another password it is an impostor that accepts whatever comes."""
    made = ScramMechanism(mechanism)
    salt, stored, server_key, rounds = made.make_auth_info(password, iteration_count=4096)
    exchange = made.make_server(lambda _: (salt, stored, server_key, rounds))
    exchange.set_client_first(base64.b64decode(server.line().split(b'"')[3]).decode())
    server.say(b'"' + b64(exchange.get_server_first()) + b'"\r\n')
    final = base64.b64decode(server.line().strip().strip(b'"')).decode()
    if not proof:
        server.say(b"OK\r\n")
        return
    if password == "secret":
        exchange.set_client_final(final)
        signature = exchange.get_server_final()
    else:
        signature = f"v={b64(bytes(32)).decode()}"
    if as_data:
        server.say(b'OK (SASL "' + b64(signature) + b'")\r\n')
    else:
        server.say(b'"' + b64(signature) + b'"\r\n')
        server.line()
        server.say(b"OK\r\n")


@pytest.mark.parametrize("as_data", [False, True])
def test_scram_with_the_last_message_as_a_challenge_or_with_the_ok(as_data):
    heard = login(lambda server: (scram(server, as_data=as_data), server.line(), server.say(GREETING)))
    assert heard[-1] == b"CAPABILITY\r\n"
    assert b"secret" not in b"".join(heard)


@pytest.mark.parametrize("as_data", [False, True])
def test_a_server_that_does_not_know_the_password_is_an_impostor(as_data):
    with pytest.raises(sasl.Impostor):
        login(lambda server: scram(server, password="other", as_data=as_data))


def test_a_server_that_lets_us_in_without_a_proof_is_an_impostor():
    with pytest.raises(NotPermitted):
        login(lambda server: scram(server, proof=False))


def test_rounds_without_end_are_not_worked_through():
    def play(server):
        first = base64.b64decode(server.line().split(b'"')[3]).decode()
        nonce = first.rpartition("r=")[2]
        server.say(b'"' + b64(f"r={nonce}x,s=QUJD,i=2000000000") + b'"\r\n')
        server.line()

    with pytest.raises(NotPermitted, match="rounds of work"):
        login(play)


@pytest.mark.parametrize("challenge", [b'"***"\r\n', b'"YQ"\r\n', b"{3}\r\na\r\n\r\n"])
def test_a_challenge_that_is_not_base64_cancels(challenge):
    with pytest.raises(Unavailable, match="base64"):
        login(lambda server: (server.line(), server.say(challenge), server.line(), server.say(b"NO\r\n")))


@pytest.mark.parametrize("challenge", [b"", b"r=x", b"\xff\xfe", b"r=x,s=!,i=1", b"m=ext,r=x,s=QQ==,i=1"])
def test_a_challenge_that_makes_no_sense_is_refused(challenge):
    with pytest.raises(NotPermitted):
        login(lambda server: (server.line(), server.say(b'"' + b64(challenge) + b'"\r\n'), server.line()))


def test_challenges_without_end_are_refused():
    def play(server):
        while server.line():
            server.say(b'""\r\n')

    with pytest.raises(Unavailable, match="asks on"):
        login(play, wanted="PLAIN")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b'NO "wrong"\r\n', NotPermitted, "wrong"),
        (b'NO (TRYLATER) "the database is away"\r\n', TemporaryTrouble, "the database is away"),
        (b'NO (TRANSITION-NEEDED) "x"\r\n', NotPermitted, "-m PLAIN"),
        (b'NO (AUTH-TOO-WEAK) ""\r\n', NotPermitted, "another mechanism"),
        (b'BYE "enough"\r\n', Unavailable, "enough"),
        (b'BYE (REFERRAL "sieve://b.example")\r\n', Referred, "sieve://b.example"),
        (b'NO (NEW/CODE) "odd"\r\n', NotPermitted, "odd"),
    ],
)
def test_a_refusal_is_what_its_code_says(answer, kind, words):
    with pytest.raises(kind, match=words):
        login(lambda server: (server.line(), server.say(answer)))


def test_a_token_is_shown_only_where_nobody_listens():
    with pytest.raises(NotPermitted, match="not encrypted"):
        sasl.choose(["OAUTHBEARER"], Identity("a", token="t"), wanted="", secure=False, certificate=False)


def test_a_token_that_is_refused_is_answered_as_the_mechanism_wants():
    def play(server):
        server.line()
        server.say(b'"' + b64('{"status":"invalid_token"}') + b'"\r\n')
        server.line()
        server.say(b'NO "expired"\r\n')

    with pytest.raises(NotPermitted, match="expired"):
        login(play, identity=Identity("alice", token="t"), greeting=GREETING.replace(b"PLAIN", b"OAUTHBEARER"))


@pytest.mark.parametrize(
    ("offered", "more", "chosen"),
    [
        ("PLAIN SCRAM-SHA-1 SCRAM-SHA-256", {}, "SCRAM-SHA-256"),
        ("PLAIN SCRAM-SHA-1-PLUS SCRAM-SHA-256", {}, "SCRAM-SHA-1-PLUS"),
        ("PLAIN LOGIN", {}, "PLAIN"),
        ("LOGIN", {}, "LOGIN"),
        ("EXTERNAL PLAIN", {"certificate": True}, "EXTERNAL"),
        ("EXTERNAL PLAIN", {}, "PLAIN"),
        ("PLAIN SCRAM-SHA-1", {"wanted": "plain"}, "PLAIN"),
    ],
)
def test_the_best_mechanism_is_chosen(offered, more, chosen):
    given = {"wanted": "", "secure": True, "certificate": False} | more
    assert sasl.choose(offered.split(), Identity("a"), **given) == chosen


@pytest.mark.parametrize(
    ("offered", "more"),
    [("PLAIN LOGIN", {"secure": False}), ("", {}), ("GSSAPI", {}), ("PLAIN", {"wanted": "SCRAM-SHA-1"})],
)
def test_no_mechanism_is_said_to_be_none(offered, more):
    given = {"wanted": "", "secure": True, "certificate": False} | more
    with pytest.raises(NotPermitted):
        sasl.choose(offered.split(), Identity("a"), **given)


def test_names_with_commas_and_authorization_identities_are_written_as_scram_wants():
    talk = sasl.converse("SCRAM-SHA-1", Identity("al,i=ce", "bo,b=", "x"), None, ["SCRAM-SHA-1"])
    assert next(talk).startswith(b"n,a=bo=2Cb=3D,n=al=2Ci=3Dce,r=")


def test_a_server_without_plus_is_told_that_we_could():
    talk = sasl.converse("SCRAM-SHA-1", ALICE, ("tls-server-end-point", b"x"), ["SCRAM-SHA-1", "PLAIN"])
    assert next(talk).startswith(b"y,,n=")


# --- commands --------------------------------------------------------------------------------------------------


def answering(*answers):
    """A session with a server that gives these answers."""

    def play(server):
        server.say(GREETING)
        for answer in answers:
            server.line()
            server.say(answer)
        server.line()

    return Scripted(play)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"OK\r\n", Unavailable),
        (b'"a"\r\n"b"\r\nOK\r\n', Unavailable),
        (b'NO (NONEXISTENT) "gone"\r\n', NotFound),
        (b"BYE\r\n", Unavailable),
    ],
)
def test_what_is_not_one_script_is_no_script(answer, kind):
    with answering(answer) as server:
        session = open_(server)
        with pytest.raises(kind):
            session.get("a")
        session.drop()


def test_warnings_of_a_put_are_told():
    with answering(b"OK (WARNINGS) {9}\r\nline 1\r\nx\r\n") as server:
        session = open_(server)
        assert session.put("a", b"keep;") == "line 1\nx"
        session.drop()


@pytest.mark.parametrize(("answer", "asked"), [(b"OK\r\n", 2), (b"NO\r\n", 2), (b"NO (QUOTA/MAXSIZE)\r\n", 1)])
def test_room_for_a_large_script_is_asked_for_before_it_is_sent(answer, asked):
    with answering(answer) as server:
        session = open_(server)
        with pytest.raises(NotPermitted if asked == 1 else Unavailable):
            session.put("a", b"#" * (1 << 15))
        session.drop()
    words = [line.split()[0] for line in server.heard if line.strip()]
    assert words == [b"HAVESPACE", b"PUTSCRIPT"][:asked]


def test_an_old_server_renames_by_way_of_a_copy():
    old = GREETING.replace(b'"VERSION" "1.0"\r\n', b"")

    def play(server):
        server.say(old)
        for answer in (b'"a" ACTIVE\r\nOK\r\n', b'"keep;"\r\nOK\r\n', b"OK\r\n", b"OK\r\n", b"OK\r\n"):
            server.line()
            server.say(answer)

    with Scripted(play) as server:
        session = open_(server)
        session.rename("a", "b")
        session.drop()
    assert [line.split()[0] for line in server.heard] == [
        b"LISTSCRIPTS", b"GETSCRIPT", b"PUTSCRIPT", b"SETACTIVE", b"DELETESCRIPT",
    ]  # fmt: skip


def test_an_old_server_renames_nothing_onto_another():
    old = GREETING.replace(b'"VERSION" "1.0"\r\n', b"")

    def play(server):
        server.say(old)
        server.line()
        server.say(b'"a"\r\n"b"\r\nOK\r\n')

    with Scripted(play) as server:
        session = open_(server)
        with pytest.raises(AlreadyExists):
            session.rename("a", "b")
        session.drop()
    assert server.heard == [b"LISTSCRIPTS\r\n"]


def test_a_server_that_cannot_check_or_try_is_not_asked_to():
    with answering() as server:
        session = open_(server)
        session.capabilities.pop("VERSION")
        with pytest.raises(NotPermitted, match="cannot check"):
            session.check(b"keep;")
        with pytest.raises(NotPermitted, match="cannot try"):
            session.try_script("a", 1)
        session.drop()
