"""What a value shows of itself can come into a log or a traceback: never a secret."""

from collections import OrderedDict
from functools import partial

import pytest

from sievemda.auth.backends import Kept
from sievemda.auth.lanes import Turn
from sievemda.auth.passwords import Verifier
from sievemda.auth.schemes import read_secret
from sievemda.auth.tokens.keys import Key
from sievemda.configauth import Auth
from sievemda.configsasl import Sasl
from sievemda.managesieve.client.sasl import Identity
from sievemda.managesieve.wire import Malformed

SECRET = "PencilPencil"
VERIFIER = Verifier(SECRET.encode(), SECRET.encode(), SECRET.encode(), 4096)


@pytest.mark.parametrize(
    "value",
    [
        VERIFIER,
        Kept({"SCRAM-SHA-1": VERIFIER}, SECRET),
        read_secret(f"{{PLAIN}}{SECRET}", "CRYPT"),
        Key(SECRET.encode(), ("HS256",)),
        Identity("alice", password=SECRET, token=SECRET),
        Malformed("x", ("AUTHENTICATE", b"PLAIN", SECRET.encode())),
        Turn("192.0.2.1", OrderedDict(), partial(len, SECRET)),
        Auth(ldap_password=SECRET),
        Sasl(oauth2_introspection_auth=f"client:{SECRET}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_secret_is_shown(value):
    assert SECRET not in repr(value)


def test_a_setting_that_is_secret_shows_whether_it_is_set():
    assert "ldap_password=''" in repr(Auth())
    assert "ldap_password=..." in repr(Auth(ldap_password=SECRET))
