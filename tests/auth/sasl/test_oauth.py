"""OAUTHBEARER and XOAUTH2 with tokens that are signed here."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sievemda.auth.sasl.steps import Accepted, Challenge, Refused
from sievemda.errors import TemporaryTrouble
from tests.auth.sasl.conftest import begin

MECHANISMS = ["OAUTHBEARER", "XOAUTH2"]
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def other_key():
    return rsa.generate_private_key(65537, 2048)


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def keys(tmp_path, rsa_key):
    path = tmp_path / "keys.pem"
    path.write_bytes(public(rsa_key))
    return path


def signed(key, algorithm="RS256", header=None, **claims):
    there = {"sub": "alice", "exp": int(time.time()) + 300, **claims}
    payload = json.dumps({k: v for k, v in there.items() if v is not None}).encode()
    return jwt.PyJWS().encode(payload, key, algorithm, header)


def said(mechanism, token, user="alice"):
    if mechanism == "XOAUTH2":
        return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()
    return f"n,{user and f'a={user}'},\x01host=mail.example\x01port=4190\x01auth=Bearer {token}\x01\x01".encode()


def shown(users, mechanism, token, user="alice", **settings):
    return begin(users, mechanism, **settings).step(said(mechanism, token, user))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_lets_its_user_in(users, mechanism, keys, rsa_key):
    exchange = begin(users, mechanism, oauth2_keys=keys)
    assert exchange.step(None) == Challenge(b"")
    assert exchange.step(said(mechanism, signed(rsa_key))) == Accepted("alice", "alice")


def test_the_token_says_who_he_is_when_the_client_does_not(users, keys, rsa_key):
    assert shown(users, "OAUTHBEARER", signed(rsa_key), "", oauth2_keys=keys) == Accepted("alice", "alice")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_an_administrator_acts_for_a_user(users, mechanism, keys, rsa_key):
    assert shown(users, mechanism, signed(rsa_key, sub="root"), oauth2_keys=keys) == Accepted("root", "alice")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_for_somebody_else_lets_nobody_in(users, mechanism, keys, rsa_key):
    step = shown(users, mechanism, signed(rsa_key, sub="bob"), oauth2_keys=keys)
    assert verdict(step) == Refused("bob", "authzid")


@pytest.mark.parametrize("dummy", [b"\x01", b"", b"anything"])
def test_a_refusal_is_explained_before_it_is_told(users, keys, other_key, dummy):
    exchange = begin(
        users, "OAUTHBEARER", oauth2_keys=keys, oauth2_scope=("sieve",),
        oauth2_openid_configuration="https://issuer.example/c",
    )  # fmt: skip
    step = exchange.step(said("OAUTHBEARER", signed(other_key)))
    assert json.loads(step.data) == {
        "status": "invalid_token",
        "scope": "sieve",
        "openid-configuration": "https://issuer.example/c",
    }
    assert step.verdict == Refused("alice", "token")
    assert exchange.step(dummy) == step.verdict


def test_xoauth2_is_refused_at_once_since_its_clients_wait_for_that(users, keys, other_key):
    assert shown(users, "XOAUTH2", signed(other_key), oauth2_keys=keys) == Refused("alice", "token")


def verdict(step):
    """Of a refusal, explained or not."""
    return step.verdict if isinstance(step, Challenge) else step


def test_a_token_that_lacks_a_scope_is_told_so(users, keys, rsa_key):
    step = shown(users, "OAUTHBEARER", signed(rsa_key, scope="mail"), oauth2_keys=keys, oauth2_scope=("sieve",))
    assert json.loads(step.data)["status"] == "insufficient_scope"


NOW = int(time.time())  # as the tests are collected, which may be long before they run


@pytest.mark.parametrize(
    ("claims", "settings", "right"),
    [
        ({"exp": NOW - 60}, {}, False),
        ({"exp": None}, {}, False),
        ({"exp": "soon"}, {}, False),
        ({"exp": True}, {}, False),
        ({"exp": float("nan")}, {}, False),
        ({"exp": float("inf")}, {}, False),
        ({"nbf": float("nan")}, {}, False),
        ({"nbf": NOW + 86_400}, {}, False),
        ({"nbf": NOW - 60}, {}, True),
        ({"nbf": "now"}, {}, False),
        ({"exp": NOW + 86_400.5, "iat": NOW + 86_400}, {}, True),
        ({"aud": "shop"}, {}, False),
        ({"aud": "mail"}, {"oauth2_audience": ("sieve", "mail")}, True),
        ({"aud": ["shop", "mail"]}, {"oauth2_audience": ("mail",)}, True),
        ({"aud": "shop"}, {"oauth2_audience": ("mail",)}, False),
        ({"aud": ["shop", 1, None]}, {"oauth2_audience": ("mail",)}, False),
        ({}, {"oauth2_audience": ("mail",)}, False),
        ({"iss": "https://issuer.example"}, {"oauth2_issuer": ("https://issuer.example",)}, True),
        ({"iss": "https://other.example"}, {"oauth2_issuer": ("https://issuer.example",)}, False),
        ({"iss": ["https://issuer.example"]}, {"oauth2_issuer": ("https://issuer.example",)}, False),
        ({}, {"oauth2_issuer": ("https://issuer.example",)}, False),
        ({"scope": "mail sieve"}, {"oauth2_scope": ("sieve", "mail")}, True),
        ({"scope": ["mail", "sieve"]}, {"oauth2_scope": ("sieve",)}, True),
        ({"scp": "sieve"}, {"oauth2_scope": ("sieve",)}, True),
        ({"scope": "sieved"}, {"oauth2_scope": ("sieve",)}, False),
        ({"scope": 1}, {"oauth2_scope": ("sieve",)}, False),
        ({"sub": "x", "email": "alice@example.org"}, {"oauth2_username_claim": "email"}, True),
        (
            {"email": "alice@example.org", "email_verified": False},
            {"oauth2_username_claim": "email"},
            False,
        ),
        ({"sub": None}, {}, False),
        ({"sub": "alice\0"}, {}, False),
        ({"name": 1}, {"oauth2_username_claim": "name"}, False),
        ({"name": {"alice": 1}}, {"oauth2_username_claim": "name"}, False),
        ({"sub": "../alice"}, {}, False),
    ],
)
def test_what_a_token_must_say(users, keys, rsa_key, claims, settings, right):
    step = shown(users, "OAUTHBEARER", signed(rsa_key, **claims), oauth2_keys=keys, **settings)
    assert (step == Accepted("alice", "alice")) == right
    assert right or isinstance(step, Challenge)


def jwk(key, kind=jwt.algorithms.RSAAlgorithm, **more):
    return {**json.loads(kind.to_jwk(key.public_key())), **more}


@pytest.mark.parametrize(
    ("claims", "settings", "why"),
    [
        ({"exp": 1000}, {}, "it has expired"),
        ({"nbf": 1 << 40}, {}, "it is not valid yet (nbf)"),
        ({"exp": "soon"}, {}, "exp is no time"),
        (
            {"iss": "https://evil.example"},
            {"oauth2_issuer": ("https://login.example",)},
            "iss is none of oauth2_issuer",
        ),
        ({"aud": "shop"}, {"oauth2_audience": ("sievemda",)}, "aud is none of oauth2_audience"),
        ({"aud": "shop"}, {}, "it is for somebody (aud), and oauth2_audience names nobody"),
        ({"scope": "openid"}, {"oauth2_scope": ("email",)}, "it lacks some of oauth2_scope"),
        ({}, {"oauth2_username_claim": "upn"}, "it has no claim upn (oauth2_username_claim)"),
        ({"exp": None}, {}, "it is damaged, or does not end (exp)"),
    ],
)
def test_the_log_says_why_a_token_is_refused_and_nothing_of_it(users, keys, rsa_key, caplog, claims, settings, why):
    caplog.set_level("INFO")
    shown(users, "OAUTHBEARER", signed(rsa_key, **claims), oauth2_keys=keys, **settings)
    assert caplog.messages == [f"token refused: {why}"]


def test_the_log_says_that_a_token_has_the_wrong_signature(users, keys, other_key, caplog):
    caplog.set_level("INFO")
    shown(users, "OAUTHBEARER", signed(other_key), oauth2_keys=keys)
    shown(users, "OAUTHBEARER", signed(SECRET, "HS256"), oauth2_keys=keys)
    assert caplog.messages == [
        "token refused: it is signed by none of oauth2_keys",
        "token refused: it is signed by none of oauth2_algorithms",
    ]


def test_keys_may_stand_in_a_set_and_are_found_by_their_names(users, tmp_path, rsa_key, other_key):
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [
        {"kty": "unheard-of"},
        jwk(other_key, kid="enc", use="enc"),
        jwk(other_key, kid="ops", key_ops=["encrypt"]),
        jwk(rsa_key, kid="one", alg="RS256", use="sig"),
        jwk(curve, jwt.algorithms.ECAlgorithm, kid="two", key_ops=["verify"]),
        jwk(edwards, jwt.algorithms.OKPAlgorithm, kid="three"),
    ]}))  # fmt: skip

    def right(*signature, **header):
        step = shown(users, "OAUTHBEARER", signed(*signature, header=header), oauth2_keys=path)
        return step == Accepted("alice", "alice")

    assert right(rsa_key, "RS256", kid="one")
    assert right(rsa_key, "RS256")
    assert right(curve, "ES256", kid="two")
    assert right(edwards, "EdDSA", kid="three")
    assert not right(rsa_key, "RS256", kid="two")
    assert not right(rsa_key, "PS256", kid="one")
    assert not right(rsa_key, "RS512", kid="one")
    assert not right(other_key, "RS256", kid="enc")
    assert not right(other_key, "RS256", kid="ops")


def test_a_public_key_is_no_shared_secret(users, keys, rsa_key):
    header, payload = ({"alg": "HS256", "typ": "JWT"}, {"sub": "alice", "exp": NOW + 3600})
    import hashlib
    import hmac

    def b64(octets):
        return base64.urlsafe_b64encode(octets).rstrip(b"=")

    text = b64(json.dumps(header).encode()) + b"." + b64(json.dumps(payload).encode())
    token = text + b"." + b64(hmac.digest(public(rsa_key), text, hashlib.sha256))
    for algorithms in (("RS256",), ("RS256", "HS256")):
        step = shown(users, "OAUTHBEARER", token.decode(), oauth2_keys=keys, oauth2_algorithms=algorithms)
        assert isinstance(step, Challenge)


def test_a_shared_secret_is_taken_where_the_settings_allow_it(users, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"kty": "oct", "k": base64.urlsafe_b64encode(SECRET).decode().rstrip("="), "kid": "s"}))
    token = signed(SECRET, "HS256", header={"kid": "s"})
    assert isinstance(shown(users, "OAUTHBEARER", token, oauth2_keys=path), Challenge)
    step = shown(users, "OAUTHBEARER", token, oauth2_keys=path, oauth2_algorithms=("HS256",))
    assert step == Accepted("alice", "alice")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_shared_secret_that_is_short_opens_nothing(users, tmp_path, algorithm, least):
    """RFC 7518 §3.2: it could be found by trying."""
    path = tmp_path / "keys.json"
    for length in (1, least - 1, least):
        secret = SECRET[:1] * length
        key = {"kty": "oct", "k": base64.urlsafe_b64encode(secret).decode().rstrip("="), "kid": "s"}
        path.write_text(json.dumps({"keys": [key]}))
        token = signed(secret, algorithm, header={"kid": "s"})
        step = shown(users, "OAUTHBEARER", token, oauth2_keys=path, oauth2_algorithms=(algorithm,))
        assert (step == Accepted("alice", "alice")) is (length == least)


def test_a_token_without_signature_lets_nobody_in(users, keys):
    token = jwt.encode({"sub": "alice", "exp": NOW + 3600}, None, "none")
    for text in (token, token + "AAAA"):
        assert isinstance(shown(users, "OAUTHBEARER", text, oauth2_keys=keys), Challenge)


def test_keys_are_read_again_when_they_change(users, keys, rsa_key, other_key):
    token = signed(other_key)
    assert isinstance(shown(users, "OAUTHBEARER", token, oauth2_keys=keys), Challenge)
    keys.write_bytes(public(rsa_key) + public(other_key))
    assert shown(users, "OAUTHBEARER", token, oauth2_keys=keys) == Accepted("alice", "alice")
    keys.write_bytes(public(rsa_key))
    assert isinstance(shown(users, "OAUTHBEARER", token, oauth2_keys=keys), Challenge)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"{}", b'{"keys": 1}', b"[" * 100_000, b"{" + b'"a":[' * 100_000, b"x" * (2 << 20)],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_keys_that_cannot_be_read_are_trouble(users, tmp_path, rsa_key, content, mechanism):
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TemporaryTrouble):
        shown(users, mechanism, signed(rsa_key), oauth2_keys=path)


def test_a_private_key_among_the_keys_is_trouble(users, tmp_path, rsa_key):
    path = tmp_path / "keys"
    path.write_bytes(
        rsa_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(TemporaryTrouble, match="private key"):
        shown(users, "OAUTHBEARER", signed(rsa_key), oauth2_keys=path)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"n,,",
        b"n,,\x01\x01",
        b"n,,\x01auth=\x01\x01",
        b"n,,\x01auth=Bearer\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Basic YWxpY2U6cGVuY2ls\x01\x01",
        b"n,,\x01auth=Bearer x\x01",
        b"n,,\x01auth=Bearer x\x01\x01\x01",
        b"n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01",
        b"n,,\x01au th=Bearer x\x01\x01",
        b"n,,\x01auth=Bearer \xff\x01\x01",
        b"p=tls-unique,,\x01auth=Bearer x\x01\x01",
        b"n,alice,\x01auth=Bearer x\x01\x01",
        b"n,a=,\x01auth=Bearer x\x01\x01",
        b"n,a=al=ice,\x01auth=Bearer x\x01\x01",
        b"n,a=" + b"a" * 2000 + b",\x01auth=Bearer x\x01\x01",
        b"n,,\x01auth=Bearer " + b"x" * 20_000 + b"\x01\x01",
        b"user=\x01auth=Bearer x\x01\x01",
        b"user=alice",
        b"user=alice\x01auth=Bearer x",
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_what_is_malformed_is_an_invalid_request(users, keys, mechanism, message):
    step = begin(users, mechanism, oauth2_keys=keys).step(message)
    assert mechanism == "XOAUTH2" or json.loads(step.data)["status"] == "invalid_request"
    assert verdict(step) == Refused("", "malformed")


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "e30.e30.e30", "eyJhbGciOiJSUzI1NiJ9.e30.", "ä", "a b", "a" * 9000, "....", "eyJhbGciOjF9.e30.e30"],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_what_is_no_token_is_an_invalid_one(users, keys, token):
    step = begin(users, "OAUTHBEARER", oauth2_keys=keys).step(said("OAUTHBEARER", token))
    assert json.loads(step.data)["status"] in {"invalid_token", "invalid_request"}


@pytest.mark.parametrize(
    "header", [b'{"alg":"RS256","x":' + b"[" * 2500 + b"]" * 2500 + b"}", b"[" * 5000, b"1" * 5000]
)
def test_a_header_that_is_hostile_makes_no_token(users, keys, header):
    """Nesting is too much for a PyJWT that is not the newest."""
    part = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    assert verdict(shown(users, "OAUTHBEARER", f"{part}.e30.AAAA", oauth2_keys=keys)) == Refused("alice", "token")


def test_the_example_of_the_standard_is_understood(users, keys):
    """RFC 7628 §4.1, but for its token, which is not of this issuer."""
    text = (
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
        b"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
    )
    exchange = begin(users, "OAUTHBEARER", oauth2_keys=keys)
    step = exchange.step(text)
    assert json.loads(step.data) == {"status": "invalid_token"}
    assert exchange.step(b"\x01") == Refused("user@example.com", "token")
