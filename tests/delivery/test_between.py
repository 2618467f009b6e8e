"""What has changed between RCPT and the end of DATA counts: each recipient is looked at again, boards as at RCPT."""

from __future__ import annotations

import pytest

from sievemda.mail.result import Receipt, Result
from sievemda.policy.quota import Limits
from sievemda.store.names import MailboxName
from tests.delivery.world import PEER, message, sender

BOARD = MailboxName(None, ("news",))
ALICE = MailboxName("alice")
LISTS = MailboxName("alice", ("Lists",))


def delete(name):
    return lambda store: store.delete(name)


def grant(name, identifier, rights):
    return lambda store: store.find(name).change_acl(lambda acl: acl.changed(identifier, rights))


def fill(name):
    def full(store):
        mailbox = store.find(name)
        (mailbox.path / "new" / "1.M1P1.x,S=9,W=9").write_bytes(b"A: b\n\nc\nd")
        store.make_root(mailbox).set_limits(Limits(messages=0))

    return full


def special(name, use):
    return lambda store: store.find(name).set_special_use(use)


def break_(name):
    def damage(store):
        for part in ("new", "tmp"):
            path = store.find(name).path / part
            path.rmdir()
            path.write_text("")

    return damage


@pytest.mark.parametrize(
    ("to", "change", "result", "inbox"),
    [
        ("+news@x", delete(BOARD), Result.NO_SUCH_MAILBOX, 0),
        ("+news@x", grant(BOARD, "anyone", "lrs"), Result.NOT_PERMITTED, 0),
        ("+news@x", grant(BOARD, "anyone", "r"), Result.NO_SUCH_MAILBOX, 0),
        ("+news@x", fill(BOARD), Result.OVER_QUOTA, 0),
        ("+news@x", special(BOARD, "\\Drafts"), Result.MAILBOX_BROKEN, 0),
        ("+news@x", grant(BOARD, "fred", "p"), Result.DELIVERED, 0),
        ("alice@x", delete(ALICE), Result.NO_SUCH_USER, None),
        ("alice@x", fill(ALICE), Result.OVER_QUOTA, 1),
        ("alice@x", grant(ALICE, "alice", "lrs"), Result.DELIVERED, 1),
        ("alice+Lists@x", delete(LISTS), Result.DELIVERED, 1),
        ("alice+Lists@x", grant(LISTS, "anyone", "lrs"), Result.DELIVERED, 1),
        ("alice+Lists@x", fill(LISTS), Result.DELIVERED, 1),
        ("alice+Lists@x", special(LISTS, "\\Snoozed"), Result.DELIVERED, 1),
        ("alice+Lists@x", break_(LISTS), Result.DELIVERED, 1),
        ("alice+Lists@x", fill(ALICE), Result.OVER_QUOTA, 1),
        ("alice+Lists@x", grant(LISTS, "fred", "p"), Result.DELIVERED, 0),
    ],
)
def test_the_end_of_data_sees_what_rcpt_did_not(world, to, change, result, inbox):
    world.user("alice", "Lists")
    world.user("bob")
    world.mailbox("news", ("anyone", "lrsp"))
    targets = [world.verify(address) for address in (to, "bob@x")]
    assert not any(isinstance(target, Receipt) for target in targets)
    change(world.store)
    receipts = world.deliverer.deliver(sender(), PEER, targets, world.content(message(), targets))
    assert [receipt.result for receipt in receipts] == [result, Result.DELIVERED]
    assert len(world.files("user/bob")) == 1
    if inbox is not None:
        assert len(world.files("user/alice")) == inbox


@pytest.mark.parametrize(
    ("settings", "poster", "result"),
    [
        ({"admins": ("cyrus",)}, "cyrus", Result.NOT_PERMITTED),
        ({"admins": ("Cyrus",)}, "cyrus", Result.NOT_PERMITTED),
        ({"admins": ("cyrus",)}, "fred", Result.NO_SUCH_MAILBOX),
        ({"admins": ("cyrus",), "lmtp_admins": ("fred",)}, "cyrus", Result.NO_SUCH_MAILBOX),
        ({"admins": ("cyrus",), "lmtp_admins": ("fred",)}, "fred", Result.NOT_PERMITTED),
        ({"proxyservers": ("fred",)}, "fred", Result.NO_SUCH_MAILBOX),
    ],
)
def test_an_administrator_knows_of_every_board_and_still_needs_the_right_to_post(make_world, settings, poster, result):
    world = make_world(**settings)
    world.mailbox("secret", ("anyone", "none"))
    assert world.result("+secret@x", sender(auth=poster)) is result
