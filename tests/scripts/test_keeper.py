import errno
import os
import threading
from itertools import pairwise

import pytest

from sievemda.errors import AlreadyExists, NotFound, StoreTrouble, TemporaryTrouble
from sievemda.state.versions import Bounds, Versions, digest_of
from sievemda.store import script_files, scripts
from sievemda.store.active_link import ActiveLink
from sievemda.store.scripts import ScriptActive, TooManyScripts

A, B, C = b"keep;\n", b"discard;\n", b"stop;\n"


def test_every_kind_of_change_is_a_version_with_who_and_whence(world):
    alice = world.keeper()
    alice.put("main", A)
    alice.activate("main")
    alice.rename("main", "other")
    alice.deactivate()
    alice.delete("other")
    assert [(v.number, v.action, v.script, v.target) for v in world.history()] == [
        (1, "put", "main", ""),
        (2, "activate", "main", ""),
        (3, "rename", "main", "other"),
        (4, "deactivate", "other", ""),
        (5, "delete", "other", ""),
    ]
    assert {(v.actor, v.address, v.via, v.owner, v.status) for v in world.history()} == {
        ("alice", "192.0.2.1", "managesieve", "alice", "done")
    }


def test_a_version_has_the_texts_before_and_after(world):
    world.keeper().put("main", A)
    world.keeper("bob").put("main", B)
    world.keeper().delete("main")
    first, second, third = world.history()
    assert (first.before, first.digest) == ("", digest_of(A))
    assert (second.before, second.digest, second.actor) == (digest_of(A), digest_of(B), "bob")
    assert (third.before, third.digest) == (digest_of(B), "")
    assert [world.versions.text(digest) for digest in (first.digest, second.digest)] == [A, B]


def test_the_same_text_again_is_a_version_too(world):
    world.keeper().put("main", A)
    world.keeper().put("main", A)
    assert [v.digest for v in world.history()] == [digest_of(A)] * 2


def test_versions_tell_which_scripts_were_active_before_and_after(world):
    keeper = world.keeper()
    for name in ("a", "b"):
        keeper.put(name, A)
        keeper.activate(name)
    keeper.rename("b", "c")
    assert [(v.action, v.active_before, v.active) for v in world.history() if v.action != "put"] == [
        ("activate", (), ("a",)),
        ("activate", ("a",), ("b",)),
        ("rename", ("b",), ("c",)),
    ]


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda k: k.activate("nope"), NotFound),
        (lambda k: k.delete("nope"), NotFound),
        (lambda k: k.delete("main"), ScriptActive),
        (lambda k: k.rename("nope", "new"), NotFound),
        (lambda k: k.rename("main", "other"), AlreadyExists),
        (lambda k: k.rename("main", "main"), AlreadyExists),
        (lambda k: k.put("third", A, max_scripts=2), TooManyScripts),
    ],
)
def test_what_is_refused_is_no_version(world, act, error):
    keeper = world.keeper()
    keeper.put("main", A)
    keeper.put("other", A)
    keeper.activate("main")
    with pytest.raises(error):
        act(keeper)
    assert len(world.history()) == 3


# -- changes by hand ---------------------------------------------------------------------------------------------------


def test_scripts_that_were_there_before_are_found_at_the_first_look(world):
    world.file("main").parent.mkdir()
    world.file("main").write_bytes(A)
    (world.home / ".dovecot.sieve").symlink_to("sieve/main.sieve")
    world.keeper().look()
    assert world.told() == [("put", "main", "found"), ("activate", "main", "found")]
    assert world.versions.text(world.history()[0].digest) == A


def test_an_edit_by_hand_is_a_version_at_the_next_look(world):
    world.keeper().put("main", A)
    world.file("main").write_bytes(B)
    world.keeper().look()
    edited = world.history()[-1]
    assert (edited.action, edited.via, edited.actor, edited.before, edited.digest) == (
        "put", "outside", "", digest_of(A), digest_of(B),
    )  # fmt: skip


def test_an_edit_by_hand_is_not_lost_by_the_next_upload(world):
    world.keeper().put("main", A)
    world.file("main").write_bytes(B)
    world.keeper().put("main", C)
    assert [(v.via, world.versions.text(v.digest)) for v in world.history()] == [
        ("managesieve", A), ("outside", B), ("managesieve", C),
    ]  # fmt: skip


def test_other_changes_by_hand_are_versions_too(world):
    keeper = world.keeper()
    for name in ("a", "b"):
        keeper.put(name, A)
    keeper.activate("a")
    world.file("b").unlink()
    world.file("c").write_bytes(C)
    (world.home / ".dovecot.sieve").unlink()
    keeper.look()
    assert world.told()[3:] == [
        ("delete", "b", "outside"),
        ("put", "c", "outside"),
        ("deactivate", "a", "outside"),
    ]


def test_a_plain_file_that_is_adopted_is_a_version(world):
    world.keeper().put("main", A)
    (world.home / ".dovecot.sieve").write_bytes(B)
    world.keeper().look()
    assert world.told()[1:] == [("put", "dovecot", "outside"), ("activate", "dovecot", "outside")]
    assert world.versions.text(world.history()[1].digest) == B


def test_a_second_look_finds_nothing(world):
    world.keeper().put("main", A)
    world.file("main").write_bytes(B)
    for _ in range(3):
        world.keeper().look()
    assert len(world.history()) == 2


def test_a_home_that_was_copied_to_another_disk_has_not_changed(world):
    world.keeper().put("main", A)
    world.age()
    world.keeper().look()
    world.file("main").rename(world.home / "saved")
    world.file("main").write_bytes(A)
    world.keeper().look()
    assert len(world.history()) == 1


def test_what_cannot_be_read_by_hand_is_told_without_its_text(world):
    world.keeper().put("main", A)
    with world.file("huge").open("wb") as file:
        file.truncate(17 << 20)
    world.keeper().look()
    assert (world.history()[-1].script, world.history()[-1].digest) == ("huge", "")
    world.keeper().look()
    assert len(world.history()) == 2


def test_a_look_at_thousands_of_files_is_bounded_and_goes_on_with_the_next(world):
    world.file("x").parent.mkdir()
    for number in range(250):
        world.file(f"{number:03}").write_bytes(b"# %d\n" % number)
    world.keeper().look()
    assert len(world.history()) == 200
    world.keeper().look()
    assert len(world.history()) == 250


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_without_the_history_nothing_is_changed(world):
    world.keeper().put("main", A)
    world.versions.close()
    (world.directory / "versions.db").write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(TemporaryTrouble):
        world.keeper().put("main", B)
    assert world.file("main").read_bytes() == A


def test_without_the_history_scripts_can_be_looked_at(world):
    (world.directory / "versions.db").write_bytes(b"this is no database, whatever its name says" * 100)
    world.keeper().look()


def test_a_text_that_could_not_be_stored_is_kept(world, monkeypatch):
    world.keeper().put("main", A)
    keeper = world.keeper()

    def full(*_, **__):
        raise StoreTrouble("no space left on device")

    monkeypatch.setattr(keeper.store, "put", full)
    with pytest.raises(StoreTrouble):
        keeper.put("main", B)
    assert [(v.status, world.versions.text(v.digest)) for v in world.history()] == [("done", A), ("failed", B)]
    assert world.file("main").read_bytes() == A


class Killed(BaseException):
    """As if the process had ended there."""


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("put", ("main", B)), ("set_active", (["main"],)), ("delete", ("main",)), ("rename", ("main", "new"))],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_between_the_history_and_the_file_loses_neither(world, monkeypatch, method, arguments, when):
    world.keeper().put("main", A)
    keeper, real = world.keeper(), getattr(type(world.keeper().store), method)

    def crash(self, *given, **options):
        if when == "after":
            real(self, *given, **options)
        monkeypatch.setattr(keeper, "_look", lambda: (_ for _ in ()).throw(StoreTrouble("it is dead")))
        raise Killed

    monkeypatch.setattr(type(keeper.store), method, crash)
    with pytest.raises(Killed):
        getattr(keeper, method)(*arguments)
    monkeypatch.undo()
    assert world.history()[-1].status == "begun"
    world.keeper().look()
    assert [v.status for v in world.history()] == ["done", "failed" if when == "before" else "done"]
    assert all(world.versions.text(v.digest) is not None for v in world.history() if v.digest)


@pytest.mark.parametrize(("active", "part", "at"), [
    (("main",), ActiveLink, "lead_to"), (("other", "main"), script_files, "write"),
])  # fmt: skip
def test_a_renaming_that_a_full_disk_stops_is_not_half_done(world, monkeypatch, active, part, at):
    """So that others can make room."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("main", "other", "third"):
        world.keeper().put(name, A)
    world.keeper().set_active(active)
    monkeypatch.setattr(part, at, full)
    with pytest.raises(StoreTrouble, match="No space"):
        world.keeper().rename("main", "new")
    assert world.history()[-1].status == "failed"
    world.keeper().delete("third")
    monkeypatch.undo()
    state = world.keeper().store.state()
    assert (sorted(state.signs), state.active) == (["main", "other"], active)
    world.keeper().rename("main", "new")
    assert sorted(world.keeper().store.state().signs) == ["new", "other"]


@pytest.mark.parametrize(("module", "at"), [(scripts, "sync_file"), (script_files, "unlink")])
@pytest.mark.parametrize("active", [("main",), ("other", "main"), ("other",), ()])
def test_a_renaming_that_a_crash_cut_short_between_the_two_names_is_finished(world, monkeypatch, module, at, active):
    for name in ("main", "other"):
        world.keeper().put(name, A)
    world.keeper().set_active(active)
    keeper = world.keeper()

    def crash(*_):
        monkeypatch.setattr(keeper, "_look", lambda: (_ for _ in ()).throw(StoreTrouble("it is dead")))
        raise Killed

    monkeypatch.setattr(module, at, crash)
    with pytest.raises(Killed):
        keeper.rename("main", "new")
    monkeypatch.undo()
    assert world.file("main").exists()
    assert world.file("new").exists()
    world.keeper().look()
    state = world.keeper().store.state()
    assert sorted(state.signs) == ["new", "other"]
    assert state.active == tuple("new" if name == "main" else name for name in active)
    assert {(v.via, v.status) for v in world.history()} == {("managesieve", "done")}


def test_a_link_that_a_crash_left_unfinished_goes(world):
    world.keeper().put("main", A)
    (world.home / ".dovecot.sieve.tmp-00").symlink_to("sieve/main.sieve")
    world.keeper().activate("main")
    assert sorted(path.name for path in world.home.iterdir()) == [".dovecot.sieve", "sieve"]


def test_a_change_that_is_done_but_could_not_be_settled_is_settled_by_the_next(world, monkeypatch):
    def broken(*_):
        raise TemporaryTrouble("it is locked")

    monkeypatch.setattr(Versions, "settle", broken)
    world.keeper().put("main", A)
    monkeypatch.undo()
    world.keeper().put("main", B)
    assert [(v.status, v.via) for v in world.history()] == [("done", "managesieve")] * 2


def test_a_home_that_is_gone_is_trouble_and_leaves_no_version(world):
    world.home.rmdir()
    with pytest.raises(StoreTrouble):
        world.keeper().put("main", A)
    assert world.history() == []


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_only_the_newest_versions_are_kept(world):
    bounded = Versions(world.directory / "versions.db", Bounds(number=5))
    for number in range(12):
        world.keeper(versions=bounded).put("main", b"# %d\n" % number)
    assert [v.number for v in world.history()] == [8, 9, 10, 11, 12]
    assert world.versions.text(digest_of(b"# 0\n")) is None
    assert world.versions.text(world.history()[0].before) == b"# 6\n"
    bounded.close()


def test_who_uploads_for_ever_does_not_fill_the_disk(world):
    bounded = Versions(world.directory / "versions.db", Bounds(octets=4 << 20))
    for _ in range(40):
        world.keeper(versions=bounded).put("main", os.urandom(1 << 19))
    bounded.close()
    files = world.directory.glob("versions.db*")
    assert len(world.history()) < 10
    assert sum(file.stat().st_size for file in files) < 40 << 20


def test_the_newest_version_is_kept_whatever_its_size(world):
    bounded = Versions(world.directory / "versions.db", Bounds(octets=10))
    for text in (A * 10, B * 10):
        world.keeper(versions=bounded).put("main", text)
    (last,) = world.history()
    assert (world.versions.text(last.before), world.versions.text(last.digest)) == (A * 10, B * 10)
    bounded.close()


def test_old_versions_go_and_with_them_texts_that_nobody_has(world):
    for text in (A, B):
        world.keeper().put("main", text)
    assert world.versions.expired(4e9) == 2
    assert world.versions.prune(4e9) == 2
    assert world.history() == []
    assert world.versions.text(digest_of(A)) is None


def test_equal_texts_of_several_are_kept_once_and_for_as_long_as_somebody_has_them(world):
    world.keeper().put("main", A)
    world.keeper().put("copy", A)
    world.keeper().delete("copy")
    assert world.versions.text(digest_of(A)) == A


# -- many at once ------------------------------------------------------------------------------------------------------


def test_uploads_by_many_at_once_are_versions_each(world):
    def work(number):
        keeper = world.keeper(f"client{number}")
        for each in range(5):
            keeper.put("main", b"# %d of %d\n" % (each, number))
            keeper.activate("main")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    puts = [v for v in world.history() if v.action == "put"]
    assert len(puts) == len({v.digest for v in puts}) == 40
    assert [v.number for v in world.history()] == list(range(1, 81))
    assert all(after.before == before.digest for before, after in pairwise(puts))


def test_one_of_many_who_rename_a_script_wins(world):
    world.keeper().put("main", A)
    won = []

    def work(number):
        try:
            world.keeper().rename("main", f"new{number}")
        except NotFound:
            return
        won.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert [s.name for s in world.keeper().store.list()] == [f"new{won[0]}"]
    assert world.told()[1:] == [("rename", "main", "managesieve")]
