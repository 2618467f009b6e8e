"""Several active scripts, one for each slot: what renaming and undoing do to those of other slots."""

import pytest

from sievemda.scripts.undo import Undo
from sievemda.store.scripts import ScriptActive

SLOTS = ("own=*", "webmail=managesieve|roundcube", "sogo")


@pytest.fixture
def keeper(world):
    """With a script for each slot, and one more."""
    found = world.keeper(slots=SLOTS)
    for name in ("mine", "other", "managesieve", "sogo"):
        found.put(name, b"keep;\n")
    return found


def active(keeper):
    return keeper.store.state().active


def test_an_active_script_that_comes_into_another_slot_runs_where_that_does(world, keeper):
    for name in ("managesieve", "sogo"):
        keeper.activate(name)
    version = keeper.rename("sogo", "mine too")
    assert active(keeper) == version.active == ("mine too", "managesieve")
    keeper.rename("managesieve", "roundcube")
    keeper.rename("mine too", "mine again")
    assert active(keeper) == ("mine again", "roundcube")
    keeper.look()
    assert {version.via for version in world.history()} == {"managesieve"}  # nothing looks as if done by hand


def test_a_slot_never_gets_a_second_active_script_by_renaming(world, keeper):
    for name in ("mine", "managesieve"):
        keeper.activate(name)
    before = world.history()
    with pytest.raises(ScriptActive, match="'new' would be active beside 'mine', in the same slot"):
        keeper.rename("managesieve", "new")
    assert (active(keeper), world.history()) == (("mine", "managesieve"), before)
    keeper.rename("sogo", "new")  # which is not active
    keeper.deactivate("mine")
    keeper.rename("managesieve", "newer")
    assert active(keeper) == ("newer",)


@pytest.mark.parametrize("script", ["mine", "other"])
def test_undoing_an_activation_leaves_other_slots_as_they_are(keeper, script):
    for name in ("other", "mine", "managesieve", "sogo"):
        keeper.activate(name)
    (step,) = Undo(keeper).last(script)
    assert step.told == "other is active again"
    step.act()
    assert active(keeper) == ("other", "managesieve", "sogo")
    (step,) = Undo(keeper).last(script)
    assert step.told == "mine is active again"
    step.act()
    assert active(keeper) == ("mine", "managesieve", "sogo")


def test_undoing_what_made_a_script_active_where_none_was_leaves_it_inactive(keeper):
    keeper.activate("mine")
    keeper.activate("sogo")
    (step,) = Undo(keeper).last("mine")
    assert step.told == "mine is not active any more"
    step.act()
    assert active(keeper) == ("sogo",)


def test_undoing_a_deactivation_does_not_need_what_another_slot_had_then(keeper):
    for name in ("mine", "managesieve"):
        keeper.activate(name)
    keeper.deactivate("mine")
    keeper.deactivate("managesieve")
    keeper.delete("managesieve")
    (step,) = Undo(keeper).last("mine")
    step.act()
    assert active(keeper) == ("mine",)
