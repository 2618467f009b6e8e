"""No octets let anybody in, break a mechanism, or make it go on for ever."""

import dataclasses

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.sasl.offer import mechanisms
from sievemda.auth.sasl.steps import Accepted, Refused
from sievemda.auth.users import Users
from sievemda.config import MECHANISMS
from sievemda.state.credentials import Credentials
from tests.auth.sasl.conftest import SECURE, SITE
from tests.auth.sasl.conftest import settings as tree

BOUND = dataclasses.replace(SECURE, bindings={"tls-unique": b"x", "tls-exporter": b"y"})
NAMES = sorted(set(MECHANISMS) - {"EXTERNAL", "GSSAPI"})
FORMS = (
    rb"([nyp]|p=tls-unique|p=tls-exporter|p=),(a=[a-z=]{0,5})?,n=[a-z]{1,5},r=[!-~]{1,9}",
    rb"c=[A-Za-z0-9+/]{0,8}={0,2},r=[!-~]{0,20},p=[A-Za-z0-9+/]{0,28}={0,2}",
    rb"[a-z]{0,5}\x00[a-z]{0,5}\x00[a-z]{0,5}",
    rb"[a-z]{0,5} [0-9a-f]{30,34}",
    rb"([a-z-]{1,9}=\"?[ -~]{0,9}\"?,?){0,6}",
    rb'username="alice",nonce="[a-z]{0,3}",cnonce="x",nc=0000000[01],digest-uri="a/b",response=[0-9a-f]{32}',
    rb"n,(a=[a-z]{0,5})?,\x01(auth=Bearer [A-Za-z0-9._-]{0,20}\x01)?\x01?",
    rb"user=[a-z]{0,5}\x01auth=Bearer [A-Za-z0-9._-]{0,20}\x01\x01",
)


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    """What begins an exchange, by the name of its mechanism. The password of alice is longer than what is tried."""
    directory = tmp_path_factory.mktemp("site")
    (directory / "passwd").write_text("alice:{PLAIN}correct-horse-battery-staple\n")
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    (directory / "keys").write_bytes(
        key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    back_end = PasswdFile(directory / "passwd", "PLAIN", SITE)
    users = Users(Credentials(directory / "accounts.db"), SITE, [back_end])
    return mechanisms(users, BOUND, tree(sasl_mech_list=MECHANISMS, oauth2_keys=directory / "keys")).ready


def test_every_mechanism_is_tried(doors):
    assert sorted(doors) == NAMES


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    messages=st.lists(
        st.none() | st.binary(max_size=60) | st.one_of([st.from_regex(form, fullmatch=True) for form in FORMS]),
        min_size=8,
        max_size=8,
    ),
)
def test_no_octets_let_anybody_in(doors, name, messages):
    server = doors[name]()
    for message in [messages[0], *(message or b"" for message in messages[1:])]:
        step = server.step(message)
        assert not isinstance(step, Accepted)
        if isinstance(step, Refused):
            return
    raise AssertionError("it never comes to an end")
