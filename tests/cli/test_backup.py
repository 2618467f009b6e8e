"""`sievemda backup` and `restore` on embedded sites, in process."""

import errno
import fcntl
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from sievemda.cli.main import run
from sievemda.store.record import Records
from sievemda.upkeep.backup import restoring
from sievemda.upkeep.filling import Filling

SECOND = 1_600_000_000


@pytest.fixture
def site(tmp_path, capfdbinary):
    """Runs a command on a site of that name: (exit code, standard output, standard error)."""

    def call(name, *arguments, into=b""):
        stdin = sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(into))
        try:
            code = run(["--data", str(tmp_path / name), *map(str, arguments)])
        finally:
            sys.stdin = stdin
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        assert b"Traceback" not in err
        return code, out, err.decode()

    return call


@pytest.fixture
def folder(tmp_path):
    def at(name, mailbox="alice"):
        owner, _, path = mailbox.partition("/")
        root = tmp_path / name / "mail"
        root = root / "shared" if owner == "shared" else root / "user" / owner / "Maildir"
        return root / f".{path.replace('/', '.')}" if path else root

    return at


def put(folder, number, *, flags=None, text=None):
    content = (text or f"Subject: {number}\n\nbody\n").encode()
    name = f"{SECOND + number}.M1P1.host,S={len(content)},W={len(content) + content.count(10)}"
    file = folder / "new" / name if flags is None else folder / "cur" / f"{name}:2,{flags}"
    file.write_bytes(content)
    os.utime(file, (SECOND + number, SECOND + number + 0.5))
    return file


def messages(folder):
    """What a folder has: contents, letters, dates, and whether they are new."""
    files = [file for part in ("cur", "new") for file in (folder / part).iterdir()]
    return Counter(
        (file.read_bytes(), file.name.partition(":2,")[2], file.stat().st_mtime, file.parent.name) for file in files
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A site with users, folders, rights, quota, keywords, scripts and a shared folder, made once for all tests."""
    place = tmp_path_factory.mktemp("template")

    def call(*arguments, into=b""):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(into)))
            assert run(["--data", str(place / "a"), *arguments]) == 0

    for name in ("user/alice", "user/alice/Lists", "user/alice/Größe/x", "board"):
        call("mailbox", "create", name)
    call("mailbox", "create", "user/alice/Spam", "--special-use", "Junk")
    call("acl", "set", "user/alice/Lists", "bob", "lrsn")
    call("acl", "set", "board", "anyone", "lrsp")
    call("quota", "set", "user/alice", "STORAGE", "1000", "MESSAGE", "0500")
    call("account", "passwd", "alice", into=b"secret\n")
    call("script", "put", "alice", "one", "-", into=b"keep;")
    call("script", "put", "alice", "two", "-", into="discard; # \u00e4\n".encode())
    call("script", "activate", "alice", "one")
    inbox = place / "a" / "mail" / "user" / "alice" / "Maildir"
    (inbox / ".Lists" / "dovecot-keywords").write_text("0 $Forwarded\n1 Wichtig\n")
    for number in range(10):
        put(inbox, number, flags=None if number % 2 else "FS")
        put(inbox / ".Lists", number, flags="ab" if number % 3 else "Tb")
    put(place / "a" / "mail" / "shared" / ".board", 1, flags="S")
    put(inbox / ".Gr&APYA3w-e.x", 2, text="8bit: \ufffd\n")
    return place


@pytest.fixture
def alice(site, template, tmp_path):
    """Calls of `site`, of which `a` is what the template is."""
    shutil.copytree(template / "a", tmp_path / "a", symlinks=True)
    return site


FOLDERS = ["alice", "alice/Lists", "alice/Gr&APYA3w-e/x", "alice/Spam", "shared/board"]

NAMES = ["user/alice", "user/alice/Lists", "user/alice/Größe/x", "user/alice/Spam", "board"]


def contents(folder):
    return Counter(content for content, *_ in messages(folder).elements())


def same(folder, one, other):
    for name in FOLDERS:
        assert messages(folder(one, name)) == messages(folder(other, name)), name


def test_everything_comes_back_into_an_empty_store(alice, folder, tmp_path):
    assert alice("a", "backup", tmp_path / "all.tar")[0] == 0
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 0
    same(folder, "a", "b")
    for question in (
        ("mailbox", "list"),
        ("acl", "list", "user/alice/Lists"),
        ("acl", "list", "board"),
        ("quota", "list"),
        ("script", "list", "alice"),
        ("script", "get", "alice", "two"),
        ("mailbox", "subscriptions", "alice"),
    ):
        assert alice("a", *question) == alice("b", *question), question
    infos = [json.loads(alice(name, "mailbox", "info", "--json", "user/alice/Spam")[1]) for name in "ab"]
    assert infos[0]["id"] == infos[1]["id"]
    assert infos[0]["special_use"] == infos[1]["special_use"] == "\\Junk"


def test_a_second_restore_puts_nothing_in(alice, folder, tmp_path):
    alice("a", "backup", tmp_path / "all.tar")
    alice("b", "restore", tmp_path / "all.tar")
    code, out, _ = alice("b", "restore", "--json", tmp_path / "all.tar")
    found = json.loads(out)
    assert (code, found["restored"], found["skipped"], found["made"]) == (0, 0, 22, [])
    same(folder, "a", "b")


def test_an_incremental_one_has_what_is_new_and_the_chain_gives_the_last_state(alice, folder, tmp_path):
    directory = tmp_path / "backups"
    alice("a", "backup", f"{directory}/")
    lists = folder("a", "alice/Lists")
    put(lists, 100)
    put(lists, 101, text="Subject: 1\n\nbody\n")  # the same octets as an older one
    next(lists.glob("cur/*0003.*")).unlink()
    changed = next(lists.glob("cur/*0004.*"))
    changed.rename(str(changed).replace(":2,ab", ":2,RSa"))
    new = next(folder("a", "alice").glob("new/*0003.*"))  # a reader has looked at the folder
    new.rename(folder("a", "alice") / "cur" / f"{new.name}:2,")
    assert alice("a", "mailbox", "rename", "user/alice/Spam", "user/alice/Trödel")[0] == 0
    alice("a", "mailbox", "create", "user/alice/Neu")
    code, out, _ = alice("a", "backup", "--incremental", "--json", directory)
    assert (code, json.loads(out)["contents"], json.loads(out)["kind"]) == (0, 2, "incremental")
    assert alice("b", "restore", directory)[0] == 0
    assert messages(folder("b", "alice/Lists")) == messages(lists)
    assert messages(folder("b", "alice")) == messages(folder("a", "alice"))
    assert alice("a", "mailbox", "list") == alice("b", "mailbox", "list")


def test_a_directory_gives_the_state_of_an_earlier_day(alice, folder, tmp_path):
    directory = tmp_path / "backups"
    alice("a", "backup", f"{directory}/")
    first = json.loads(alice("a", "restore", "--list", "--json", directory)[1])[0]
    before = messages(folder("a", "alice"))
    put(folder("a", "alice"), 100)
    for file in directory.glob("*full*"):  # as if it had been made an hour before
        assert file.stat().st_size
    alice("a", "backup", "-i", directory)
    created = first["created"]
    assert alice("b", "restore", directory, "--at", created[:17] + "59.999" + created[19:])[0] == 0
    assert before <= messages(folder("b", "alice"))


def test_through_a_pipe_to_another_name(alice, folder, tmp_path):
    code, archive, _ = alice("a", "backup", "user/alice", "-")
    assert code == 0
    code, _, err = alice("b", "restore", "-", "--map", "user/alice=user/bob", into=archive)
    assert (code, err) == (0, "")
    assert messages(folder("b", "bob/Lists")) == messages(folder("a", "alice/Lists"))
    assert b"board" not in alice("b", "mailbox", "list")[1]
    assert alice("b", "acl", "list", "user/bob")[1].startswith(b"bob ")


def test_one_folder_into_a_new_one(alice, folder, tmp_path):
    alice("a", "backup", tmp_path / "all.tgz")
    assert alice("a", "restore", tmp_path / "all.tgz", "user/alice/Lists", "--into", "user/alice/Wieder")[0] == 0
    assert messages(folder("a", "alice/Wieder/Lists")) == messages(folder("a", "alice/Lists"))


def test_equal_messages_stay_two_also_when_one_is_there(alice, folder, tmp_path):
    for number in (200, 201, 202):
        put(folder("a", "alice"), number, text="the same\n")
    alice("a", "backup", tmp_path / "all.tar")
    for number in (200, 201):
        next(folder("a", "alice").glob(f"new/{SECOND + number}*")).unlink()
    code, out, _ = alice("a", "restore", tmp_path / "all.tar", "--json")
    assert (code, json.loads(out)["restored"]) == (0, 2)


def test_what_is_there_keeps_its_rights_unless_settings_are_wanted(alice, tmp_path):
    alice("a", "backup", tmp_path / "all.tar")
    before = alice("a", "acl", "list", "user/alice/Lists")
    alice("a", "acl", "delete", "user/alice/Lists", "bob")
    without = alice("a", "acl", "list", "user/alice/Lists")
    alice("a", "restore", tmp_path / "all.tar")
    assert alice("a", "acl", "list", "user/alice/Lists") == without
    alice("a", "restore", tmp_path / "all.tar", "--settings")
    assert alice("a", "acl", "list", "user/alice/Lists") == before


def test_a_message_in_several_folders_is_in_the_archive_once(alice, folder, tmp_path):
    file = put(folder("a", "alice"), 300, flags="S", text="x" * 50_000 + "\n")
    os.link(file, folder("a", "alice/Lists") / "cur" / file.name.replace(":2,S", ":2,F"))
    alice("a", "backup", tmp_path / "all.tar")
    assert (tmp_path / "all.tar").read_bytes().count(b"x" * 50_000) == 1
    assert alice("b", "restore", tmp_path / "all.tar", "user/alice/Lists")[0] == 0
    assert messages(folder("b", "alice/Lists")) == messages(folder("a", "alice/Lists"))


def test_tar_alone_makes_a_maildir_of_it(alice, folder, tmp_path):
    alice("a", "backup", tmp_path / "all.tar")
    (tmp_path / "out").mkdir()
    done = subprocess.run(["tar", "xf", "../all.tar"], cwd=tmp_path / "out", capture_output=True, check=True)
    assert done.stderr == b""
    there = tmp_path / "out" / "user" / "alice" / "Maildir" / ".Lists"
    assert messages(there) == messages(folder("a", "alice/Lists"))
    assert (there / "dovecot-keywords").read_text() == "0 $Forwarded\n1 Wichtig\n"


def spoiled(path, change):
    octets = bytearray(path.read_bytes())
    change(octets)
    path.write_bytes(octets)


def test_of_a_truncated_archive_what_is_whole_comes_back_and_the_rest_is_named(alice, folder, tmp_path):
    archive = tmp_path / "all.tar"
    alice("a", "backup", archive)
    octets = archive.read_bytes()
    end = octets.rfind(b"Subject: 5\n")
    archive.write_bytes(octets[: end + 5])
    code, _, err = alice("b", "restore", "-v", archive)
    assert code == 65
    assert "the archive is cut off" in err
    for name, shown in zip(FOLDERS, NAMES, strict=True):
        back, was = messages(folder("b", name)), messages(folder("a", name))
        cut = err.count(f"{SECOND + 5}.M1P1.host") if len(was) == 10 and back.keys() != was.keys() else 0
        missing = err.count(f"{shown}: {SECOND // 100000}")
        assert back <= was
        assert back == was or f"{shown}: the list" in err or back.total() + missing + min(cut, 1) == was.total()


def test_a_message_that_was_changed_is_named_and_left_out(alice, folder, tmp_path):
    archive = tmp_path / "all.tar"
    alice("a", "backup", archive)
    spoiled(archive, lambda octets: octets.__setitem__(octets.find(b"Subject: 7\n") + 3, 1))
    code, out, err = alice("b", "restore", archive)
    assert (code, err.count("its content is damaged")) == (65, 1)
    assert out.startswith(b"21 messages")
    assert alice("b", "backup", "--verify", archive)[0] == 65


def test_a_user_whose_entry_is_damaged_gets_his_messages(alice, folder, tmp_path):
    archive = tmp_path / "all.tar"
    alice("a", "backup", archive)
    spoiled(archive, lambda octets: octets.__setitem__(octets.find(b'"owner": "alice"') + 3, 1))
    assert alice("b", "restore", archive)[0] == 65
    for name in FOLDERS[:3]:
        assert contents(folder("a", name)) == contents(folder("b", name))


def test_an_archive_whose_beginning_is_damaged_gives_the_rest(alice, folder, tmp_path):
    archive = tmp_path / "all.tar"
    alice("a", "backup", archive)
    spoiled(archive, lambda octets: octets.__setitem__(slice(0, 1000), bytes(1000)[1:] + b"x"))
    assert alice("b", "restore", archive)[0] == 65
    same(folder, "a", "b")


@pytest.mark.parametrize("content", [b"", b"no tar\n" * 1000, bytes(20480)])
def test_what_is_no_backup_is_refused(site, tmp_path, content):
    (tmp_path / "x.tar").write_bytes(content)
    code, _, err = site("b", "restore", tmp_path / "x.tar")
    assert (code, err.count("\n")) == (65, 1)
    assert "is no backup of ours" in err


def test_a_tar_of_others_is_refused(site, tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(__file__, "../../evil")
    assert site("b", "restore", tmp_path / "x.tar")[0] == 65
    assert not (tmp_path / "b" / "mail").exists()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'"owner": "alice"', b'"owner": "../.."', 65),
        (b'"path": ["Lists"', b'"path": ["../x"', 0),  # a folder may be called so: on disk it is not
        (b'"path": ["Lists"', b'"path": ["\\u0000a"', 65),
    ],
)
def test_a_hostile_archive_writes_nothing_outside(alice, tmp_path, old, new, expected):
    """The writer is ours, the digests are right, the names are not."""
    from sievemda.upkeep.backup import entries

    archive = tmp_path / "all.tar"
    real = entries.encode
    entries.encode = lambda value: real(value).replace(old, new)
    try:
        alice("a", "backup", archive)
    finally:
        entries.encode = real
    outside = set(tmp_path.rglob("*"))
    code, _, _ = alice("b", "restore", archive)
    made = set(tmp_path.rglob("*")) - outside
    assert code == expected
    assert all(path.is_relative_to(tmp_path / "b") for path in made)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["user/nobody", "x.tar"], 67),
        (["user/alice", "--incremental", "x.tar"], 64),
        (["--base", "nothing.tar", "x.tar"], 74),
        (["--partition", "away", "x.tar"], 65),
        (["--since", "yesterday", "x.tar"], 65),
        (["no/such/directory/x.tar"], 74),
        ([""], 64),
        (["--user", "alice/x", "x.tar"], 65),
    ],
)
def test_what_cannot_be_done_is_said_and_no_file_is_left(alice, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    before = set(Path().rglob("*.tar*"))
    found, _, err = alice("a", "backup", *arguments)
    assert (found, bool(err)) == (code, True)
    assert set(Path().rglob("*.tar*")) == before


def test_a_file_that_is_there_stays(alice, tmp_path):
    (tmp_path / "x.tar").write_text("precious")
    assert alice("a", "backup", tmp_path / "x.tar")[0] == 73
    assert (tmp_path / "x.tar").read_text() == "precious"
    assert alice("a", "backup", "--force", tmp_path / "x.tar")[0] == 0


def test_a_full_disk_leaves_no_file(alice, tmp_path, monkeypatch):
    code, _, err = alice("a", "backup", "/dev/full")
    assert (code, err) == (74, "sievemda: /dev/full: No space left on device: there is no archive\n")


def test_a_restore_ends_at_the_first_mailbox_for_which_a_full_disk_has_no_room(alice, tmp_path, monkeypatch):
    alice("a", "mailbox", "create", "user/bob", "user/carl", "board")
    alice("a", "backup", tmp_path / "all.tar")
    real = os.mkdir

    def mkdir(path, *arguments, **options):
        if os.fsdecode(path).rpartition("/")[2].startswith("new."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        real(path, *arguments, **options)

    with monkeypatch.context() as full:
        full.setattr(os, "mkdir", mkdir)
        code, _, err = alice("b", "restore", tmp_path / "all.tar")
    assert (code, err.count("\n"), err.endswith(": make room and begin again\n")) == (74, 1, True), err
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 0


def test_a_folder_that_moves_while_it_is_restored_is_to_be_tried_again(alice, folder, tmp_path, monkeypatch):
    alice("a", "backup", tmp_path / "all.tar")
    alice("b", "mailbox", "create", "user/alice")
    home = folder("b").parent

    def filling(mailbox, **options):
        home.rename(tmp_path / "moved")
        return Filling(mailbox, **options)

    with monkeypatch.context() as moving:
        moving.setattr(restoring, "Filling", filling)
        code, _, err = alice("b", "restore", tmp_path / "all.tar", "user/alice")
    assert (code, "moved or removed meanwhile; run it again" in err) == (75, True), err
    (tmp_path / "moved").rename(home)
    assert alice("b", "restore", tmp_path / "all.tar", "user/alice")[0] == 0


def test_who_reads_no_more_has_not_got_the_archive(alice, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        code, _, err = alice("a", "backup", "-")
    assert (code, err) == (74, "sievemda: nobody reads the archive any more: it is not whole\n")


def test_a_name_that_no_archive_has_is_told(alice, tmp_path):
    alice("a", "backup", tmp_path / "all.tar")
    assert alice("b", "restore", tmp_path / "all.tar", "user/nobody")[0] == 67


def test_a_dry_run_changes_nothing(alice, tmp_path):
    alice("a", "backup", tmp_path / "all.tar")
    alice("b", "mailbox", "create", "user/alice")
    before = {path: path.lstat().st_mtime_ns for path in (tmp_path / "b").rglob("*")}
    code, out, _ = alice("b", "restore", "--dry-run", "--json", tmp_path / "all.tar")
    assert (code, json.loads(out)["restored"]) == (0, 22)
    assert {path: path.lstat().st_mtime_ns for path in (tmp_path / "b").rglob("*")} == before
    code, _, _ = alice("a", "backup", "--dry-run", tmp_path / "no.tar")
    assert (code, (tmp_path / "no.tar").exists()) == (0, False)


def test_a_quota_is_kept_unless_told(alice, folder, tmp_path):
    alice("a", "backup", "user/alice", tmp_path / "all.tar")
    alice("b", "mailbox", "create", "user/alice")
    alice("b", "quota", "set", "user/alice", "MESSAGE", "5")
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 75
    assert alice("b", "restore", "--ignore-quota", tmp_path / "all.tar")[0] == 0
    assert messages(folder("b", "alice")) == messages(folder("a", "alice"))


def test_a_message_that_is_to_come_from_an_archive_that_is_missing_is_told(alice, tmp_path):
    alice("a", "backup", tmp_path / "full.tar")
    alice("a", "backup", "--base", tmp_path / "full.tar", tmp_path / "more.tar")
    (tmp_path / "full.tar").rename(tmp_path / "elsewhere")
    code, _, err = alice("b", "restore", tmp_path / "more.tar")
    assert (code, "22 messages are in an earlier archive" in err) == (65, True)
    assert alice("b", "restore", tmp_path / "more.tar", "--base", tmp_path / "elsewhere")[0] == 0


def test_the_list_of_an_archive_has_each_message(alice, tmp_path):
    alice("a", "backup", "user/alice/Lists", tmp_path / "x.tar")
    rows = json.loads(alice("b", "restore", "--list", "-v", "--json", tmp_path / "x.tar")[1])
    assert len(rows) == 10
    assert {tuple(row["flags"].split()) for row in rows} == {("$Forwarded", "Wichtig"), ("\\Deleted", "Wichtig")}


def test_since_a_day_has_only_what_came_then(alice, tmp_path):
    code, out, _ = alice("a", "backup", "--since", "2020-09-13T12:26:45+00:00", "--json", tmp_path / "x.tar")
    assert (code, json.loads(out)["contents"]) == (0, 10)


@pytest.mark.parametrize("name", ["50% off", "a|b", "x^y", "a\\2fb", "INBOX.x"])
def test_folders_that_only_an_imap_server_makes_come_back(alice, folder, tmp_path, name):
    there = folder("a", "alice") / f".{name}"
    for part in ("cur", "new", "tmp"):
        (there / part).mkdir(parents=True)
    put(there, 1)
    alice("a", "backup", tmp_path / "all.tar")
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 0
    assert messages(folder("b", "alice") / f".{name}") == messages(there)


def test_annotations_beyond_what_a_folder_can_have_stay_away(alice, folder, tmp_path, monkeypatch):
    from sievemda.upkeep.backup import describing

    much = {"": {"/shared/comment": "x" * 2_000_000}}
    monkeypatch.setattr(describing, "_metadata", lambda *_: much)
    alice("a", "backup", tmp_path / "all.tar")
    code, _, err = alice("b", "restore", tmp_path / "all.tar")
    assert (code, "annotations" in err) == (65, True)
    same(folder, "a", "b")


def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_in(alice, folder, tmp_path):
    cur = folder("a", "alice/Lists") / "cur"
    cur.rename(tmp_path / "elsewhere")
    cur.symlink_to(tmp_path / "elsewhere")
    code, _, err = alice("a", "backup", tmp_path / "all.tar")
    assert (code, err.count("user/alice/Lists")) == (74, 1)
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 0
    assert messages(folder("b", "alice")) == messages(folder("a", "alice"))


def test_an_index_that_is_damaged_is_no_harm(alice, tmp_path):
    directory = tmp_path / "backups"
    alice("a", "backup", f"{directory}/")
    (index,) = directory.glob("*.index")
    spoiled(index, lambda octets: octets.__setitem__(slice(3000, 5000), b"x" * 2000))
    code, out, _ = alice("a", "backup", "-i", "--json", directory)
    assert (code, json.loads(out)["contents"]) == (0, 0)


def test_where_nothing_can_be_written_folders_are_known_by_their_names(alice, folder, tmp_path, monkeypatch):
    def read_only(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for record in (tmp_path / "a").rglob("sievemda-mailbox"):
        record.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Records, "_first_id", read_only)
        assert alice("a", "backup", tmp_path / "full.tar")[0] == 0
        put(folder("a", "alice"), 50)
        code, out, _ = alice("a", "backup", "--base", tmp_path / "full.tar", "--json", tmp_path / "more.tar")
    assert (code, json.loads(out)["contents"]) == (0, 1)
    assert alice("b", "restore", tmp_path / "more.tar")[0] == 0
    same(folder, "a", "b")


def test_a_chain_whose_first_archive_is_damaged_gives_the_rest(alice, folder, tmp_path):
    directory = tmp_path / "backups"
    alice("a", "backup", f"{directory}/")
    put(folder("a", "alice"), 100)
    alice("a", "backup", "-i", directory)
    (full,) = directory.glob("*-full-*.tar")
    full.write_bytes(full.read_bytes()[:40_000])
    code, _, err = alice("b", "restore", directory)
    assert (code, "it is missing" in err) == (65, True)
    assert (b"Subject: 100\n\nbody\n", "", SECOND + 100.5, "new") in messages(folder("b", "alice"))
    assert alice("a", "mailbox", "list") == alice("b", "mailbox", "list")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing.tar"], 74),
        ([""], 64),
        (["all.tar", "--map", "alice"], 65),
        (["all.tar", "--map", "user/alice=user/../x"], 65),
        (["all.tar", "--map", "user/alice=user/b", "--into", "user/c"], 64),
        (["all.tar", "--at", "tomorrow"], 65),
        (["-", "--at", "7d"], 64),
        (["."], 67),
    ],
)
def test_what_cannot_be_restored_is_said_in_one_line(alice, template, tmp_path, monkeypatch, arguments, code):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    if "all.tar" in arguments:
        alice("a", "backup", "all.tar")
    found, out, err = alice("b", "restore", *arguments)
    assert (found, out, err.count("\n")) == (code, b"", 1)
    assert not (tmp_path / "b" / "mail").exists()


def test_a_file_of_names_renames(alice, folder, tmp_path):
    alice("a", "backup", tmp_path / "all.tar")
    (tmp_path / "names").write_text("# where they go\nuser/alice/Lists=user/bob/Listen\nuser/alice = user/bob\n")
    assert alice("b", "restore", tmp_path / "all.tar", "--map-file", tmp_path / "names")[0] == 0
    assert messages(folder("b", "bob/Listen")) == messages(folder("a", "alice/Lists"))
    assert messages(folder("b", "bob")) == messages(folder("a", "alice"))


def test_a_list_that_is_too_long_costs_no_memory_and_no_message(alice, folder, tmp_path, monkeypatch):
    from sievemda.upkeep.backup import reading

    alice("a", "backup", tmp_path / "all.tar")
    monkeypatch.setattr(reading, "_MOST_LINES", 5)
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 65
    same(folder, "a", "b")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_damaged_only_what_was_there_comes_back(alice, folder, tmp_path, seed):
    noise = random.Random(seed)
    archive = tmp_path / ("x.tgz" if seed % 2 else "x.tar")
    alice("a", "backup", archive)
    known = sum((contents(folder("a", name)) for name in FOLDERS), Counter())
    whole = archive.read_bytes()
    for number in range(4):
        octets = bytearray(whole)
        at, length = noise.randrange(len(octets)), noise.randrange(3000)
        changed = noise.choice([b"", noise.randbytes(length), bytes(length), noise.randbytes(2 * length)])
        octets[at : at + length] = changed
        archive.write_bytes(octets)
        assert alice(f"b{number}", "restore", archive)[0] in {0, 65}
        found = [file for file in (tmp_path / f"b{number}").rglob("mail/**/*") if file.parent.name in {"cur", "new"}]
        assert Counter(file.read_bytes() for file in found) <= known


def test_what_a_killed_run_has_left_goes_with_the_next_and_that_of_another_stays(alice, tmp_path):
    left, held = tmp_path / ".unfinished.x.tar.1", tmp_path / ".unfinished.x.tar.2"
    left.write_bytes(b"half")
    held.write_bytes(b"half")
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert alice("a", "backup", tmp_path / "x.tar")[0] == 0
    assert [path.exists() for path in (left, held)] == [False, True]


def test_nothing_builds_on_an_archive_whose_beginning_is_damaged(alice, tmp_path):
    alice("a", "backup", tmp_path / "full.tar")
    spoiled(tmp_path / "full.tar", lambda octets: octets.__setitem__(slice(600, 800), bytes(200)))
    code, _, err = alice("a", "backup", "--base", tmp_path / "full.tar", tmp_path / "more.tar")
    assert (code, "damaged" in err, (tmp_path / "more.tar").exists()) == (65, True, False)


def test_nothing_builds_on_an_archive_of_some_days(alice, tmp_path):
    alice("a", "backup", "--since", "7d", tmp_path / "week.tar")
    assert alice("a", "backup", "--base", tmp_path / "week.tar", tmp_path / "more.tar")[0] == 65


def test_who_has_more_folders_than_he_may_make_gets_them_back(alice, folder, tmp_path):
    alice("a", "quota", "set", "user/alice", "MAILBOX", "2")
    alice("a", "backup", tmp_path / "all.tar")
    assert alice("b", "restore", tmp_path / "all.tar")[0] == 0
    same(folder, "a", "b")
    assert alice("a", "quota", "list") == alice("b", "quota", "list")


def test_folders_come_back_to_their_partitions(site, tmp_path):
    def places(name):
        return [f"--set=partition-{part}={tmp_path / name / part}" for part in ("default", "two")]

    def call(name, *arguments):
        return run(["--data", str(tmp_path / name), *places(name), *map(str, arguments)])

    assert call("a", "mailbox", "create", "user/alice") == 0
    for number in range(4):
        assert call("a", "mailbox", "create", f"user/alice/{number}", "--partition", "two" if number % 2 else "") == 0
    assert call("a", "backup", tmp_path / "all.tar") == call("b", "restore", tmp_path / "all.tar") == 0
    found = [sorted(str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("cur")) for name in "ab"]
    assert found[0] == found[1]
    assert len(found[0]) == 5
