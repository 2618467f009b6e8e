"""Channel binding, with a client of our own: scramp's knows neither tls-exporter nor an authorization identity."""

import base64
import dataclasses
import hashlib
import hmac

import pytest

from sievemda.auth.sasl.steps import Accepted, Challenge, Refused
from sievemda.auth.users import Users
from tests.auth.sasl.conftest import SECURE, SITE, begin

BINDINGS = {"tls-exporter": b"exported", "tls-server-end-point": b"certificate", "tls-unique": b"finished"}
BOUND = dataclasses.replace(SECURE, bindings=BINDINGS)


def exchange(mechanism, name, header, binding=b"", *, user="alice", password="pencil"):
    """RFC 5802 §3: the steps of the server from the first on."""
    hash_name = "sha1" if "SHA-1" in name else "sha256"
    bare = f"n={user},r=clientnonce"
    steps = [mechanism.step((header + bare).encode())]
    if isinstance(steps[0], Refused):
        return steps
    first = steps[0].data.decode()
    nonce, salt, count = (part[2:] for part in first.split(","))
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), base64.b64decode(salt), int(count))
    key = hmac.digest(salted, b"Client Key", hash_name)
    without = f"c={base64.b64encode(header.encode() + binding).decode()},r={nonce}"
    signature = hmac.digest(hashlib.new(hash_name, key).digest(), f"{bare},{first},{without}".encode(), hash_name)
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
    steps.append(mechanism.step(f"{without},p={proof}".encode()))
    if isinstance(steps[1], Challenge):
        server = hmac.digest(salted, b"Server Key", hash_name)
        right = hmac.digest(server, f"{bare},{first},{without}".encode(), hash_name)
        assert steps[1].data == b"v=" + base64.b64encode(right)
        steps.append(mechanism.step(b""))
    return steps


@pytest.mark.parametrize("name", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
@pytest.mark.parametrize("kind", BINDINGS)
def test_a_client_binds_his_login_to_the_channel(known, name, kind):
    steps = exchange(begin(known, name, BOUND), name, f"p={kind},,", BINDINGS[kind])
    assert steps[-1] == Accepted("alice", "alice")


def test_a_bound_login_takes_an_authorization_identity(known):
    mechanism = begin(known, "SCRAM-SHA-256-PLUS", BOUND)
    steps = exchange(mechanism, "SCRAM-SHA-256", "p=tls-exporter,a=alice,", b"exported", user="root", password="toor")
    assert steps[-1] == Accepted("root", "alice")


@pytest.mark.parametrize(
    ("header", "binding"),
    [
        ("p=tls-exporter,,", b"of another channel"),
        ("p=tls-exporter,,", b""),
        ("p=tls-exporter,,", b"exportedX"),
        ("p=tls-exporter,,", b"finished"),
        ("p=tls-unique,,", b"exported"),
    ],
)
def test_a_login_that_was_bound_to_another_channel_fails(known, header, binding):
    steps = exchange(begin(known, "SCRAM-SHA-256-PLUS", BOUND), "SCRAM-SHA-256", header, binding)
    assert isinstance(steps[0], Challenge)
    assert steps[1:] == [Refused("alice", "binding")]


@pytest.mark.parametrize(
    ("name", "header", "step"),
    [
        ("SCRAM-SHA-256-PLUS", "n,,", Refused("", "binding")),
        ("SCRAM-SHA-256-PLUS", "y,,", Refused("", "binding")),
        ("SCRAM-SHA-256-PLUS", "p=tls-unknown,,", Refused("", "binding")),
        ("SCRAM-SHA-256-PLUS", "p=,,", Refused("", "malformed")),
        ("SCRAM-SHA-256-PLUS", "p,,", Refused("", "malformed")),
        ("SCRAM-SHA-256", "y,,", Refused("", "binding")),
        ("SCRAM-SHA-256", "p=tls-unknown,,", Refused("", "binding")),
    ],
)
def test_what_a_client_says_of_binding_must_fit_what_was_offered(known, name, header, step):
    """RFC 5802 §6: `y` where -PLUS was offered means that somebody took the offer away on the way."""
    assert exchange(begin(known, name, BOUND), name, header) == [step]


@pytest.mark.parametrize("header", ["n,,", "y,,", "n,a=alice,", "y,a=alice,"])
def test_without_a_binding_both_flags_are_right(known, header):
    assert exchange(begin(known, "SCRAM-SHA-256"), "SCRAM-SHA-256", header)[-1] == Accepted("alice", "alice")


def test_a_client_who_knows_no_binding_gets_in_where_there_is_one(known):
    assert exchange(begin(known, "SCRAM-SHA-256", BOUND), "SCRAM-SHA-256", "n,,")[-1] == Accepted("alice", "alice")


def test_a_client_may_bind_without_naming_the_bound_form(known):
    """As Cyrus' clients do."""
    right = exchange(begin(known, "SCRAM-SHA-256", BOUND), "SCRAM-SHA-256", "p=tls-unique,,", b"finished")
    wrong = exchange(begin(known, "SCRAM-SHA-256", BOUND), "SCRAM-SHA-256", "p=tls-unique,,", b"another")
    there_is_none = exchange(begin(known, "SCRAM-SHA-256"), "SCRAM-SHA-256", "p=tls-unique,,", b"finished")
    assert right[-1] == Accepted("alice", "alice")
    assert wrong[-1] == Refused("alice", "binding")
    assert there_is_none == [Refused("", "binding")]


def test_where_the_site_does_not_offer_the_bound_form_nobody_has_taken_it_away(known):
    mechanism = begin(known, "SCRAM-SHA-256", BOUND, sasl_mech_list=("SCRAM-SHA-256",))
    assert exchange(mechanism, "SCRAM-SHA-256", "y,,")[-1] == Accepted("alice", "alice")


@pytest.mark.parametrize(
    ("name", "verifier", "first", "server_first", "final", "server_final"),
    [
        (
            "SCRAM-SHA-1",
            "4096:QSXCR+Q6sek8bf92:6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=",
            b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SCRAM-SHA-256",
            "4096:W22ZaJ0SNY7soEsUEjb6gQ==:WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
            b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
    ids=["RFC 5802", "RFC 7677"],
)
def test_the_examples_of_the_standards(credentials, name, verifier, first, server_first, final, server_final):
    credentials.replace("user", {name: verifier})
    mechanism = begin(Users(credentials, SITE), name)
    ours = server_first.split(b",")[0].removeprefix(b"r=").removeprefix(first.rpartition(b"r=")[2])
    mechanism._server.s_nonce = type(mechanism._server.s_nonce)(ours.decode())
    assert mechanism.step(first) == Challenge(server_first)
    assert mechanism.step(final) == Challenge(server_final)
    assert mechanism.step(b"") == Accepted("user", "user")
