"""Equal messages become one file, whatever others do to them at that moment."""

import os

import pytest

from sievemda.upkeep.relinking import relink as module
from sievemda.upkeep.relinking.relink import How, relink

DATE = 1_700_000_000


@pytest.fixture
def put(mailbox):
    """Writes a message: folder, name, content, date."""

    def put(folder, name, content=b"Subject: x\n\nhello\n", date=DATE, part="cur"):
        file = mailbox(folder).path / part / f"{name},S={len(content)}"
        file.write_bytes(content)
        file.chmod(0o600)
        os.utime(file, (date, date))
        return file

    return put


@pytest.fixture
def linked(store):
    """Relinks everything: the report."""

    def linked(**how):
        problems = []
        folders = [mailbox.path for mailbox in store.list()]
        report = relink(folders, How(**how), lambda error, where: problems.append((where, error)), lambda rows, _: rows)
        assert problems == []
        return report

    return linked


def inodes(*files):
    return [file.stat().st_ino for file in files]


@pytest.fixture
def pair(put):
    """Two equal messages: the one whose file will be kept, and the other."""
    return sorted([put("user/a", "1"), put("user/b", "2")], key=lambda file: file.stat().st_ino)


def left_behind(store):
    return [path for mailbox in store.list() for path in (mailbox.path / "tmp").iterdir()]


def test_equal_messages_become_one_file(store, put, linked):
    files = [put("user/a", "1"), put("user/a/x", "2:2,S"), put("user/b", "3", part="new"), put("board", "4")]
    other = put("user/b", "5", b"Subject: x\n\nHELLO\n")
    report = linked()
    assert len(set(inodes(*files))) == 1
    assert other.stat().st_nlink == 1
    assert (report.before.messages, report.before.unique, report.after.unique) == (5, 5, 2)
    assert (report.linked, report.freed, report.octets) == (3, 3, 3 * files[0].stat().st_blocks * 512)
    assert {file.stat().st_mtime for file in files} == {DATE}
    assert {file.read_bytes() for file in files} == {b"Subject: x\n\nhello\n"}
    assert left_behind(store) == []


def test_once_more_there_is_nothing_to_do(put, linked):
    put("user/a", "1"), put("user/b", "2")
    first, second = linked(), linked()
    assert (second.linked, second.before) == (0, first.after)


def test_links_that_are_there_are_joined_to_the_file_with_more_names(put, linked):
    one, two = put("user/a", "1"), put("user/a", "2")
    many = [one.with_name(f"{number},S=18") for number in range(5, 9)]
    for name in many:
        os.link(two, name)
    inode = two.stat().st_ino
    report = linked()
    assert set(inodes(one, two, *many)) == {inode}
    assert (report.linked, report.freed) == (1, 1)


@pytest.mark.parametrize("difference", ["date", "mode", "content", "size"])
def test_what_differs_stays_two_files(put, linked, difference):
    one = put("user/a", "1")
    two = put(
        "user/b",
        "2",
        {"content": b"Subject: x\n\nhallo\n", "size": b"Subject: x\n\nhelloo\n"}.get(difference, one.read_bytes()),
        DATE + (difference == "date"),
    )
    if difference == "mode":
        two.chmod(0o640)
    assert linked().linked == 0
    assert one.stat().st_nlink == two.stat().st_nlink == 1


def test_fractions_of_a_second_are_no_other_date(put, linked):
    one, two = put("user/a", "1", date=DATE + 0.25), put("user/b", "2", date=DATE + 0.75)
    assert linked().linked == 1
    assert int(one.stat().st_mtime) == int(two.stat().st_mtime) == DATE


def test_who_ignores_dates_gives_all_the_oldest(put, linked):
    files = [put("user/a", "1", date=DATE + 5), put("user/b", "2", date=DATE), put("user/c", "3", date=DATE + 9)]
    report = linked(dates=False)
    assert (report.linked, report.freed) == (2, 2)
    assert {file.stat().st_mtime for file in files} == {DATE}


def test_since_leaves_out_what_arrived_before(put, linked):
    put("user/a", "1"), put("user/b", "2")
    assert linked(since=DATE + 1).before.messages == 0
    assert linked(since=DATE).linked == 1


def test_a_dry_run_tells_the_same_and_changes_nothing(put, linked):
    files = [put("user/a", "1"), put("user/b", "2"), put("user/c", "3")]
    os.link(files[2], files[2].with_name("4,S=18"))
    before = [(file.stat(), file.parent.stat().st_mtime_ns) for file in files]
    dry = linked(dry_run=True)
    assert [(file.stat(), file.parent.stat().st_mtime_ns) for file in files] == before
    done = linked()
    assert (dry.linked, dry.freed, dry.octets, dry.after) == (done.linked, done.freed, done.octets, done.after)


def test_links_and_odd_names_are_left_alone(put, linked, mailbox):
    one = put("user/a", "1")
    (one.parent / "link").symlink_to(one)
    odd = put("user/a", "two\nlines")
    os.mkfifo(one.parent / "fifo")
    assert linked().before.messages == 1
    assert odd.stat().st_nlink == 1


@pytest.fixture
def meanwhile(monkeypatch):
    """Have somebody do something right before two names are exchanged, or the link is made."""

    def meanwhile(what, do):
        original = getattr(module, what)

        def interrupted(*arguments, **options):
            do()
            monkeypatch.setattr(module, what, original)
            return original(*arguments, **options)

        monkeypatch.setattr(module, what, interrupted)

    return meanwhile


def test_what_a_client_renames_meanwhile_is_neither_doubled_nor_lost(store, pair, linked, meanwhile):
    two = pair[1]
    meanwhile("exchange", lambda: two.rename(f"{two}:2,S"))
    report = linked()
    assert (report.linked, report.changed) == (0, 1)
    assert sum(len(list((mailbox.path / "cur").iterdir())) for mailbox in store.list()) == 2
    assert left_behind(store) == []
    assert linked().linked == 1


def test_what_comes_in_the_place_of_a_name_stays_there(store, put, pair, linked, meanwhile):
    one, two = pair
    newer = put("user/b", "new", b"something else\n")
    meanwhile("exchange", lambda: newer.rename(two))
    report = linked()
    assert (report.linked, report.changed) == (0, 1)
    assert sorted([one.read_bytes(), two.read_bytes()]) == [b"Subject: x\n\nhello\n", b"something else\n"]
    assert left_behind(store) == []


def test_what_comes_and_is_renamed_again_is_not_lost(store, put, pair, linked, monkeypatch):
    one, two = pair
    newer = put("user/b", "new", b"something else\n")
    original, calls = module.exchange, []

    def exchange(link, name, **places):
        calls.append(name)
        newer.rename(two) if len(calls) == 1 else two.rename(two.with_name("gone"))
        original(link, name, **places)

    monkeypatch.setattr(module, "exchange", exchange)
    assert linked().linked == 0
    contents = [file.read_bytes() for mailbox in store.list() for file in (mailbox.path / "cur").iterdir()]
    assert b"something else\n" in contents
    assert left_behind(store) == []
    assert one.exists()


def test_a_file_that_was_to_stay_and_goes_is_replaced_by_the_next(put, linked, monkeypatch):
    files = [put("user/a", "1"), put("user/b", "2"), put("user/c", "3")]
    kept = min(files, key=lambda file: file.stat().st_ino)
    original = module.unique_name
    monkeypatch.setattr(module, "unique_name", lambda: kept.unlink(missing_ok=True) or original())
    report = linked()
    assert (report.linked, report.changed) == (1, 1)
    assert len(set(inodes(*(file for file in files if file != kept)))) == 1


def test_a_file_full_of_links_is_followed_by_another(put, linked, monkeypatch):
    files = [put("user/a", str(number)) for number in range(5)]
    original = os.link

    def link(source, *arguments, src_dir_fd, **options):
        if os.stat(source, dir_fd=src_dir_fd).st_nlink >= 2:
            raise OSError(31, "Too many links")
        original(source, *arguments, src_dir_fd=src_dir_fd, **options)

    monkeypatch.setattr(module.os, "link", link)
    report = linked()
    assert (report.linked, report.full) == (2, 2)
    assert sorted(file.stat().st_nlink for file in files) == [1, 2, 2, 2, 2]


def test_a_file_system_that_cannot_exchange_has_the_name_replaced(store, put, linked, monkeypatch):
    def exchange(*_, **__):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(module, "exchange", exchange)
    one, two = put("user/a", "1"), put("user/b", "2")
    assert linked().linked == 1
    assert one.stat().st_ino == two.stat().st_ino
    assert left_behind(store) == []


def test_a_link_in_the_place_of_a_folder_leads_nowhere(store, put, linked, mailbox, tmp_path):
    put("user/a", "1"), put("user/b", "2")
    (tmp_path / "elsewhere").mkdir()
    for temporary in (mailbox("user/a").path / "tmp", mailbox("user/b").path / "tmp"):
        temporary.rmdir()
        temporary.symlink_to(tmp_path / "elsewhere")
    problems = []
    report = relink(
        [found.path for found in store.list()], How(), lambda *what: problems.append(what), lambda rows, _: rows
    )
    assert (report.linked, len(problems)) == (0, 1)
    assert list((tmp_path / "elsewhere").iterdir()) == []
