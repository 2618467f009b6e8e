"""Accounts that make themselves with the first message (semantics, section 10)."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from sievemda.configload import load
from sievemda.errors import ConfigurationError
from sievemda.mail.result import Result
from sievemda.policy.acl import format_rights
from sievemda.policy.quota import KIB, Limits
from sievemda.scripts.opening import keeper_of, open_versions
from sievemda.state.versions import Actor
from sievemda.store import accounts
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ScriptStore
from sievemda.store.subscriptions import subscribed
from tests.delivery.world import message, sender

ON = {"autocreate_quota": 1000, "autocreate_post": True}
OK = Result.ACCEPTED
NOBODY = Result.NO_SUCH_USER


def names(world, owner="alice"):
    return sorted(world.store.namespace.format_user(found.name, owner) for found in world.store.mailboxes_of(owner))


def root(world, owner="alice"):
    return world.store.quota_root(MailboxName(owner)) or world.store.make_root(world.store.find(MailboxName(owner)))


def acl_of(world, name):
    return {who: format_rights(rights) for who, rights in world.store.find(name).acl().entries}


def subscriptions(world, owner="alice"):
    return subscribed(world.store.user_tree(owner).root)


@pytest.mark.parametrize(
    ("settings", "result"),
    [
        ({}, NOBODY),
        ({"autocreate_quota": 0}, NOBODY),
        ({"autocreate_post": True}, NOBODY),
        ({"autocreate_quota": -1, "autocreate_post": True}, NOBODY),
        ({"autocreate_quota": 0, "autocreate_post": True}, OK),
        ({"autocreate_quota": 5, "autocreate_post": True}, OK),
        ({**ON, "autocreate_users": ("alice",)}, OK),
        ({**ON, "autocreate_users": ("Alice", "x")}, OK),
        ({**ON, "autocreate_users": ("bob",)}, NOBODY),
        ({**ON, "autocreate_users": ()}, NOBODY),
        ({**ON, "autocreate_users": ("group:nosuchgroup",)}, NOBODY),
        ({**ON, "admins": ("alice",)}, NOBODY),
        ({**ON, "admins": ("Alice",)}, NOBODY),
        ({**ON, "lmtp_admins": ("alice",)}, NOBODY),
        ({**ON, "admins": ("alice",), "lmtp_admins": ("bob",)}, OK),
        ({**ON, "proxyservers": ("alice",)}, NOBODY),
    ],
)
def test_who_gets_an_account_is_a_matter_of_the_settings(make_world, settings, result):
    assert make_world(**settings).result("alice@x") is result


def test_a_member_of_a_group_gets_an_account(make_world, tmp_path):
    groups = tmp_path / "groups"
    groups.write_text("staff:x:100:alice,bob\n")
    world = make_world(**ON, autocreate_users=("group:staff",), groups_file=groups)
    assert world.result("alice@x") is OK
    assert world.result("carol@x") is NOBODY


@pytest.mark.parametrize("address", ["anonymous@x", "anyone@x", "%x@x", '"../x"@x', '"a b"@x', ".x@x"])
def test_nobody_else_gets_an_account(make_world, address):
    world = make_world(**ON)
    assert world.result(address) is NOBODY
    assert list(world.store.layout.users()) == []


def test_the_account_is_there_at_rcpt_already(make_world):
    world = make_world(**ON)
    world.verify("alice@x")
    assert names(world) == ["INBOX"]
    assert acl_of(world, MailboxName("alice")) == {"alice": "lrswipkxtecdan"}
    assert subscriptions(world) == ["INBOX"]


@pytest.mark.parametrize(
    ("storage", "messages", "limits"),
    [
        (1000, -1, Limits(storage=1000 * KIB)),
        (0, -1, Limits()),
        (1000, 50, Limits(storage=1000 * KIB, messages=50)),
        (0, 50, Limits(messages=50)),
        (7, 0, Limits(storage=7 * KIB)),
    ],
)
def test_the_account_has_the_limits_of_the_settings(make_world, storage, messages, limits):
    world = make_world(autocreate_quota=storage, autocreate_quota_messages=messages, autocreate_post=True)
    world.verify("alice@x")
    assert root(world).limits() == limits


def test_the_folders_are_made_and_those_that_are_wanted_are_subscribed(make_world):
    world = make_world(
        **ON,
        autocreate_inbox_folders="Sent | Junk|My Drafts | Lists/a",
        autocreate_subscribe_folders="Junk | Sent|Other",
    )
    world.verify("alice@x")
    assert names(world) == ["INBOX", "Junk", "Lists/a", "My Drafts", "Sent"]
    assert sorted(subscriptions(world)) == ["INBOX", "Junk", "Sent"]


def test_a_folder_that_cannot_be_made_is_left_out(make_world, caplog):
    world = make_world(**ON, autocreate_inbox_folders="Sent|../x|a;b|Sent|INBOX|Junk")
    assert world.result("alice@x") is OK
    assert names(world) == ["INBOX", "Junk", "Sent"]
    assert caplog.text.count("part of a new account left out") == 4


def test_folders_get_their_special_uses(make_world):
    world = make_world(
        **ON,
        autocreate_inbox_folders="Spam|Sent|Ablage",
        xlist={"\\Junk": "Spam", "\\Sent": "Sent", "\\Archive": "nowhere"},
    )
    world.verify("alice@x")
    uses = {found.name.path: found.special_use for found in world.store.mailboxes_of("alice")}
    assert uses == {(): "", ("Spam",): "\\Junk", ("Sent",): "\\Sent", ("Ablage",): ""}


def test_rights_on_the_folders_are_granted_and_bad_lines_left_out(make_world, caplog):
    world = make_world(
        **ON,
        autocreate_inbox_folders="Plus|My Lists",
        autocreate_acl="Plus anyone p|My Lists Fred lrs|My Lists bob +p|Other anyone p|Plus|Plus anyone q|Plus a:b p",
    )
    world.verify("alice@x")
    assert acl_of(world, MailboxName("alice", ("Plus",))) == {"alice": "lrswipkxtecdan", "anyone": "p"}
    assert acl_of(world, MailboxName("alice", ("My Lists",))) == {"alice": "lrswipkxtecdan", "fred": "lrs", "bob": "p"}
    assert caplog.text.count("part of a new account left out") == 4


def test_the_first_message_reaches_a_folder_that_was_opened_to_all(make_world):
    world = make_world(**ON, autocreate_inbox_folders="Plus", autocreate_acl="Plus anyone p")
    assert world.deliver("alice+Plus@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice/Plus")) == 1


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"autocreate_subscribe_sharedfolders": "news|news/a|hidden|nothere|../x"}, ["news", "news\ta"]),
        ({"autocreate_subscribe_sharedfolders_all": True}, ["news", "news\ta", "others"]),
        ({}, []),
    ],
)
def test_shared_folders_that_the_user_may_see_are_subscribed(make_world, settings, lines):
    world = make_world(**ON, **settings)
    for board in ("news", "news/a", "others"):
        world.mailbox(board)
    world.mailbox("hidden", ("anyone", "p"))
    world.verify("alice@x")
    assert subscriptions(world) == ["INBOX", *(f"Shared Folders/{line}" for line in lines)]


def test_without_the_alternative_namespace_shared_folders_are_subscribed_by_their_names(make_world):
    world = make_world(**ON, autocreate_subscribe_sharedfolders="news", altnamespace=False)
    world.mailbox("news")
    world.verify("alice@x")
    assert subscriptions(world) == ["INBOX", "news"]


@pytest.mark.parametrize(("file", "name"), [("start.sieve", "start"), ("start.script", "start"), ("start", "start")])
def test_a_new_account_starts_with_the_script_of_the_site(make_world, tmp_path, file, name):
    script = tmp_path / file
    script.write_text('require "fileinto"; fileinto "Junk";')
    world = make_world(**ON, autocreate_inbox_folders="Junk", autocreate_sieve_script=script)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice/Junk")) == 1
    assert [(each.name, each.active) for each in ScriptStore(world.store.home("alice")).list()] == [(name, True)]
    history = keeper_of(world.settings, world.store, open_versions(world.settings), "alice", Actor()).history()
    assert [(each.action, each.via) for each in history] == [("put", "autocreate"), ("activate", "autocreate")]


@pytest.mark.parametrize("text", [None, "if {", 'require "nosuch";'])
def test_a_script_that_cannot_be_used_is_left_out(make_world, tmp_path, text):
    script = tmp_path / "start.sieve"
    if text is not None:
        script.write_text(text)
    world = make_world(**ON, autocreate_sieve_script=script)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert world.keywords("user/alice") == []
    assert ScriptStore(world.store.home("alice")).list() == ()


def test_a_script_that_is_there_stays(make_world, tmp_path):
    script = tmp_path / "start.sieve"
    script.write_text("discard;")
    world = make_world(**ON, autocreate_sieve_script=script)
    home = world.store.layout.home("alice", "default")
    home.mkdir(parents=True)
    (home / ".dovecot.sieve").write_text("keep;")
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == 1


def test_the_catch_all_is_not_asked_when_the_account_can_be_made(make_world):
    world = make_world(**ON, lmtp_catchall_mailbox="carol")
    world.user("carol")
    assert world.verify("alice@x").owner == "alice"
    assert world.verify("anonymous@x").owner == "carol"


def test_in_a_domain_the_account_is_one_of_the_domain(make_world):
    world = make_world(**ON, virtdomains="userid", defaultdomain="example.com")
    assert world.verify("alice@Example.org").owner == "alice@example.org"
    assert world.verify("alice@example.com").owner == "alice"


def test_first_deliveries_at_the_same_time_make_one_whole_account(make_world):
    world = make_world(**ON, autocreate_inbox_folders="Sent|Junk|Plus", autocreate_acl="Plus anyone p")
    start, results = threading.Barrier(8), []

    def deliver(number):
        start.wait()
        results.extend(world.deliver("alice+Plus@x", message(f"<{number}@x>")))

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [Result.DELIVERED] * 8
    assert names(world) == ["INBOX", "Junk", "Plus", "Sent"]
    assert len(world.files("user/alice/Plus")) == 8
    assert root(world).usage().messages == 8
    assert sorted(subscriptions(world)) == ["INBOX"]


def test_what_is_in_the_way_of_a_mailbox_is_trouble_and_nobody_is_called_unknown(make_world):
    world = make_world(**ON)
    home = world.store.layout.home("alice", "default")
    home.mkdir(parents=True)
    (home / "Maildir").write_text("")
    assert world.result("alice@x") is Result.TROUBLE
    assert [path.name for path in home.parent.iterdir()] == ["alice"]


def test_an_account_that_cannot_be_made_leaves_nothing(make_world, monkeypatch):
    world = make_world(**ON, autocreate_inbox_folders="Sent")

    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(accounts, "into_place", full)
    assert world.result("alice@x") is Result.DISK_FULL
    monkeypatch.undo()
    assert list(world.store.layout.users()) == []
    assert list(world.store.layout.home("alice", "default").parent.iterdir()) == []
    assert world.result("alice@x") is OK


def test_a_poster_who_is_admin_does_not_stop_an_account(make_world):
    world = make_world(**ON, admins=("cyrus",))
    assert world.result("alice@x", sender(auth="cyrus")) is OK


@pytest.mark.parametrize(
    ("sets", "uses"),
    [
        (["xlist-junk=Spam", "xlist-SENT=Sent"], {"\\Junk": "Spam", "\\Sent": "Sent"}),
        (["autocreate.xlist-drafts=D"], {"\\Drafts": "D"}),
    ],
)
def test_special_uses_are_set_as_in_imapd_conf(tmp_path, sets, uses):
    assert load(data=tmp_path, sets=sets).autocreate.xlist == uses


@pytest.mark.parametrize("bad", ["xlist-nosuch=x", "xlist-=x", "xlist=x", "autocreate_quota=-2", "autocreate_quota=x"])
def test_what_cannot_be_is_refused(tmp_path, bad):
    with pytest.raises(ConfigurationError):
        load(data=tmp_path, sets=[bad])


@pytest.mark.parametrize(
    ("text", "kib"), [("-1", -1), ("0", 0), ("500", 500), ("500K", 500), ("10M", 10 << 10), ("2 G", 2 << 20)]
)
def test_the_limit_is_in_kibibytes_unless_it_says_otherwise(tmp_path, text, kib):
    assert load(data=tmp_path, sets=[f"autocreate_quota={text}"]).autocreate.autocreate_quota == kib


def test_the_section_reads_from_a_file(tmp_path):
    (tmp_path / "sievemda.toml").write_text(
        '[autocreate]\nautocreate_acl = ["Plus anyone p", "Junk bob lrs"]\nautocreate_quota = 7\nxlist-junk = "Junk"\n'
        'autocreate_sieve_script = "start.sieve"\n'
    )
    section = load(data=tmp_path).autocreate
    assert section.autocreate_acl == "Plus anyone p|Junk bob lrs"
    assert section.autocreate_quota == 7
    assert section.xlist == {"\\Junk": "Junk"}
    assert section.autocreate_sieve_script == Path(tmp_path / "start.sieve")
