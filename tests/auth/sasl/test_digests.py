"""CRAM-MD5 and DIGEST-MD5. Passwords are kept in plain text here, as they want it."""

import hashlib
import hmac
import re
import smtplib

import pytest

from sievemda.auth.sasl.steps import Accepted, Challenge, Refused
from tests.auth.sasl.conftest import begin

OLD = {"sasl_mech_list": ("CRAM-MD5", "DIGEST-MD5")}


def cram(users, name, password, change=lambda text: text):
    mechanism = begin(users, "CRAM-MD5", **OLD)
    challenge = mechanism.step(None).data
    assert re.fullmatch(rb"<[0-9]+\.[0-9]+@mail\.example>", challenge)
    client = smtplib.SMTP()
    client.user, client.password = name, password
    return mechanism.step(change(client.auth_cram_md5(challenge)).encode())


@pytest.mark.parametrize(
    ("name", "password", "step"),
    [
        ("alice", "pencil", Accepted("alice", "alice")),
        ("alice", "wrong", Refused("alice", "credentials")),
        ("nobody", "pencil", Refused("nobody", "credentials")),
        ("a lice", "pencil", Refused("a lice", "credentials")),
    ],
)
def test_cram_md5_with_the_client_of_the_standard_library(written, name, password, step):
    assert cram(written, name, password) == step


def test_cram_md5_gives_the_digest_of_its_standard(written, monkeypatch):
    """RFC 2195 §2."""
    mechanism = begin(written, "CRAM-MD5", **OLD)
    mechanism.step(None)
    mechanism._challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    assert mechanism.step(b"tim b913a602c7eda7a495b4e6e7334d3890") == Accepted("tim", "tim")


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"alice",
        b"alice ",
        b"alice 00",
        b" " + b"0" * 32,
        b"alice " + b"0" * 33,
        b"\xff " + b"0" * 32,
        b"a\0b " + b"0" * 32,
    ],
)
def test_cram_md5_refuses_what_is_malformed(written, response):
    mechanism = begin(written, "CRAM-MD5", **OLD)
    mechanism.step(None)
    step = mechanism.step(response)
    assert isinstance(step, Refused)
    assert step.reason == "malformed"


def test_cram_md5_takes_no_initial_response(written):
    assert begin(written, "CRAM-MD5", **OLD).step(b"") == Refused("", "malformed")


def test_challenges_are_never_the_same(written):
    for name in OLD["sasl_mech_list"]:
        assert len({begin(written, name, **OLD).step(None).data for _ in range(20)}) == 20


def md5(data):
    return hashlib.md5(data).digest()


def digest(users, name, password, *, change=(), charset=True, authzid=None, realm=b"mail.example"):
    """The client's part of RFC 2831, by hand; the answer, and the proof that the server has to give."""
    mechanism = begin(users, "DIGEST-MD5", **OLD)
    asked = dict(re.findall(r'([a-z-]+)="?([^",]*)', mechanism.step(None).data.decode()))
    assert asked["realm"] == "mail.example"
    assert (asked["qop"], asked["charset"], asked["algorithm"]) == ("auth", "utf-8", "md5-sess")
    given = {
        "username": name, "realm": realm, "nonce": asked["nonce"].encode(), "cnonce": b"OA6MHXh6VqTrRk", "nc": b"00000001",
        "qop": b"auth", "digest-uri": b"sieve/mail.example",
    }  # fmt: skip
    if charset:
        given["charset"] = b"utf-8"
    if authzid is not None:
        given["authzid"] = authzid

    def narrow(octets):
        try:
            return octets.decode().encode("latin-1") if charset else octets
        except UnicodeEncodeError:
            return octets

    first = (
        md5(b":".join((narrow(name), narrow(realm), narrow(password)))) + b":" + given["nonce"] + b":" + given["cnonce"]
    )
    if authzid is not None:
        first += b":" + authzid
    session = md5(first).hex().encode()

    def proof(method):
        second = md5(method + given["digest-uri"]).hex().encode()
        return md5(b":".join((session, given["nonce"], given["nc"], given["cnonce"], b"auth", second))).hex().encode()

    given["response"] = proof(b"AUTHENTICATE:")
    given.update(dict(change))
    bare = {"nc", "qop", "charset", "response"}
    text = b",".join(
        k.encode() + b"=" + (v if k in bare else b'"' + v + b'"') for k, v in given.items() if v is not None
    )
    return mechanism, mechanism.step(text), b"rspauth=" + proof(b":")


@pytest.mark.parametrize(
    ("name", "password", "charset", "user"),
    [
        (b"alice", b"pencil", True, "alice"),
        (b"alice", b"pencil", False, "alice"),
        ("müller".encode(), "naïve".encode(), True, "müller"),
        ("müller".encode("latin-1"), "naïve".encode("latin-1"), False, "müller"),
    ],
)
def test_digest_md5_recognises_both_ends(written, name, password, charset, user):
    mechanism, step, proof = digest(written, name, password, charset=charset)
    assert step == Challenge(proof)
    assert mechanism.step(b"") == Accepted(user, user)


@pytest.mark.parametrize(
    ("name", "password", "authzid", "last"),
    [
        (b"root", b"toor", b"alice", Accepted("root", "alice")),
        (b"alice", b"pencil", b"alice", Accepted("alice", "alice")),
        (b"alice", b"pencil", b"root", Refused("alice", "authzid")),
    ],
)
def test_digest_md5_takes_an_authorization_identity(written, name, password, authzid, last):
    mechanism, step, proof = digest(written, name, password, authzid=authzid)
    assert step == Challenge(proof)
    assert mechanism.step(b"") == last


@pytest.mark.parametrize(
    ("name", "password", "change", "reason"),
    [
        (b"alice", b"wrong", {}, "credentials"),
        (b"nobody", b"pencil", {}, "credentials"),
        (b"alice", b"pencil", {"realm": b"other"}, "credentials"),
        (b"alice", b"pencil", {"nonce": b"other"}, "malformed"),
        (b"alice", b"pencil", {"nc": b"00000002"}, "malformed"),
        (b"alice", b"pencil", {"qop": b"auth-conf"}, "malformed"),
        (b"alice", b"pencil", {"charset": b"latin-1"}, "malformed"),
        (b"alice", b"pencil", {"username": b""}, "malformed"),
        (b"alice", b"pencil", {"username": b"\xff"}, "malformed"),
        (b"alice", b"pencil", {"username": None}, "malformed"),
        (b"alice", b"pencil", {"response": None}, "malformed"),
        (b"alice", b"pencil", {"cnonce": b""}, "malformed"),
        (b"alice", b"pencil", {"username": b"a" * 2000}, "malformed"),
        (b"alice", b"pencil", {"authzid": b"a" * 5000}, "malformed"),
        (b"alice", b"pencil", {"nc": b"00000001,nc=00000001"}, "malformed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_digest_md5_refuses(written, name, password, change, reason):
    _, step, _ = digest(written, name, password, change=change)
    assert isinstance(step, Refused)
    assert step.reason == reason


@pytest.mark.parametrize(
    "text", [b"", b"=", b",", b'username="alice', b'username="al\\', b"\xff=1", b"x" * 5000, b"n=1," * 2000]
)
def test_digest_md5_refuses_what_is_malformed(written, text):
    mechanism = begin(written, "DIGEST-MD5", **OLD)
    mechanism.step(None)
    assert mechanism.step(text) == Refused("", "malformed")


def test_digest_md5_wants_an_empty_response_to_its_last_message(written):
    mechanism, step, _ = digest(written, b"alice", b"pencil")
    assert isinstance(step, Challenge)
    assert mechanism.step(b"x") == Refused("alice", "malformed")


def test_digest_md5_begins_anew_for_who_would_go_on_with_an_earlier_nonce(written):
    mechanism = begin(written, "DIGEST-MD5", **OLD)
    earlier = b'username="alice",nonce="earlier",cnonce="c",nc=00000002,digest-uri="sieve/a",response=' + b"0" * 32
    assert b"nonce=" in mechanism.step(earlier).data


@pytest.mark.parametrize("initial", [b"", b"a", b'username="alice",nonce="earlier"'])
def test_digest_md5_takes_no_other_initial_response(written, initial):
    assert begin(written, "DIGEST-MD5", **OLD).step(initial) == Refused("", "malformed")


def test_an_exchange_that_was_heard_is_no_use_to_who_heard_it(written):
    mechanism = begin(written, "CRAM-MD5", **OLD)
    challenge = mechanism.step(None).data
    heard = b"alice " + hmac.new(b"pencil", challenge, "md5").hexdigest().encode()
    assert mechanism.step(heard) == Accepted("alice", "alice")
    other = begin(written, "CRAM-MD5", **OLD)
    other.step(None)
    assert other.step(heard) == Refused("alice", "credentials")


def test_an_empty_password_is_none(written, tmp_path):
    (tmp_path / "passwd").write_text("alice:{PLAIN}\nbob:\n")
    for name in ("alice", "bob"):
        assert cram(written, name, "") == Refused(name, "credentials")
