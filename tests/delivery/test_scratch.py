"""The world of a test file: what is carried out there is done as a whole or not at all."""

from datetime import UTC, datetime

import pytest

from sievemda.delivery.scratch import ScratchWorld
from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.effects import Notify, Redirect, Refuse, Store
from sievemda.sieve.testing.world import Due, NoMailbox

MESSAGE = Message(b"From: a@b.example\nTo: me@c.example\nSubject: x\n\nText\n")
ENVELOPE = Envelope(Sender(Address("a", "b.example")), Recipient(Address("me", "c.example")))


@pytest.fixture
def world():
    world = ScratchWorld()
    yield world
    world.close()


def carry_out(world, *effects, message=MESSAGE, clock=None):
    return world.carry_out(Due(message, ENVELOPE, effects, Store(implicit=True), {}, clock))


def count(world, mailbox):
    number = 0
    while world.stored(mailbox, number):
        number += 1
    return number


def test_what_is_stored_has_its_flags_and_the_mark_of_its_attachments(world):
    assert carry_out(world, Store(flags=("\\Seen", "Work"))) == ""
    stored = world.stored("INBOX", 0)
    assert stored.data == MESSAGE.data
    assert set(stored.flags) == {"\\Seen", "Work", "$HasNoAttachment"}


def test_the_old_mark_goes_when_the_message_has_become_another_one(world):
    edited = Message(b"Content-Disposition: attachment\n\nx\n")
    carry_out(world, Store(flags=("$hasnoattachment",), message=edited))
    assert world.stored("INBOX", 0).flags == ("$HasAttachment",)


def test_when_the_store_fails_half_way_what_was_stored_is_taken_back(world):
    for name in ("A", "B"):
        world.create_mailbox(name)
    broken = next(path for path in world.directory.rglob(".B") if path.is_dir())
    (broken / "cur").rename(broken / "elsewhere")
    (broken / "cur").symlink_to(broken / "elsewhere")
    why = carry_out(world, Store(mailbox="A"), Store(mailbox="B", flags=("\\Seen",)), Redirect(address="r@d.example"))
    assert why
    assert (count(world, "A"), count(world, "INBOX"), len(world.sent)) == (0, 1, 0)
    assert world.stored("INBOX", 0).flags == ("$HasNoAttachment",)


def test_what_cannot_be_planned_leaves_everything_undone(world):
    why = carry_out(world, Redirect(address="r@d.example"), Store(mailbox="None"), message=MESSAGE)
    assert why == "failed to store into mailbox 'None': the mailbox does not exist"
    assert (count(world, "INBOX"), len(world.sent)) == (1, 0)


def test_both_ways_to_refuse_go_by_mail(world):
    for extended in (False, True):
        world.forget_sent()
        assert carry_out(world, Refuse(reason="no", extended=extended)) == ""
        assert [(letter.sender, letter.recipient) for letter in world.sent] == [("", "a@b.example")]
    assert count(world, "INBOX") == 0


def test_a_clock_that_stands_still_dates_our_own_mail_and_no_other(world):
    told = Notify(method="mailto:n@d.example", message="", text=b"Subject: n\n\nn\n", recipients=("n@d.example",))
    dated = Message(b"Date: Mon, 3 Jan 2028 10:00:00 +0000\n\nx\n")
    noon = datetime(2020, 2, 29, 12, tzinfo=UTC)
    carry_out(world, told, Redirect(address="r@d.example"), message=dated, clock=noon)
    assert [letter.data.count(b"Date: Sat, 29 Feb 2020 12:00:00 +0000\n") for letter in world.sent] == [1, 0]
    assert b"Date: Mon, 3 Jan 2028 10:00:00 +0000\n" in world.sent[1].data


@pytest.mark.parametrize("name", ["user.bob", "Other Users.bob", "Shared Folders.x", "user", "Größe", "a b.c d"])
def test_any_name_is_a_mailbox_of_the_user(world, name):
    assert carry_out(world, Store(mailbox=name, create=True)) == ""
    assert world.mailbox_exists(name)
    assert count(world, name) == 1


@pytest.mark.parametrize("name", ["a/b", "", "a..b", ".a", "a.", "x" * 300, "a\x00b"])
def test_a_name_that_can_be_none(world, name):
    world.create_mailbox(name)
    assert not world.mailbox_exists(name)
    with pytest.raises(NoMailbox):
        world.stored(name, 0)
    assert "name" in carry_out(world, Store(mailbox=name, create=True))


def test_a_mailbox_that_is_deleted_and_made_again_is_empty(world):
    carry_out(world, Store(mailbox="A", create=True))
    world.delete_mailbox("A")
    assert not world.mailbox_exists("A")
    world.create_mailbox("A")
    assert count(world, "A") == 0


@pytest.mark.parametrize("name", ["inbox", "None"])
def test_what_cannot_be_deleted(world, name):
    with pytest.raises(NoMailbox):
        world.delete_mailbox(name)


@pytest.mark.parametrize("entry", ["/private/a", "/shared/a", "/Private/Vendor/x/y"])
@pytest.mark.parametrize("mailbox", [None, "INBOX", "inbox"])
def test_annotations(world, entry, mailbox):
    assert world.metadata(mailbox, entry) is None
    world.annotate(mailbox, entry, "value")
    assert world.metadata(mailbox, entry.lower()) == "value"


def test_a_mailbox_that_is_not_there_has_no_annotations(world):
    assert world.metadata("None", "/private/a") is None
    with pytest.raises(NoMailbox):
        world.annotate("None", "/private/a", "b")


def test_nothing_is_left_of_a_temporary_world():
    world = ScratchWorld()
    carry_out(world, Store())
    world.close()
    assert not world.directory.exists()
