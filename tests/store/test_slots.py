import pytest

from sievemda.errors import NotFound
from sievemda.store.active_link import names_in, render
from sievemda.store.scripts import ScriptActive, ScriptStore
from sievemda.store.slots import Slots


@pytest.mark.parametrize(
    ("lines", "name", "label"),
    [
        ((), "anything", ""),
        (("sogo",), "sogo", "sogo"),
        (("sogo",), "Sogo", ""),
        (("own=*", "webmail=managesieve|roundcube"), "roundcube", "webmail"),  # written out goes before a pattern
        (("own=*", "webmail=round*"), "roundcube", "own"),  # of patterns the first
        (("a=x?", "b=*"), "xy", "a"),
        (("a=[x]",), "[x]", "a"),
        (("a=[x]",), "x", ""),
        (("a=b=c",), "b=c", "a"),
    ],
)
def test_a_name_belongs_to_one_slot(lines, name, label):
    assert Slots(lines).of(name) == label


@pytest.mark.parametrize("lines", [("",), ("=x",), ("a=|",), ("a", "a=b"), ("=",)])
def test_slots_that_cannot_be_are_refused(lines):
    with pytest.raises(ValueError, match="slot"):
        Slots(lines)


def test_what_fits_no_slot_runs_first():
    slots = Slots(("managesieve", "sogo"))
    assert slots.activated(("managesieve", "sogo"), "mine") == ("mine", "managesieve", "sogo")
    assert slots.activated(("mine", "sogo"), "other") == ("other", "sogo")


@pytest.mark.parametrize("names", [("a", "b"), ('with "quotes"', "back\\slash", "\\", '"'), ("ü ", " ", "-rf", "..")])
def test_the_list_of_active_scripts_can_be_read_back(names):
    assert names_in(render(names)) == names


def test_the_list_is_a_script_for_others_who_follow_the_link(tmp_path):
    scripts = ScriptStore(tmp_path)
    for name in ("b", "a"):
        scripts.put(name, b"keep;")
    scripts.set_active(("b", "a"))
    assert str((tmp_path / ".dovecot.sieve").readlink()) == "sieve/.active"
    lines = (tmp_path / ".dovecot.sieve").read_text().splitlines()
    assert lines[1:] == ['require "include";', 'include :personal "b";', 'include :personal "a";']
    assert [script.name for script in scripts.list()] == ["a", "b"]
    assert scripts.actives() == (("b", b"keep;"), ("a", b"keep;"))


def test_of_several_one_can_stay_alone(tmp_path):
    scripts = ScriptStore(tmp_path)
    for name in ("b", "a"):
        scripts.put(name, b"keep;")
    scripts.set_active(("b", "a"))
    with pytest.raises(ScriptActive):
        scripts.delete("a")
    scripts.set_active(("b",))
    assert str((tmp_path / ".dovecot.sieve").readlink()) == "sieve/b.sieve"
    assert sorted(path.name for path in (tmp_path / "sieve").iterdir()) == ["a.sieve", "b.sieve"]
    scripts.delete("a")


def test_one_that_is_not_there_cannot_be_among_them(tmp_path):
    scripts = ScriptStore(tmp_path)
    scripts.put("a", b"keep;")
    scripts.activate("a")
    with pytest.raises(NotFound):
        scripts.set_active(("a", "nope"))
    assert scripts.state().active == ("a",)
