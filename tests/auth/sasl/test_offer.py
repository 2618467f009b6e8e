import dataclasses
import subprocess
import sys

import pytest

from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.client import Client
from sievemda.auth.sasl.offer import mechanisms
from sievemda.auth.users import Users
from sievemda.config import ManageSieve
from tests.auth.sasl.conftest import SECURE, SITE, settings

SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-1"]
PLUS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]
ALL_OPEN = ["PLAIN", "LOGIN"]
BOUND = dataclasses.replace(SECURE, bindings={"tls-unique": b"x"})


@pytest.mark.parametrize(
    ("client", "names"),
    [
        (Client("192.0.2.1"), SCRAM),
        (Client("127.0.0.1"), SCRAM),
        (SECURE, [*SCRAM, *ALL_OPEN]),
        (BOUND, [*PLUS, *SCRAM, *ALL_OPEN]),
        (dataclasses.replace(SECURE, certificate="alice"), ["EXTERNAL", *SCRAM, *ALL_OPEN]),
        (Client("", socket_user="alice"), ["EXTERNAL", *SCRAM]),
    ],
)
def test_what_is_offered_follows_from_the_client(users, client, names):
    assert mechanisms(users, client, settings()).names() == names


@pytest.mark.parametrize(
    ("client", "there"),
    [
        (Client("127.0.0.1"), True),
        (Client("::1"), True),
        (Client("::ffff:127.0.0.1"), True),
        (Client("", socket_user="alice"), True),
        (Client("192.0.2.1"), False),
        (Client("::ffff:192.0.2.1"), False),
        (Client(""), False),
        (Client("nonsense"), False),
    ],
)
@pytest.mark.parametrize("allowed", [True, False])
def test_a_password_in_the_clear_is_for_this_host_where_it_is_allowed(users, client, there, allowed):
    tree = settings().with_changes(managesieve=ManageSieve(allowplaintext=allowed))
    offer = mechanisms(users, client, tree)
    assert ("PLAIN" in offer.names()) == ("LOGIN" in offer.names()) == (there and allowed)
    assert (there and allowed) or offer.hindrance("PLAIN") == offer.hindrance("LOGIN") == "encryption"


@pytest.mark.parametrize(
    ("name", "client", "why"),
    [
        ("CRAM-MD5", SECURE, "weak"),
        ("DIGEST-MD5", SECURE, "weak"),
        ("NTLM", SECURE, "weak"),
        ("SCRAM-SHA-256-PLUS", Client("192.0.2.1"), "encryption"),
        ("SCRAM-SHA-256-PLUS", SECURE, "unknown"),
        ("EXTERNAL", SECURE, "unknown"),
        ("OAUTHBEARER", SECURE, "unknown"),
        ("GSSAPI", SECURE, "unknown"),
        ("ANONYMOUS", SECURE, "unknown"),
        ("", SECURE, "unknown"),
    ],
)
def test_why_a_mechanism_is_not_there(users, name, client, why):
    assert mechanisms(users, client, settings()).hindrance(name) == why


def test_the_settings_name_what_may_be_offered(users):
    offer = mechanisms(users, BOUND, settings(sasl_mech_list=("login", "SCRAM-SHA-1")))
    assert offer.names() == ["SCRAM-SHA-1", "LOGIN"]
    assert offer.hindrance("PLAIN") == offer.hindrance("SCRAM-SHA-256-PLUS") == "weak"


def test_tokens_are_offered_where_somebody_can_check_them_and_nobody_listens(users, tmp_path):
    tokens = {"OAUTHBEARER", "XOAUTH2"}
    for there in ({"oauth2_keys": tmp_path / "keys"}, {"oauth2_introspection_url": "https://issuer.example/"}):
        assert tokens <= set(mechanisms(users, SECURE, settings(**there)).names())
        clear = mechanisms(users, Client("192.0.2.1"), settings(**there))
        assert not tokens & set(clear.names())
        assert clear.hindrance("OAUTHBEARER") == "encryption"


def test_old_mechanisms_want_to_be_named_and_a_back_end_that_keeps_passwords(users, written):
    named = settings(sasl_mech_list=("CRAM-MD5", "DIGEST-MD5", "PLAIN"))
    assert mechanisms(users, SECURE, named).names() == ["PLAIN"]
    assert mechanisms(written, SECURE, named).names() == ["DIGEST-MD5", "CRAM-MD5", "PLAIN"]
    assert mechanisms(written, SECURE, settings()).names() == [*SCRAM, *ALL_OPEN]


def test_while_a_back_end_is_away_the_offer_stays(credentials, tmp_path):
    away = Users(credentials, SITE, [PasswdFile(tmp_path / "away", "PLAIN", SITE)])
    assert mechanisms(away, SECURE, settings()).names() == [*SCRAM, *ALL_OPEN]


def test_nothing_is_loaded_for_mechanisms_that_nobody_uses():
    text = (
        "import sys, sievemda.auth.sasl.offer;"
        "print([name for name in ('jwt', 'gssapi', 'http.client', 'sievemda.auth.sasl.oauth') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout == "[]\n"
