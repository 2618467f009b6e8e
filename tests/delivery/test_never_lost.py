"""Whatever a script does: the message is stored, sent on, refused, or was dropped because the script said so."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sievemda.mail.result import Result
from tests.delivery.world import World, message

REQUIRE = 'require ["fileinto", "copy", "mailbox", "imap4flags", "reject", "ereject", "vacation", "variables"];\n'
ACTIONS = [
    "keep;",
    r'keep :flags "\\Seen";',
    'fileinto "A";',
    'fileinto :copy "A";',
    'fileinto "INBOX";',
    'fileinto "Missing";',
    'fileinto :copy "Missing";',
    'fileinto :create "New";',
    'fileinto "Full";',
    'fileinto "${a}";',
    'redirect "x@example.net";',
    'redirect :copy "y@example.net";',
    "discard;",
    'reject "no";',
    'ereject "no";',
    'vacation :addresses "alice@example.org" "away";',
    'set "a" "A";',
    "stop;",
]
numbers = itertools.count()


@pytest.fixture(scope="module")
def one_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("never") / "data")
    world.user("alice", "A", "Full")
    world.quota("user/alice/Full", messages=0)
    world.deliver("alice+Full@x", message("<fill@x>"))
    yield world
    world.close()


def sent_on(world) -> int:
    return sum(envelope["kind"] == "redirect" for envelope, _ in world.outgoing())


def everything(world) -> int:
    return sum(len(world.files(world.store.namespace.format_admin(m.name))) for m in world.store.list("user/alice*"))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=5), detail=st.sampled_from(["", "+A", "+Missing", "+Full"]))
def test_no_script_loses_a_message(one_world, actions, detail):
    world = one_world
    world.script("alice", REQUIRE + "\n".join(actions))
    stored, sent = everything(world), sent_on(world)
    (result,) = world.deliver(f"alice{detail}@x", message(f"<{next(numbers)}@x>"))
    assert result in {Result.DELIVERED, Result.REJECTED}
    if result is Result.DELIVERED and "discard;" not in actions:
        assert everything(world) > stored or sent_on(world) > sent
    assert world.staged() == []
