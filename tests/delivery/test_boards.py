"""Bulletin boards: who may post, their own scripts, and what else an annotation can ask of a delivery."""

from __future__ import annotations

import pytest

from sievemda.mail.result import Result
from sievemda.state.memory import Key
from tests.delivery.world import message, sender

DELIVERED = [Result.DELIVERED]
VENDOR = "/shared/vendor/cmu/cyrus-imapd/"
FILE = 'require ["fileinto", "mailbox"]; fileinto :create "{}";'


def annotate(world, name, entry, value):
    mailbox = world.store.find(world.store.namespace.parse_admin(name))
    world.store.annotations.set(mailbox, None, VENDOR + entry, value)


@pytest.fixture
def site(make_world, tmp_path):
    """Makes a world with a board `news` to which all may post, and the script of that name in the global directory."""

    def make(script=None, name="news", **changes):
        scripts = tmp_path / "scripts"
        scripts.mkdir(exist_ok=True)
        world = make_world(sieve_global=str(scripts), **changes)
        world.mailbox("news", ("anyone", "lrsp"))
        if script is not None:
            (scripts / f"{name}.sieve").write_text(script)
        annotate(world, "news", "sieve", name)
        return world

    return make


def stored(world, *names):
    return {name: len(world.files(name)) for name in names}


# --- scripts ---


def test_the_script_of_a_board_decides(site):
    world = site("discard;")
    assert world.deliver("+news@x", message()) == DELIVERED
    assert stored(world, "news") == {"news": 0}


def test_without_the_annotation_no_script_runs(site):
    world = site("discard;")
    annotate(world, "news", "sieve", None)
    world.deliver("+news@x", message())
    assert stored(world, "news") == {"news": 1}


def test_an_implicit_keep_is_the_board(site):
    world = site("# nothing")
    world.deliver("+news@x", message())
    assert stored(world, "news") == {"news": 1}


@pytest.mark.parametrize("spelled", ["news/spam", "Shared Folders/news/spam"])
def test_a_board_script_files_into_other_boards_where_the_poster_may(site, spelled):
    world = site(FILE.format(spelled))
    world.mailbox("news/spam")
    world.deliver("+news@x", message())
    assert stored(world, "news", "news/spam") == {"news": 0, "news/spam": 1}


def test_a_board_script_acts_with_the_rights_of_the_poster(site):
    world = site(FILE.format("closed"))
    world.mailbox("closed", ("fred", "lrsp"))
    world.deliver("+news@x", message("<1@x>"))
    world.deliver("+news@x", message("<2@x>"), sender(auth="fred"))
    assert stored(world, "news", "closed") == {"news": 1, "closed": 1}
    assert world.keywords("news") == ["$SieveFailed"]


def test_a_board_script_makes_folders_where_the_poster_may(site):
    world = site(FILE.format("news/new"))
    world.store.find(world.store.namespace.parse_admin("news")).change_acl(lambda acl: acl.changed("fred", "k"))
    world.deliver("+news@x", message("<1@x>"))
    assert stored(world, "news") == {"news": 1}
    world.deliver("+news@x", message("<2@x>"), sender(auth="fred"))
    assert stored(world, "news", "news/new") == {"news": 1, "news/new": 1}


def test_flags_of_a_board_script_are_those_that_the_poster_may_set(site):
    world = site('require "imap4flags"; setflag ["work", "\\\\Seen"]; keep;')
    world.store.find(world.store.namespace.parse_admin("news")).change_acl(lambda acl: acl.changed("fred", "lrspw"))
    world.deliver("+news@x", message("<1@x>"))
    assert world.keywords("news") == []
    world.deliver("+news@x", message("<2@x>"), sender(auth="fred"))
    assert world.keywords("news") == ["work"]


def test_a_board_script_may_reject(site):
    world = site('require "reject"; reject "not here";')
    (receipt,) = world.receipts("+news@x", message())
    assert (receipt.result, receipt.reason) == (Result.REJECTED, "not here")


def test_a_board_script_may_redirect(site):
    world = site('redirect "carol@example.net";')
    assert world.deliver("+news@x", message()) == DELIVERED
    assert len(world.outgoing()) == 1
    assert stored(world, "news") == {"news": 0}


def test_a_board_script_includes_global_scripts_and_no_others(site, tmp_path):
    world = site('require "include"; include :global "more";')
    (tmp_path / "scripts" / "more.sieve").write_text("discard;")
    world.deliver("+news@x", message("<1@x>"))
    assert stored(world, "news") == {"news": 0}
    (tmp_path / "scripts" / "news.sieve").write_text('require "include"; include :personal "more";')
    world.deliver("+news@x", message("<2@x>"))
    assert stored(world, "news") == {"news": 1}


def test_boards_do_not_share_what_duplicate_has_seen(site):
    world = site('require "duplicate"; if duplicate { discard; }')
    world.mailbox("other", ("anyone", "lrsp"))
    annotate(world, "other", "sieve", "news")
    for to in ("+news@x", "+other@x", "+news@x"):
        assert world.deliver(to, message(), ignore_quota=True) == DELIVERED
    assert stored(world, "news", "other") == {"news": 1, "other": 1}


@pytest.mark.parametrize(("script", "name"), [(None, "news"), ("if {", "news"), ("discard;", "../news"), (None, "a/b")])
def test_a_script_that_cannot_be_used_is_no_script_and_the_journal_says_so(site, tmp_path, script, name):
    world = site()
    if script:
        (tmp_path / "scripts" / "news.sieve").write_text(script)
    annotate(world, "news", "sieve", name)
    assert world.deliver("+news@x", message()) == DELIVERED
    assert stored(world, "news") == {"news": 1}
    assert world.keywords("news") == []
    (entry,) = world.journal.find("<1@example.net>")
    assert any("script of the board" in left["why"] for left in entry["not_done"])


def test_a_board_script_that_fails_on_its_way_leaves_the_message_on_the_board(site):
    world = site('require "fileinto"; fileinto "nothere";')
    assert world.deliver("+news@x", message()) == DELIVERED
    assert world.keywords("news") == ["$SieveFailed"]


def test_who_may_not_post_gets_no_script_run(site):
    world = site('require "reject"; reject "not here";')
    world.store.find(world.store.namespace.parse_admin("news")).change_acl(lambda acl: acl.changed("anyone", "lrs"))
    assert world.deliver("+news@x", message()) == [Result.NOT_PERMITTED]


def test_scripts_of_the_site_for_users_do_not_run_for_boards(site, tmp_path):
    before = tmp_path / "before.sieve"
    before.write_text("discard;")
    world = site("keep;", sieve_before=(str(before),))
    world.deliver("+news@x", message())
    assert stored(world, "news") == {"news": 1}


def test_the_script_of_a_board_comes_from_the_directory_of_its_domain(make_world, tmp_path):
    for domain in ("example.org", "example.com"):
        (tmp_path / domain).mkdir()
    (tmp_path / "example.org" / "s.sieve").write_text("discard;")
    (tmp_path / "example.com" / "s.sieve").write_text("keep;")
    world = make_world(
        sieve_global=str(tmp_path / "{domain}"), virtdomains="userid", defaultdomain="example.com", postuser="bb"
    )
    for name in ("news@example.org", "news"):
        world.mailbox(name, ("anyone", "lrsp"))
        annotate(world, name, "sieve", "s")
    world.deliver(["bb+news@example.org", "bb+news@example.com"], message())
    assert stored(world, "news", "news@example.org") == {"news": 1, "news@example.org": 0}


# --- the other annotations ---


@pytest.mark.parametrize(
    ("value", "copies"), [(None, 1), ("true", 2), ("TRUE", 2), ("1", 2), ("false", 1), ("nonsense", 1)]
)
def test_a_mailbox_may_ask_for_duplicates(world, value, copies):
    world.user("alice")
    if value:
        annotate(world, "user/alice", "duplicatedeliver", value)
    for _ in range(2):
        assert world.deliver("alice@x", message()) == DELIVERED
    assert stored(world, "user/alice") == {"user/alice": copies}


def test_what_a_mailbox_had_while_it_asked_for_duplicates_is_known_afterwards(world):
    world.user("alice")
    annotate(world, "user/alice", "duplicatedeliver", "true")
    world.deliver("alice@x", message())
    annotate(world, "user/alice", "duplicatedeliver", None)
    world.deliver("alice@x", message())
    assert stored(world, "user/alice") == {"user/alice": 1}


@pytest.mark.parametrize(
    ("where", "value", "days"),
    [
        (None, None, 3),
        ("user/alice/L/x", "5", 5),
        ("user/alice/L", "7", 7),
        ("user/alice", "10d", 10),
        ("user/alice/L/x", "48h", 2),
        ("user/alice/L/x", "0", 30_000),
        ("user/alice/L/x", "soon", 3),
        ("user/alice/L/x", "-1", 3),
    ],
)
def test_a_mailbox_may_say_how_long_its_messages_are_remembered(world, where, value, days):
    world.user("alice", "L", "L/x")
    if where:
        annotate(world, where, "expire", value)
    world.deliver("alice+L/x@x", message())
    mailbox = world.store.find(world.store.namespace.parse_admin("user/alice/L/x"))
    key = Key("delivered", "<1@example.net>", mailbox.id, "Sat, 21 Nov 2026 10:00:00 +0000")
    now = world.files("user/alice/L/x")[0].stat().st_mtime
    assert world.memory.seen(key, now + days * 86400 - 60)
    if days < 30_000:
        assert not world.memory.seen(key, now + days * 86400 + 60)
