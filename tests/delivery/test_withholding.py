"""What a script discards can be brought back for some days; what goes somewhere needs no bringing back."""

import pytest

from sievemda.mail.result import Result
from sievemda.policy.quota import Limits
from sievemda.store import withdrawn
from tests.delivery.world import message


def kept(world, name="user/alice"):
    tree = world.store.find(world.store.namespace.parse_admin(name)).tree
    return list(withdrawn.entries(tree))


def discarded(world):
    (entry,) = world.journal.find("<1@example.net>")
    return next(done for done in entry["done"] if done["action"] == "discard")


def test_a_discarded_message_is_kept_and_the_journal_says_how_to_have_it_back(world):
    world.user("alice", script="discard;")
    assert world.deliver("alice@x", message(subject="=?utf-8?q?gr=C3=BC=C3=9Fe?=")) == [Result.DELIVERED]
    (entry,) = kept(world)
    assert (entry.why, entry.mailbox, entry.message_id) == ("discard", "user/alice", "<1@example.net>")
    assert (entry.sender, entry.to, entry.subject) == ("bob@example.net", "alice@x", "grüße")
    told = discarded(world)
    assert (told["of"], told["withdrawn"]) == ("user/alice", entry.id)
    assert told["until"] > "2020"
    assert world.files("user/alice") == []
    assert world.staged() == []


def test_it_comes_back_as_it_would_have_been_stored(world):
    world.user("alice", script='if header "subject" "spam" { discard; }')
    world.deliver("alice@x", message(subject="spam"))
    world.deliver("alice@x", message("<2@x>", subject="ham"))
    stored = world.stored("user/alice")
    (entry,) = kept(world)
    tree = world.store.user_tree("alice")
    _, file = withdrawn.restore(world.store, tree, entry)
    first, second = file.read_bytes(), stored
    assert first.partition(b"\n")[0] == second.partition(b"\n")[0] == b"Return-Path: <bob@example.net>"
    assert first.endswith(b"\n\nBody\n")
    assert len(world.files("user/alice")) == 2


@pytest.mark.parametrize("changes", [{"discard_days": 0}, {"expunge_mode": "immediate"}])
def test_where_the_site_wants_it_gone_it_never_touches_the_disk(make_world, changes, monkeypatch):
    world = make_world(**changes)
    world.user("alice", script="discard;")
    monkeypatch.setattr(world.store, "stage", None)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert kept(world) == []
    assert "withdrawn" not in discarded(world)


@pytest.mark.parametrize(
    "script",
    [
        "keep;",
        "discard; keep;",
        'require "fileinto"; discard; fileinto "A";',
        'discard; redirect "away@example.net";',
        'require "reject"; reject "no";',
        'require "ereject"; ereject "no";',
        'require ["fileinto"]; discard; fileinto "Missing";',
        'require "vacation"; vacation "gone";',
    ],
)
def test_what_goes_somewhere_or_is_refused_is_not_kept(world, script):
    world.user("alice", "A", script=script)
    world.deliver("alice@x", message())
    assert kept(world) == []


def test_one_message_for_several_is_one_file(world):
    for name in ("alice", "bob"):
        world.user(name, script="discard;")
    world.user("carol")
    assert world.deliver(["alice@x", "bob@x", "carol@x"], message()) == [Result.DELIVERED] * 3
    files = [
        withdrawn.area(world.store.user_tree(name)) / kept(world, f"user/{name}")[0].id for name in ("alice", "bob")
    ]
    assert files[0].samefile(files[1])
    assert files[0].samefile(world.files("user/carol")[0])
    assert world.staged() == []


def test_a_large_message_is_kept_without_writing_it_twice(make_world):
    world = make_world(lmtp_spool_threshold=4096)
    world.user("alice", script="discard;")
    world.deliver("alice@x", message(body="line\n" * 5000))
    (entry,) = kept(world)
    assert (withdrawn.area(world.store.user_tree("alice")) / entry.id).stat().st_size == entry.size > 25_000
    assert world.staged() == []


def test_no_quota_stands_in_the_way_and_none_counts_it(world):
    world.user("alice", script="discard;")
    world.quota("user/alice", storage=1 << 20)
    world.deliver("alice@x", message())
    root = world.store.quota_root(world.store.namespace.parse_admin("user/alice"))
    assert (root.limits(), root.usage(fresh=True).storage) == (Limits(storage=1 << 20), 0)


def test_a_message_that_cannot_be_kept_is_discarded_all_the_same(world, tmp_path, caplog):
    world.user("alice", script="discard;")
    withdrawn.area(world.store.user_tree("alice")).symlink_to(tmp_path)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert "not kept" in caplog.text
    assert "Traceback" not in caplog.text
    assert "withdrawn" not in discarded(world)
    assert world.files("user/alice") == []
    assert world.staged() == []
