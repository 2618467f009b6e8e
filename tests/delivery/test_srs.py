"""Envelope senders of redirected messages, rewritten into a domain of the site's own."""

import base64
import hashlib
import hmac
import io

import pytest

from sievemda.config import Outbox
from sievemda.configload import load
from sievemda.delivery import outbox as outbox_module
from sievemda.delivery.srs import rewritten
from sievemda.errors import ConfigurationError
from tests.delivery.world import message

NOON = 20_779 * 86_400 + 43_200.0  # a day whose two digits are known: 20779 & 1023 = 299, that is 9 and 11
OPTIONS = Outbox(srs_domain="srs.example", srs_secrets=("secret", "older"))


def hashed(text):
    return base64.b64encode(hmac.new(b"secret", text.encode(), hashlib.sha1).digest()).decode()[:4]


@pytest.mark.parametrize(
    ("sender", "result"),
    [
        ("alice@example.net", f"SRS0={hashed('jlexample.netalice')}=JL=example.net=alice@srs.example"),
        ("A.B@Example.NET", f"SRS0={hashed('jlexample.neta.b')}=JL=Example.NET=A.B@srs.example"),
        (
            "SRS0=abcd=JL=example.net=alice@other.example",
            f"SRS1={hashed('other.example=abcd=jl=example.net=alice')}=other.example==abcd=JL=example.net=alice@srs.example",
        ),
        (
            "SRS1=wxyz=first.example==abcd=JL=example.net=alice@second.example",
            f"SRS1={hashed('first.example=abcd=jl=example.net=alice')}=first.example==abcd=JL=example.net=alice@srs.example",
        ),
        ("", ""),
        ("alice", "alice"),
        ("alice@srs.example", "alice@srs.example"),
        ("alice@SRS.Example", "alice@SRS.Example"),
    ],
)
def test_a_sender_is_wrapped_as_others_can_unwrap_it(sender, result):
    assert rewritten(OPTIONS, sender, NOON) == result


def test_without_a_domain_senders_stay():
    assert rewritten(Outbox(), "alice@example.net", NOON) == "alice@example.net"


def test_a_domain_wants_a_secret(tmp_path):
    with pytest.raises(ConfigurationError):
        load(data=tmp_path, sets=["srs_domain=srs.example"])
    assert load(data=tmp_path, sets=["srs_domain=srs.example", "srs_secrets=a b"]).outbox.srs_secrets == ("a", "b")


@pytest.mark.parametrize(
    ("script", "wrapped"),
    [
        ('redirect "carol@example.org";', True),
        ('require "vacation"; vacation :addresses "alice@example.org" "away";', False),
    ],
)
def test_only_redirected_messages_are_rewritten_and_only_when_they_leave(make_world, monkeypatch, script, wrapped):
    world = make_world(srs_domain="srs.example", srs_secrets=("secret",))
    world.user("alice", script=script)
    world.deliver("alice@example.org", message())
    ((envelope, _),) = world.outgoing()
    assert envelope["from"] == ("bob@example.net" if wrapped else "")
    senders = []

    def taken(_settings, sender, _recipient, _file: io.BufferedIOBase, _dsn):
        senders.append(sender)

    monkeypatch.setattr(outbox_module, "submit", taken)
    world.outbox.run_due(4e9)
    assert len(senders) == 1
    assert senders[0].startswith("SRS0=") is wrapped
