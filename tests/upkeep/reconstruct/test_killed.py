"""Whoever dies in the middle, one run later every message is there, once; also when it was a run that died."""

import os
import shutil

import pytest

from sievemda.store import files
from sievemda.store.mailstore import MailStore
from sievemda.upkeep.reconstruct import locks
from sievemda.upkeep.reconstruct.findings import Options, Work
from sievemda.upkeep.reconstruct.run import reconstruct
from sievemda.upkeep.reconstruct.scope import Scope

CALLS = ("rename", "replace", "link", "unlink", "mkdir", "rmdir", "symlink")
NAMES = ("user/alice", "user/alice/a", "user/alice/a/b", "user/bob", "board")


@pytest.fixture
def place(tmp_path, store, mailbox, monkeypatch):
    """A site with a message in every mailbox, a folder of it deleted; it can begin anew."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)
    monkeypatch.setattr(files, "sync_file_system", lambda _: None)
    for name in (*NAMES, "user/alice/gone"):
        box = mailbox(name)
        store.stage("default", [f"Subject: {name}\n\n".encode()]).deliver(box, last=True)
    store.delete(store.namespace.parse_admin("user/alice/gone"))
    mail = tmp_path / "mail"
    shutil.copytree(mail, tmp_path / "kept", symlinks=True)

    def begin_anew():
        shutil.rmtree(mail)
        shutil.copytree(tmp_path / "kept", mail, symlinks=True)
        return MailStore(store.settings)

    return begin_anew


def parsed(store, name):
    return store.namespace.parse_admin(name)


def run(store, found=None):
    work = Work(store, Options(), (found if found is not None else []).append)
    reconstruct(work, Scope(store.namespace))
    return work


def rename(store):
    store.rename(parsed(store, "user/alice/a"), parsed(store, "user/bob/x"))


def rename_user(store):
    store.rename(parsed(store, "user/alice"), parsed(store, "user/carol"))


def restore(store):
    store.undelete(parsed(store, "user/alice/gone"), to=parsed(store, "user/bob/back"))


def delete(store):
    store.delete(parsed(store, "user/bob"))
    store.undelete(parsed(store, "user/bob"))


def mend(store):
    maildir = store.user_tree("alice").root
    (maildir / ".a").rename(maildir / "a")
    (maildir / "dovecot-acl").write_bytes(b"\xff\xff\n")
    message = next((maildir / "new").iterdir())
    message.rename(maildir / "cur" / "1700000000.M1P1.h,S=5:2,SF")
    run(store)


def dies(step, action, store):
    """Whether a child died before the step-th change of the file system."""
    pid = os.fork()
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, 42)
        return code == 42
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
        action(store)
        code = 0
    finally:
        os._exit(code)


def texts(store):
    return sorted(
        file.read_text().split()[1]
        for box in store.list()
        for part in ("new", "cur")
        for file in (box.path / part).iterdir()
    )


@pytest.mark.parametrize("action", [rename, restore, delete, mend])
def test_wherever_somebody_dies_one_run_later_every_message_is_there_once(place, action, monkeypatch):
    monkeypatch.setattr(locks, "_MOMENT", 0.0)
    step, died = 0, True
    while died:
        step += 1
        store = place()
        died = dies(step, action, store)
        run(store)
        found = texts(store)
        if action is delete and "user/bob" not in found:
            store.undelete(parsed(store, "user/bob"))  # it was deleted, no more
            found = texts(store)
        if "user/alice/gone" not in found:
            whose = "alice" if store.user_exists("alice") else "carol"
            store.undelete(parsed(store, "user/alice/gone"), to=parsed(store, f"user/{whose}/gone"))
            found = texts(store)
        assert found == sorted([*NAMES, "user/alice/gone"]), step
        again = []
        assert run(store, again).code == 0
        assert [finding for finding in again if finding.state != "note"] == []
    assert step > 3


def test_a_second_run_waits_for_the_first(place):
    import fcntl

    store = place()
    fd = os.open(store.layout.partition("default"), os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    said = []

    def waiting():
        said.append("waiting")
        os.close(fd)

    reconstruct(Work(store, Options(), said.append), Scope(store.namespace), waiting=waiting)
    assert said == ["waiting"]


def test_a_dry_run_waits_for_nobody_and_finishes_nothing(place):
    import fcntl

    store = place()
    step = 1
    while not any((store.layout.partition("default") / "moving.").glob("[!.]*")):
        store = place()
        assert dies(step, rename_user, store)
        step += 1
    fd = os.open(store.layout.partition("default"), os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    found = []
    try:
        reconstruct(Work(store, Options(dry_run=True), found.append), Scope(store.namespace))
    finally:
        os.close(fd)
    assert "move" in [finding.kind for finding in found]
    assert any((store.layout.partition("default") / "moving.").glob("[!.]*"))
