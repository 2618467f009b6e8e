"""The files of a Cyrus server are read as it wrote them, and what is no such file is refused."""

import struct
from pathlib import Path

import pytest

from sievemda.errors import DataError
from sievemda.upkeep.importing.cyrus import database, dlist
from sievemda.upkeep.importing.cyrus.folder import look, parse_header
from sievemda.upkeep.importing.cyrus.lists import read
from sievemda.upkeep.importing.cyrus.names import Name, internal, of_directory
from sievemda.upkeep.importing.cyrus.people import People, Person

DATA = Path(__file__).parent / "cyrus_data"  # written by Cyrus 3.6
MAGIC = (
    b"\xa1\x02\x8b\x0dCyrus mailbox header\n"
    b'"The best thing about this system was that it had lots of goals."\n\t--Jim Morris on Andrew\n'
)
SEEN = {
    b"1vs4hxjzi7op5oahlyau4oh3": b"1 1795351793 6 1795351779 1,4",
    b"x7n5irv710k0we2y7k5jo4ur": b"1 1795351779 3 1795351779 2",
}


@pytest.mark.parametrize("form", ["twoskip", "skiplist", "flat"])
def test_a_database_has_its_keys(form):
    assert database.read(DATA / f"seen.{form}") == SEEN


@pytest.mark.parametrize("form", ["twoskip", "skiplist"])
def test_what_was_deleted_or_replaced_in_a_database_is_not_there(form):
    assert database.read(DATA / f"changed.{form}") == {b"alpha": b"new", b"gamma": b"value-gamma"}


@pytest.mark.parametrize("form", ["twoskip", "skiplist"])
@pytest.mark.parametrize("where", range(24, 296, 16))
def test_a_damaged_database_is_refused_or_read_and_nothing_else(tmp_path, form, where):
    content = bytearray((DATA / f"seen.{form}").read_bytes())
    content[where : where + 4] = b"\xff\xfe\xfd\xfc"
    for damaged in (content, content[:where]):
        (tmp_path / "db").write_bytes(damaged)
        try:
            database.read(tmp_path / "db")
        except DataError:
            continue


def test_a_database_whose_records_go_in_circles_ends(tmp_path):
    content = bytearray((DATA / "seen.twoskip").read_bytes())
    struct.pack_into(">QQ", content, 0x1E0, 0x1D8, 0x1D8)  # a record that is its own successor
    (tmp_path / "db").write_bytes(content)
    with pytest.raises(DataError, match="circles"):
        database.read(tmp_path / "db")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'%(A b C (d "e f") G %(h i))', {"A": b"b", "C": [b"d", b"e f"], "G": {"h": b"i"}}),
        (b"%(N {5+}\r\nab cd)", {"N": b"ab cd"}),
        (b"(a ())", [b"a", []]),
        (b"(%a %b)", [b"%a", b"%b"]),
    ],
)
def test_the_notation_of_lists(text, value):
    assert dlist.parse(text) == value


@pytest.mark.parametrize("text", [b"", b"(", b"%(a", b")", b"(" * 100, b'"x'])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        dlist.parse(text)


def test_a_header_of_version_3():
    header = parse_header((DATA / "header").read_bytes())
    assert (header.name, header.unique_id) == ("user.fbert", "xe7f335o2idk3hp9e2b9473h")
    assert header.acl == (("fbert", "lrswipkxtecdan"),)
    assert header.keywords == ("$Forwarded", "work")


def test_a_header_from_before():
    header = parse_header(MAGIC + b"user.bob\t6a9d2d4c4b3a2f11\n$NotJunk work \nbob\tlrswipcda\tanyone\tp\t\n")
    assert (header.name, header.unique_id) == ("", "6a9d2d4c4b3a2f11")
    assert header.acl == (("bob", "lrswipcda"), ("anyone", "p"))
    assert header.keywords == ("$NotJunk", "work")


@pytest.mark.parametrize("version", [6, 8, 10, 17])
def test_an_index_of_any_version_says_flags_dates_and_what_was_expunged(tmp_path, version):
    (tmp_path / "cyrus.header").write_bytes((DATA / "header").read_bytes())
    (tmp_path / "cyrus.index").write_bytes((DATA / f"index.{version}").read_bytes())
    for uid in range(1, 8):
        (tmp_path / f"{uid}.").touch()
    folder = look(tmp_path)
    folder.open()
    seen = ("\\Seen",) if version > 11 else ()
    assert folder.index.version == version
    assert folder.uids() == [1, 2, 3, 4, 5, 7]
    assert folder.index.records[1].arrived == 1577872800
    assert {uid: record.flags for uid, record in folder.index.records.items()} == {
        1: seen,
        2: ("\\Flagged", "$Forwarded"),
        3: ("\\Answered", "\\Draft", "work"),
        4: ("\\Deleted", *seen),
        5: (),
    }
    assert folder.problems == []
    folder.close()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "is missing"),
        (b"", "cannot be read"),
        (b"\0" * 200, "version 0"),
        (b"\0" * 11 + b"\x14" + b"\0" * 80, "version 20"),
    ],
)
def test_an_index_that_cannot_be_believed_is_told(tmp_path, content, what):
    if content is not None:
        (tmp_path / "cyrus.index").write_bytes(content)
    (tmp_path / "1.").touch()
    folder = look(tmp_path)
    folder.open()
    assert (folder.uids(), folder.index.records) == ([1], {})
    assert any(what in problem and "without flags" in problem for problem in folder.problems)


def test_an_index_that_is_cut_short_counts_as_far_as_it_is_whole(tmp_path):
    (tmp_path / "cyrus.index").write_bytes((DATA / "index.17").read_bytes()[: 160 + 112 * 2 + 50])
    folder = look(tmp_path)
    folder.open()
    assert sorted(folder.index.records) == [1, 2]
    assert any("cut short: 4 of 6" in problem for problem in folder.problems)


def test_messages_that_an_old_index_has_put_aside_were_expunged(tmp_path):
    (tmp_path / "cyrus.expunge").write_bytes((DATA / "index.10").read_bytes())
    for uid in (1, 9):
        (tmp_path / f"{uid}.").touch()
    folder = look(tmp_path)
    (tmp_path / "cyrus.index").write_bytes(struct.pack(">6I", 0, 0, 10, 96, 88, 0) + bytes(72))
    folder.open()
    assert folder.uids() == [9]


ALICE = (("alice", "lrswipcda"), ("anyone", "p"))


@pytest.mark.parametrize(
    ("line", "acl"),
    [
        ("0 two alice\tlrswipcda\tanyone\tp\t", ALICE),
        ("el two alice\tlrswipcda\tanyone\tp\t", ALICE),
        ("two alice\tlrswipcda\tanyone\tp\t", ALICE),
        ("0 two\talice\tlrswipcda\tanyone\tp", ALICE),
        ("0 two alice\tlrs", (("alice", "lrs"),)),
        ("0 two", ()),
    ],
)
def test_a_dump_in_lines(tmp_path, line, acl):
    (tmp_path / "list").write_text(f"board\t0 default anyone\tlrs\t\nuser.alice.a^b\t{line}\n")
    found = read(tmp_path / "list").find("", Name(("user", "alice", "a.b")))
    assert (found.partition, found.acl) == ("two", acl)


@pytest.mark.parametrize("file", ["mailboxes.json", "mailboxes.db"])
def test_the_list_of_mailboxes(file):
    lists = read(DATA / file)
    found = lists.find("siy6y8pcw7p3w6y6bkyi3107", None)
    assert (found.name, found.acl) == (Name(("user", "fanna", "a.b")), (("fanna", "lrswipkxtecdan"),))
    assert lists.find("", Name(("user", "fanna", "Entwürfe"))).unique_id == "8bnq9u4xzgumldi7bojbnhf4"
    assert len(lists) == 7


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[]x", "name only\n", "user.alice default\n"])
def test_what_is_no_list_of_mailboxes_is_refused(tmp_path, content):
    (tmp_path / "list").write_text(content)
    with pytest.raises(DataError):
        read(tmp_path / "list")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("user.alice.a^b", Name(("user", "alice", "a.b"))),
        ("example.org!user.bob.x", Name(("user", "bob", "x"), "example.org")),
        ("user\x1falice\x1fa.b", Name(("user", "alice", "a.b"))),
        ("user.alice.Entw&APw-rfe", Name(("user", "alice", "Entwürfe"))),
        ("user..x", None),
        ("", None),
    ],
)
def test_an_internal_name(text, name):
    assert internal(text) == name


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        ("user/alice", Name(("user", "alice"))),
        ("a/user/alice/a^b", Name(("user", "alice", "a.b"))),
        ("domain/e/example.org/b/user/bob", Name(("user", "bob"), "example.org")),
        ("domain/example.org/user/bob", Name(("user", "bob"), "example.org")),
        ("b/board/sub", Name(("board", "sub"))),
        ("x/sub", Name(("x", "sub"))),
        ("board", Name(("board",))),
        ("user", None),
    ],
)
def test_the_name_of_a_directory(directory, name):
    top = Path("/spool")
    assert of_directory(top / directory, top, {top / "x"}) == name


def test_what_a_user_has_beside_his_mail(tmp_path):
    config, sieve = tmp_path / "conf", tmp_path / "sieve"
    (config / "user" / "f").mkdir(parents=True)
    (config / "quota" / "f").mkdir(parents=True)
    (sieve / "f" / "fanna").mkdir(parents=True)
    (config / "user" / "f" / "fanna.seen").write_bytes((DATA / "seen.skiplist").read_bytes())
    (config / "user" / "f" / "fanna.sub").write_bytes((DATA / "sub").read_bytes())
    (config / "quota" / "f" / "user.fanna").write_bytes((DATA / "quota").read_bytes())
    (config / "quota" / "f" / "user.old").write_text("1234\n10240\n")
    (config / "quota" / "f" / "user.bad").write_text("%(S (x y))")
    (sieve / "f" / "fanna" / "main.script").write_text("keep;")
    (sieve / "f" / "fanna" / "defaultbc").symlink_to("main.bc")
    people, fanna = People(config, sieve), Person("fanna")
    assert {name: str(uids) for name, uids in people.seen(fanna).items()} == {
        "1vs4hxjzi7op5oahlyau4oh3": "1,4",
        "x7n5irv710k0we2y7k5jo4ur": "2",
    }
    assert [str(name) for name in people.subscriptions(fanna)] == [
        "user/fanna",
        "user/fanna/Entwürfe",
        "user/fanna/Lists",
        "board",
    ]
    assert {str(name): limits.printed("STORAGE") for name, limits in people.limits()} == {
        "user/fanna": 5000,
        "user/old": 10240,
    }
    assert people.scripts(fanna, None) == ({"main": b"keep;"}, "main")


def test_subscriptions_from_before_version_3(tmp_path):
    (tmp_path / "user" / "a").mkdir(parents=True)
    (tmp_path / "user" / "a" / "alice.sub").write_text("board\t\nuser.alice\t\nuser.alice.a^b\t\n")
    found = People(tmp_path, None).subscriptions(Person("alice"))
    assert [str(name) for name in found] == ["board", "user/alice", "user/alice/a.b"]


def test_scripts_that_are_messages(tmp_path):
    (tmp_path / "1.").write_bytes((DATA / "script").read_bytes())
    scripts, active = People(None, None).scripts(Person("fanna"), look(tmp_path))
    assert (list(scripts), active) == (["main"], "")
    assert scripts["main"].startswith(b'require ["fileinto"];\r\n')
