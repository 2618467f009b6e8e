"""A folder that goes while a message is on its way to it: the message goes to the INBOX, or the sender comes again."""

import shutil

import pytest

from sievemda.delivery.staging import Staging
from sievemda.mail.result import Result
from tests.delivery.world import message


@pytest.fixture
def meanwhile(monkeypatch):
    """Has something happen between the decision where a message goes and its arrival there, once."""

    def arrange(action):
        real = Staging.put

        def put(self, mailbox, *arguments, **more):
            monkeypatch.setattr(Staging, "put", real)
            action()
            return real(self, mailbox, *arguments, **more)

        monkeypatch.setattr(Staging, "put", put)

    return arrange


def name(world, text):
    return world.store.namespace.parse_admin(text)


def removed_by_another_program(world):
    shutil.rmtree(world.folder("user/alice/A"))


def renamed_by_another_program(world):
    folder = world.folder("user/alice/A")
    folder.rename(folder.with_name(".B"))


def deleted(world):
    world.store.delete(name(world, "user/alice/A"))


def renamed(world):
    world.store.rename(name(world, "user/alice/A"), name(world, "user/alice/B"))


GOING = [removed_by_another_program, renamed_by_another_program, deleted, renamed]


@pytest.mark.parametrize("going", GOING)
def test_a_message_for_a_folder_that_goes_meanwhile_is_in_the_inbox(world, meanwhile, going):
    world.user("alice", "A", script='require "fileinto"; fileinto "A";')
    meanwhile(lambda: going(world))
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == 1
    assert world.keywords("user/alice") == ["$SieveFailed"]


@pytest.mark.parametrize("going", GOING)
def test_a_message_for_the_folder_of_an_address_that_goes_meanwhile_is_in_the_inbox(world, meanwhile, going):
    world.user("alice", "A")
    meanwhile(lambda: going(world))
    assert world.deliver("alice+A@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == 1
    assert world.keywords("user/alice") == []


@pytest.mark.parametrize("script", ["", "keep;"])
@pytest.mark.parametrize("how", ["delete", "rename"])
def test_a_message_for_a_user_who_goes_meanwhile_comes_again(world, meanwhile, script, how):
    world.user("alice", script=script)
    world.user("bob")
    alice, carol = name(world, "user/alice"), name(world, "user/carol")
    meanwhile(lambda: world.store.delete(alice) if how == "delete" else world.store.rename(alice, carol))
    first, second = world.deliver(["alice@x", "bob@x"], message())
    assert first in {Result.TROUBLE, Result.MAILBOX_BROKEN, Result.NO_SUCH_USER}
    assert second is Result.DELIVERED
    assert not world.store.home("alice").exists()
    assert world.result("alice@x") is Result.NO_SUCH_USER


def test_a_message_for_a_board_that_goes_meanwhile_is_refused(world, meanwhile):
    world.mailbox("board", ("anyone", "p"))
    meanwhile(lambda: world.store.delete(name(world, "board")))
    assert world.deliver("+board@x", message())[0] in {Result.TROUBLE, Result.NO_SUCH_MAILBOX}
    assert world.store.find(name(world, "board")) is None


def test_a_folder_that_moves_to_another_partition_meanwhile_loses_nothing(make_world, meanwhile, tmp_path):
    world = make_world(partitions={"default": tmp_path / "one", "two": tmp_path / "two"})
    world.user("alice", "A", script='require "fileinto"; fileinto "A";')
    folder = name(world, "user/alice/A")
    meanwhile(lambda: world.store.rename(folder, folder, partition="two"))
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice/A")) + len(world.files("user/alice")) == 1
