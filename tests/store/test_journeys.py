"""Killed between any two steps of a rename: it has not begun, or whoever comes next finishes it; no message is lost.

A child process renames, with every function that changes the file system counted; before the n-th call the child ends
without any clean-up. The machine goes on, so that nothing is waited for that reaches the disk.
"""

import errno
import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sievemda.errors import AlreadyExists, NotFound, StoreTrouble
from sievemda.store import aside, copying, crossing, files, journey, links, messages, moves, staging, vacating
from sievemda.store.journey import Step
from sievemda.store.mailstore import MailStore
from sievemda.store.orphans import orphans
from tests.store.conftest import settings_with

CALLS = ("rename", "replace", "link", "unlink", "mkdir", "rmdir", "symlink")
BEFORE = {"user/alice", "user/alice/a", "user/alice/a/b", "user/alice/a/far", "user/bob", "board"}
SHARED_MEMORY = Path("/dev/shm")


def renamed(old, new):
    return {new + name.removeprefix(old) if name == old or name.startswith(old + "/") else name for name in BEFORE}


# What is renamed to what, and to which partition.
JOURNEYS = [
    ("user/alice/a", "user/alice/x", ""),
    ("user/alice/a", "user/bob/a", "two"),
    ("user/alice", "user/carol", ""),
    ("user/alice", "user/alice", "two"),
    ("user/alice/a/far", "user/alice/a/far", "default"),
]


class Site:
    """A site with mail in every mailbox; the partition `two` is on another file system, if there is one."""

    def __init__(self, data, other):
        self.data, self.other = data, other
        store = self.store()
        for name in sorted(BEFORE):
            store.create(store.namespace.parse_admin(name), partition="two" if name.endswith("far") else "")
        for box in store.list():
            name = store.namespace.format_admin(box.name)
            store.stage(box.partition, [f"Subject: {name}\n\n".encode()]).deliver(box, last=True)
        for path in (data, other):
            shutil.copytree(path, self.kept(path), symlinks=True)

    def kept(self, path):
        return path.with_name(path.name + ".kept")

    def store(self):
        """As a new process sees it."""
        partitions = {"default": self.data / "mail", "two": self.other}
        return MailStore(settings_with(self.data, store={"partitions": partitions}))

    def forget_locks(self):
        """What the dead have locked counts for nothing after a while."""
        for path in [*self.data.rglob("*.lock"), *self.other.rglob("*.lock")]:
            os.utime(path, (0, 0))

    def begin_anew(self):
        for path in (self.data, self.other):
            shutil.rmtree(path)
            shutil.copytree(self.kept(path), path, symlinks=True)


@pytest.fixture
def place(tmp_path, monkeypatch):
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)
    monkeypatch.setattr(files, "sync_file_system", lambda _: None)
    elsewhere = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else tmp_path
    other = Path(tempfile.mkdtemp(dir=elsewhere))
    place = Site(tmp_path / "site", other)
    yield place
    for path in (other, place.kept(other)):
        shutil.rmtree(path)


def rename(store, old, new, partition):
    store.rename(store.namespace.parse_admin(old), store.namespace.parse_admin(new), partition=partition)


def die_at(step, store, arguments):
    """How the child that dies at that step has ended: 42 died, 0 came through."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        count = 0

        def around(function):
            def counted(*arguments, **more):
                nonlocal count
                count += 1
                if count == step:
                    os._exit(42)
                return function(*arguments, **more)

            return counted

        for name in CALLS:
            setattr(os, name, around(getattr(os, name)))
        rename(store, *arguments)
        code = 0
    finally:
        os._exit(code)


def mail(store):
    """What is in which mailbox."""
    found = {}
    for box in store.list():
        name = store.namespace.format_admin(box.name)
        found[name] = [file.read_text() for part in ("new", "cur") for file in (box.path / part).iterdir()]
    return found


def partitions(store):
    return {store.namespace.format_admin(box.name): box.partition for box in store.list()}


def rights(store):
    return {str(box.acl()) for box in store.list()}


def everything_is_there(store, old, new):
    found = mail(store)
    assert set(found) in (BEFORE, renamed(old, new))
    assert sorted(text for texts in found.values() for text in texts) == sorted(f"Subject: {n}\n\n" for n in BEFORE)
    assert all(len(texts) == 1 for texts in found.values())
    left = [found.kind for found in orphans(store, lambda error: pytest.fail(str(error)))]
    assert set(left) <= {"deleted"}  # the originals of what was copied
    return set(found)


@pytest.mark.parametrize(("old", "new", "partition"), JOURNEYS)
def test_wherever_it_dies_a_rename_has_not_begun_or_can_be_finished(place, old, new, partition):
    at_first = partitions(place.store())
    rename(place.store(), old, new, partition)
    arrived = partitions(place.store())
    owners = rights(place.store())
    step, code = 0, 42
    while code == 42:
        step += 1
        place.begin_anew()
        code = die_at(step, place.store(), (old, new, partition))
        store = place.store()
        place.forget_locks()
        store.recover()
        names = everything_is_there(store, old, new)
        if partitions(store) != arrived:
            assert (names, partitions(store)) == (BEFORE, at_first)
            rename(store, old, new, partition)
            everything_is_there(store, old, new)
        assert partitions(store) == arrived
        assert rights(store) == owners
        assert not any((place.data / "mail" / "moving.").glob("[!.]*"))
    assert code == 0
    assert step > 10


@pytest.fixture
def cut_short(place, monkeypatch):
    """A move of user/bob to the partition `two` that dies when all is done, and has not been noted."""
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    real, steps = journey._say, []

    def say(fd, what):
        steps.append(what)
        if len(steps) == 2:  # something out of the way, and the move
            os._exit(42)
        real(fd, what)

    with monkeypatch.context() as dying:
        dying.setattr(journey, "_say", say)
        pid = os.fork()
        if not pid:
            try:
                rename(place.store(), "user/bob", "user/bob", "two")
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 42


def test_a_folder_that_was_made_where_a_home_had_been_is_not_taken_for_what_is_left_of_it(place, cut_short):
    store = place.store()
    store.create(store.namespace.parse_admin("user/bob/a"), partition="default")
    assert partitions(store)["user/bob"] == "two"
    store.recover()
    assert mail(place.store())["user/bob/a"] == []
    assert partitions(place.store())["user/bob/a"] == "default"


def test_what_somebody_has_begun_who_died_is_finished_before_the_next_one_moves_a_folder(place, monkeypatch):
    store, real, died = place.store(), links.alone, []

    @contextmanager
    def alone(*trees, **options):
        if not died:
            died.append(1)
            with monkeypatch.context() as now:
                now.setattr(links, "alone", real)
                note = {"kind": "user", "old": "bob", "new": "bob"}
                home = place.data / "mail/user/bob"
                os.close(journey._written(store, [Step("move", home, place.other / "user/bob")], note)[1])
        with real(*trees, **options):
            yield

    monkeypatch.setattr(links, "alone", alone)
    rename(store, "user/bob", "user/bob", "two")
    assert partitions(place.store())["user/bob"] == "two"
    assert mail(place.store())["user/bob"] == ["Subject: user/bob\n\n"]
    assert not any((place.data / "mail" / "moving.").glob("[!.]*"))


def test_a_home_with_folders_of_a_user_whose_inbox_is_elsewhere_is_not_out_of_the_way(place):
    store = place.store()
    vacating.vacate(store, place.other / "user/alice")
    assert set(mail(store)) == BEFORE


def test_who_is_under_way_is_not_taken_over(store, mailbox):
    mailbox("user/alice/a")
    with journey.journey(store, [], {"kind": "user", "old": "alice", "new": "alice"}):
        journey.go_on(store, lambda _: pytest.fail("taken over"))
        assert len(list((store.layout.partition("default") / "moving.").iterdir())) == 1
    assert not any((store.layout.partition("default") / "moving.").iterdir())


@pytest.mark.parametrize("content", ["", "{", "[]", '{"steps": [["move", "/nowhere", "/nowhere/x"]]}', '{"steps": 3}'])
def test_a_damaged_note_is_left_for_somebody_to_look_at(store, mailbox, content, caplog):
    mailbox("user/alice/a")
    base = store.layout.partition("default") / "moving."
    base.mkdir()
    (base / "note").write_text(content)
    moves.recover(store)
    assert "cannot be finished" in caplog.text
    assert (base / "note").exists()
    rename(store, "user/alice/a", "user/alice/b", "")


@pytest.mark.parametrize("to", ["{outside}/x", "{inside}/../../outside/x", "{inside}/link/x", "{inside}/.."])
def test_no_note_leads_out_of_the_partitions(store, mailbox, tmp_path, to):
    mailbox("user/alice/a")
    inside, outside = store.layout.partition("default"), tmp_path / "outside"
    (inside / "moving.").mkdir()
    (inside / "link").symlink_to(outside)
    steps = [["move", str(inside / "user"), to.format(inside=inside, outside=outside)]]
    (inside / "moving." / "note").write_text(json.dumps({"steps": steps}))
    moves.recover(store)
    assert not outside.exists()
    assert (inside / "user" / "alice").is_dir()


def left_behind(store):
    """Messages that are with what moves have left."""
    return [
        path
        for entry in aside.entries(store)
        for part in ("new", "cur")
        for path in Path(entry.parts[0][0]).rglob(f"{part}/*")
    ]


@pytest.mark.parametrize("flags", [(), ("\\Seen", "work")])
def test_mail_that_arrives_during_a_copy_arrives(place, monkeypatch, flags):
    if place.data.stat().st_dev == place.other.stat().st_dev:
        monkeypatch.setattr(Path, "rename", _as_between_disks(place.other))
    store = place.store()
    real = crossing.copy_directory

    def copy(source, target):
        real(source, target)
        if source.name != ".a":
            return
        box = store.find(store.namespace.parse_admin("user/alice/a"))
        store.stage(box.partition, [b"Subject: late\n\n"]).deliver(box, flags, last=True)

    monkeypatch.setattr(crossing, "copy_directory", copy)
    rename(store, "user/alice/a", "user/alice/a", "two")
    assert sorted(mail(store)["user/alice/a"]) == ["Subject: late\n\n", "Subject: user/alice/a\n\n"]
    assert left_behind(store) == []


@pytest.mark.parametrize("ways", [["two"], ["two", "default"], ["two", "default", "two"]])
@pytest.mark.parametrize("name", ["user/alice/a", "user/alice", "user/alice/a/far"])
@pytest.mark.parametrize("flags", [(), ("work",)])
def test_a_message_follows_a_folder_that_goes_to_another_disk_while_it_is_opened(place, monkeypatch, name, ways, flags):
    if place.data.stat().st_dev == place.other.stat().st_dev:
        monkeypatch.setattr(Path, "rename", _as_between_disks(place.other))
    store, real, to = place.store(), staging.open_part, list(ways)

    def opened(box, part):
        found = real(box, part)
        while to:
            rename(place.store(), name, name, to.pop(0))
        return found

    monkeypatch.setattr(staging, "open_part", opened)
    box = store.find(store.namespace.parse_admin(name))
    store.stage(box.partition, [b"Subject: late\n\n"]).deliver(box, flags, last=True)
    assert sorted(mail(store)[name]) == ["Subject: late\n\n", f"Subject: {name}\n\n"]
    assert left_behind(store) == []
    found = store.find(box.name)
    (file,) = [path for part in ("new", "cur") for path in (found.path / part).iterdir() if "late" in path.read_text()]
    assert messages.flags_of(found, file) == flags


def test_what_somebody_puts_into_what_a_move_has_left_follows_to_where_the_folder_is_by_then(place, monkeypatch):
    if place.data.stat().st_dev == place.other.stat().st_dev:
        monkeypatch.setattr(Path, "rename", _as_between_disks(place.other))
    store = place.store()
    rename(store, "user/alice/a", "user/alice/a", "two")
    for entry in aside.entries(store):
        if Path(entry.to).name == ".a":
            (Path(entry.parts[0][0]) / "new" / "1.M1P1.there").write_text("Subject: late\n\n")
    rename(store, "user/alice/a", "user/bob/z", "")
    store.forget_deleted()
    assert sorted(mail(store)["user/bob/z"]) == ["Subject: late\n\n", "Subject: user/alice/a\n\n"]
    next((store.find(store.namespace.parse_admin("user/bob/z")).path / "new").glob("1.*")).unlink()
    store.forget_deleted()
    assert mail(store)["user/bob/z"] == ["Subject: user/alice/a\n\n"]
    assert left_behind(store) == []


def test_what_a_reader_does_while_a_folder_is_copied_is_seen_in_it_afterwards(place, monkeypatch):
    if place.data.stat().st_dev == place.other.stat().st_dev:
        monkeypatch.setattr(Path, "rename", _as_between_disks(place.other))
    store = place.store()
    box = store.find(store.namespace.parse_admin("user/alice/a"))
    (file,) = (box.path / "new").iterdir()
    real = copying.copy_entry

    def copy(source, target):
        if source == box.path / "new":
            file.rename(box.path / "cur" / f"{file.name}:2,S")
            (box.path / "dovecot-uidlist").write_text("1 V1\n")
            (box.path / ".." / ".made" / "cur").mkdir(parents=True)
        real(source, target)

    monkeypatch.setattr(copying, "copy_entry", copy)
    rename(store, "user/alice", "user/alice", "two")
    found = store.find(box.name)
    assert [path.name for path in (found.path / "cur").iterdir()] == [f"{file.name}:2,S"]
    assert (found.path / "dovecot-uidlist").read_text() == "1 V1\n"
    assert store.find(store.namespace.parse_admin("user/alice/made"))


def _as_between_disks(other):
    real = Path.rename

    def rename(self, target):
        if self.is_relative_to(other) != Path(target).is_relative_to(other):
            raise OSError(18, "Invalid cross-device link")
        return real(self, target)

    return rename


def test_a_copy_keeps_times_modes_and_links_and_leaves_pipes_and_locks_behind(place):
    store = place.store()
    box = store.find(store.namespace.parse_admin("user/alice/a"))
    file = next((box.path / "new").iterdir())
    os.utime(file, (1_000_000_000, 1_000_000_000))
    os.mkfifo(box.path / "pipe")
    (box.path / "link").symlink_to("/nowhere")
    (box.path / "dovecot-uidlist.lock").touch()
    rename(store, "user/alice/a", "user/alice/a", "two")
    moved = store.find(box.name)
    copy = moved.path / "new" / file.name
    assert (copy.stat().st_mtime, copy.stat().st_mode & 0o777) == (1_000_000_000, 0o600)
    assert (moved.path / "link").is_symlink()
    assert not (moved.path / "dovecot-uidlist.lock").exists()
    assert moved.path.stat().st_mode & 0o777 == 0o700


def test_what_a_move_leaves_behind_is_empty_and_removed_after_a_while(place, monkeypatch):
    store = place.store()
    rename(store, "user/alice/a", "user/alice/a", "two")
    before = list(aside.entries(store))
    assert [entry.mailbox for entry in before] in ([False, False], [])
    assert left_behind(store) == []
    store.forget_deleted()
    assert list(aside.entries(store)) == before  # a delivery may have it open
    monkeypatch.setattr("sievemda.store.leftovers._LATEST", -10)
    store.forget_deleted()
    assert list(aside.entries(store)) == []


def test_a_disk_that_is_full_ends_a_move_at_the_first_file_and_in_one_line(place, monkeypatch):
    tried = []

    def read(source):
        tried.append(str(source))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(copying, "read_blocks", read)
    store = place.store()
    before = mail(store)
    if place.other.stat().st_dev == place.data.stat().st_dev:
        monkeypatch.setattr(journey, "transfer", crossing.copy)
    with pytest.raises(StoreTrouble) as caught:
        rename(store, "user/alice", "user/alice", "two")
    assert len(tried) == 1
    assert str(caught.value).startswith(
        "user/alice cannot be moved to partition two: [Errno 28] No space left on device"
    )
    assert str(caught.value).count(tried[0]) == 1
    assert mail(place.store()) == before


def test_two_at_once_do_not_lose_what_they_fight_for(place):
    targets = [f"user/alice/{letter}" for letter in "uvwxyz"]
    children = []
    for target in targets:
        pid = os.fork()
        if not pid:
            code = 1
            try:
                rename(place.store(), "user/alice/a", target, "")
                code = 0
            except (NotFound, AlreadyExists, StoreTrouble):
                code = 3
            finally:
                os._exit(code)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    store = place.store()
    found = mail(store)
    assert set(codes) <= {0, 3}
    assert sorted(text for texts in found.values() for text in texts) == sorted(f"Subject: {n}\n\n" for n in BEFORE)
    assert codes.count(0) == 1
    assert set(found) == renamed("user/alice/a", targets[codes.index(0)])


def test_who_has_waited_for_another_move_finds_that_the_folders_have_gone(place, monkeypatch):
    """Or some of them only: then he must not take the others."""
    real, store = links.alone, place.store()

    @contextmanager
    def alone(*trees, **options):
        monkeypatch.setattr(links, "alone", real)
        rename(place.store(), "user/alice/a", "user/alice/u", "")
        with real(*trees, **options):
            (trees[0].root / ".u.b").rename(trees[0].root / ".a.b")  # not there yet
            yield

    monkeypatch.setattr(links, "alone", alone)
    with pytest.raises(NotFound):
        rename(store, "user/alice/a", "user/alice/v", "")
    assert set(mail(place.store())) == renamed("user/alice/a", "user/alice/u") - {"user/alice/u/b"} | {"user/alice/a/b"}


@pytest.mark.parametrize("goal", ["default", "two"])
@pytest.mark.parametrize("new", ["user/alice/u", "user/carol/u"])
def test_who_has_waited_for_a_user_to_move_goes_to_where_that_user_is_by_then(place, monkeypatch, new, goal):
    real, store = links.alone, place.store()
    for name in ("user/alice", "user/carol"):
        if store.find(store.namespace.parse_admin(name)) is None:
            store.create(store.namespace.parse_admin(name))
    before = mail(store)

    @contextmanager
    def alone(*trees, **options):
        monkeypatch.setattr(links, "alone", real)
        for name in ("user/alice", "user/carol"):
            rename(place.store(), name, name, "two")
        with real(*trees, **options):
            yield

    monkeypatch.setattr(links, "alone", alone)
    rename(store, "user/alice/a", new, goal)
    assert mail(place.store()) == {name.replace("user/alice/a", new): texts for name, texts in before.items()}
    assert partitions(store)[new] == goal


def test_notes_are_json_that_says_what_follows(store, mailbox, monkeypatch):
    mailbox("user/alice/a")
    written = []
    real = journey.write_new
    monkeypatch.setattr(
        journey, "write_new", lambda path, content, mode: (written.append(content), real(path, content, mode))
    )
    rename(store, "user/alice/a", "user/alice/b", "")
    (note,) = map(json.loads, written)
    assert note["moved"] == [[["a"], ["b"], str(store.layout.partition("default") / "user/alice/Maildir/.b")]]


def test_an_empty_home_that_an_imap_server_has_made_is_not_in_the_way(place):
    store = place.store()
    for part in ("cur", "new", "tmp"):
        (place.other / "user/bob/Maildir" / part).mkdir(parents=True)
    (place.other / "user/bob/Maildir/dovecot-uidlist").touch()
    rename(store, "user/bob", "user/bob", "two")
    assert mail(place.store())["user/bob"] == ["Subject: user/bob\n\n"]
    assert partitions(store)["user/bob"] == "two"


@pytest.mark.parametrize("record", ["", '{"id": "0123456789abcdef01234567"}'])
def test_mail_in_such_a_home_is_with_its_user_who_comes_there(place, record):
    store = place.store()
    maildir = place.other / "user/bob/Maildir"
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)
    (maildir / "cur/1700000000.M1P1.x:2,F").write_text("Subject: late\n\n")
    if record:  # a delivery has come too late
        (maildir / "sievemda-mailbox").write_text(record)
    rename(store, "user/bob", "user/bob", "two")
    assert sorted(mail(place.store())["user/bob"]) == ["Subject: late\n\n", "Subject: user/bob\n\n"]
    assert (maildir / "cur/1700000000.M1P1.x:2,F").exists()


def test_a_home_in_which_there_is_something_of_its_owner_stays_in_the_way(place):
    store = place.store()
    (place.other / "user/bob/sieve").mkdir(parents=True)
    (place.other / "user/bob/sieve/mine.sieve").touch()
    with pytest.raises(AlreadyExists):
        rename(store, "user/bob", "user/bob", "two")
    assert mail(place.store())["user/bob"] == ["Subject: user/bob\n\n"]
    assert (place.other / "user/bob/sieve/mine.sieve").exists()


def test_who_moves_a_user_whose_copy_is_just_in_its_place_waits(place, monkeypatch):
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    store, real, waiting = place.store(), crossing.leftovers.leave, []

    def leave(*arguments, **options):
        monkeypatch.setattr(crossing.leftovers, "leave", real)
        waiting.append(threads.submit(rename, place.store(), "user/alice", "user/alice", "two"))
        with pytest.raises(TimeoutError):
            waiting[0].result(0.1)
        real(*arguments, **options)

    with ThreadPoolExecutor() as threads:
        rename(store, "user/alice", "user/alice", "two")
        monkeypatch.setattr(crossing.leftovers, "leave", leave)
        rename(store, "user/alice", "user/alice", "default")
    waiting[0].result()
    assert partitions(store)["user/alice"] == "two"
    assert sorted(text for texts in mail(store).values() for text in texts) == sorted(
        f"Subject: {n}\n\n" for n in BEFORE
    )


@contextmanager
def full(monkeypatch, after, disk):
    """Nothing more can be made below a directory once so much has been; says how often it was tried."""
    tried = [0]

    def where(path, dir_fd):
        base = Path(f"/proc/self/fd/{dir_fd}").readlink() if dir_fd is not None else Path()
        return (base / os.fsdecode(path)).absolute()

    def check(path, dir_fd):
        if where(path, dir_fd).is_relative_to(disk):
            tried[0] += 1
            if tried[0] > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def mkdir(path, mode=0o777, *, dir_fd=None, real=os.mkdir):
        check(path, dir_fd)
        real(path, mode, dir_fd=dir_fd)

    def symlink(to, path, target_is_directory=False, *, dir_fd=None, real=os.symlink):
        check(path, dir_fd)
        real(to, path, dir_fd=dir_fd)

    def opened(path, flags, mode=0o777, *, dir_fd=None, real=os.open):
        if flags & os.O_CREAT:
            check(path, dir_fd)
        return real(path, flags, mode, dir_fd=dir_fd)

    with monkeypatch.context() as patched:
        for name, function in (("mkdir", mkdir), ("symlink", symlink), ("open", opened)):
            patched.setattr(os, name, function)
        yield tried


@pytest.mark.parametrize("disk", ["source", "target"])
@pytest.mark.parametrize(("old", "new", "partition"), [each for each in JOURNEYS if each[2]])
def test_wherever_a_disk_is_full_the_next_one_arrives(place, monkeypatch, old, new, partition, disk):
    rename(place.store(), old, new, partition)
    arrived = partitions(place.store())
    room = 0
    while True:
        place.begin_anew()
        with full(monkeypatch, room, place.other if disk == "target" else place.data) as tried:
            with suppress(StoreTrouble):
                rename(place.store(), old, new, partition)
            if tried[0] <= room:
                break
        store = place.store()
        store.recover()
        everything_is_there(store, old, new)
        if partitions(store) != arrived:
            rename(store, old, new, partition)
            everything_is_there(store, old, new)
        assert partitions(store) == arrived
        assert not list((place.data / "mail" / "moving.").glob("*"))
        room += 1
    assert room > 1
