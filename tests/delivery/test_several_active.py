"""Several scripts of a user that are active, each in its slot, with the real parts."""

import pytest

from sievemda.mail.result import Result
from sievemda.store.scripts import ScriptStore
from sievemda.store.slots import Slots
from tests.delivery.world import World, message

OK = Result.DELIVERED
FILE = b'require ["fileinto", "copy", "mailbox"]; fileinto :create :copy "%s";'
SLOTS = ("own=*", "webmail=managesieve", "sogo")


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "data", sieve_active_slots=SLOTS)
    world.user("alice")
    yield world
    world.close()


@pytest.fixture
def scripts(world):
    found = ScriptStore(world.store.home("alice"))
    for name in ("sogo", "managesieve", "mine"):
        found.put(name, FILE % name.encode())
        found.activate(name, Slots(SLOTS))
    return found


def folders(world):
    return [name for name in ("mine", "managesieve", "sogo") if (world.folder("user/alice") / f".{name}").exists()]


def test_all_of_them_run_in_the_order_of_their_slots(world, scripts):
    assert world.deliver("alice@x", message()) == [OK]
    assert folders(world) == ["mine", "managesieve", "sogo"]
    (entry,) = world.journal.find("<1@example.net>")
    assert entry["script"]["name"] == "mine"
    assert [other["name"] for other in entry["scripts"]] == ["managesieve", "sogo"]


def test_one_that_files_without_copy_ends_the_row(world, scripts):
    scripts.put("managesieve", b'require ["fileinto", "mailbox"]; fileinto :create "managesieve";')
    assert world.deliver("alice@x", message()) == [OK]
    assert folders(world) == ["mine", "managesieve"]


def test_one_that_is_broken_does_not_undo_those_before_it(world, scripts):
    scripts.put("managesieve", b"if {")
    assert world.deliver("alice@x", message()) == [OK]
    assert folders(world) == ["mine"]
    assert "$SieveFailed" in world.keywords("user/alice")


def test_one_that_has_gone_from_the_disk_is_a_script_that_cannot_be_used(world, scripts):
    (world.store.home("alice") / "sieve" / "managesieve.sieve").unlink()
    assert world.deliver("alice@x", message()) == [OK]
    assert folders(world) == ["mine"]
    assert "$SieveFailed" in world.keywords("user/alice")


def test_a_renamed_one_runs_in_its_place(world, scripts):
    scripts.rename("mine", "other")
    world.deliver("alice@x", message())
    (entry,) = world.journal.find("<1@example.net>")
    assert entry["script"]["name"] == "other"


def test_they_run_as_they_were_activated_when_the_slots_are_taken_away(world, scripts, tmp_path):
    again = World(tmp_path / "data")
    again.deliver("alice@x", message())
    assert folders(again) == ["mine", "managesieve", "sogo"]
    again.close()


def test_a_script_without_slots_has_no_list_beside_it(world):
    found = ScriptStore(world.store.home("alice"))
    found.put("main", b"keep;")
    found.activate("main")
    assert str((world.store.home("alice") / ".dovecot.sieve").readlink()) == "sieve/main.sieve"
    assert not (world.store.home("alice") / "sieve" / ".active").exists()


def test_a_list_of_names_that_lead_nowhere_marks_the_message(world, scripts):
    (world.store.home("alice") / "sieve" / ".active").write_text('include :personal "../../x";\n')
    assert world.deliver("alice@x", message()) == [OK]
    assert "$SieveFailed" in world.keywords("user/alice")
