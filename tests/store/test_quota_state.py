"""`sievemda-quota`: what a root remembers."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.policy.quota import Limits
from sievemda.policy.warnings import OVER, State, Told
from sievemda.store.quota_state import FILE_NAME, QuotaStates

FULL = State(1000, {"": Told(95, 2000), "trash": Told(101, 3000)})


@pytest.fixture
def states():
    return QuotaStates(0o600)


def keep(states, folder, state):
    with states.held(folder) as held:
        held.replace(state)


def test_what_is_kept_is_read_again(states, tmp_path):
    assert states.get(tmp_path) == State()
    keep(states, tmp_path, FULL)
    assert states.get(tmp_path) == FULL
    assert QuotaStates(0o600).get(tmp_path) == FULL
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_who_comes_second_gets_nothing_and_does_not_wait(states, tmp_path):
    with states.held(tmp_path) as first:
        with states.held(tmp_path) as second:
            assert second is None
        first.replace(FULL)
    with states.held(tmp_path) as third:
        assert third.state == FULL


def test_what_is_not_replaced_stays_and_leaves_no_lock(states, tmp_path):
    keep(states, tmp_path, FULL)
    with states.held(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert states.get(tmp_path) == FULL


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"[]",
        b"null",
        b"7",
        b"[" * 100_000,
        b'{"full_since": "x"}',
        b'{"full_since": -5}',
        b'{"full_since": 1e300}',
        b'{"told": []}',
        b'{"told": {"": 5}}',
        b'{"told": {"": [80]}}',
        b'{"told": {"": [200, 5]}}',
        b'{"told": {"": ["80", 5]}}',
        b'{"told": {"": [80, 5, 6]}}',
    ],
)
def test_a_damaged_file_says_nothing_and_is_replaced(states, tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    assert states.get(tmp_path) == State()
    keep(states, tmp_path, FULL)
    assert states.get(tmp_path) == FULL


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["full_since", "told", ""]), inner),
)


@given(st.binary(max_size=40) | values.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_in_the_file_is_a_state(content):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE_NAME).write_bytes(content)
        found = QuotaStates(0o600).get(Path(folder))
    assert found.full_since >= 0
    assert all(0 <= told.level <= OVER and told.at >= 0 for told in found.told.values())


@pytest.mark.parametrize("kind", ["link", "pipe", "large"])
def test_what_is_no_file_of_ours_is_not_read_and_is_replaced(states, tmp_path, kind):
    path, other = tmp_path / FILE_NAME, tmp_path / "other"
    other.write_text(json.dumps({"full_since": 7}))
    if kind == "link":
        path.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"x" * (1 << 21))
    assert states.get(tmp_path) == State()
    keep(states, tmp_path, FULL)
    assert states.get(tmp_path) == FULL
    assert json.loads(other.read_text()) == {"full_since": 7}


def test_new_limits_begin_a_new_grace_period(states, mailbox, store):
    root = store.make_root(mailbox("user/alice"))
    root.set_limits(Limits(messages=10))
    keep(states, root.path, FULL)
    root.set_limits(Limits(messages=5))
    assert states.get(root.path) == State(0, FULL.told)


def test_without_limits_nothing_is_remembered(states, mailbox, store):
    root = store.make_root(mailbox("user/alice"))
    root.set_limits(Limits(messages=10))
    keep(states, root.path, FULL)
    root.set_limits(Limits())
    assert states.get(root.path) == State()


def test_setting_limits_makes_no_file_where_nothing_is_remembered(mailbox, store):
    root = store.make_root(mailbox("user/alice"))
    root.set_limits(Limits(messages=10))
    assert not (root.path / FILE_NAME).exists()


def test_it_goes_with_the_root_and_moves_with_the_mailbox(states, mailbox, store):
    folder = mailbox("user/alice/Lists")
    root = store.make_root(folder)
    root.set_limits(Limits(messages=10))
    keep(states, root.path, FULL)
    moved = store.rename(folder.name, store.namespace.parse_admin("user/alice/Old"))
    assert states.get(moved.path) == FULL
    store.make_root(moved).remove()
    assert states.get(moved.path) == State()
