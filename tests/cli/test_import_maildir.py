"""`sievemda import maildir` and `sievemda export maildir`."""

import json
import os

import pytest


def put(folder, name, text="x\n", when=1_000_000_000):
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    os.utime(file, (when, when))


def messages(folder):
    return [
        (path.parent.name, path.name.partition(":2,")[2], path.read_text(), path.stat().st_mtime)
        for part in ("cur", "new")
        for path in sorted((folder / part).iterdir())
    ]


@pytest.fixture
def source(tmp_path):
    """A tree with an INBOX, keywords, subscriptions, folders of either kind of name."""
    root = tmp_path / "src"
    put(root, "cur/1.a:2,FSa", "one\n")
    put(root, "cur/2.a:2,", "two\n", 2_000_000_000)
    put(root, "new/3.a", "three\n")
    (root / "cur" / ".hidden").write_text("no message")
    (root / "dovecot-keywords").write_text("0 work\n")
    put(root / ".Entw&APw-rfe.a\\2eb", "cur/1.a:2,D", "draft\n")
    put(root / ".x^y", "new/1.a", "odd\n")
    put(root / ".Quiet", "new/1.a", "quiet\n")
    (root / "subscriptions").write_text("V\t2\n\nEntw&APw-rfe\ta\\2eb\nx^y\n")
    (root / ".Link").symlink_to(".Quiet")
    return root


@pytest.fixture
def home(tmp_path):
    return lambda user: tmp_path / "d" / "mail" / "user" / user / "Maildir"


def test_a_tree_comes_with_everything_and_is_not_touched(call, source, home):
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in source.rglob("*"))
    code, out, err = call("import", "maildir", str(source), "user/alice", "--json")
    assert {row["mailbox"]: row["renamed"] for row in json.loads(out)["folders"]} == {
        "user/alice": False,
        "user/alice/Entwürfe/a.b": False,
        "user/alice/Quiet": False,
        "user/alice/x_y": True,
    }
    assert (code, err) == (0, f"sievemda: {source}/.Link is a link: passed over\n")
    assert messages(home("alice")) == [
        ("cur", "FSa", "one\n", 1e9),
        ("cur", "", "two\n", 2e9),
        ("new", "", "three\n", 1e9),
    ]
    assert (home("alice") / "dovecot-keywords").read_text() == "0 work\n"
    assert call("mailbox", "subscriptions", "alice")[1].split("\n")[:-1] == [
        "user/alice",
        "user/alice/Entwürfe/a.b",
        "user/alice/x_y",
    ]
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in source.rglob("*")) == before


def test_the_order_is_that_of_uids(call, source, home):
    (source / "dovecot-uidlist").write_text("3 V1 N4 Gx\n1 :2.a\n2 :3.a\n3 :1.a\n")
    call("import", "maildir", str(source), "user/alice")
    names = sorted(path.name for part in ("cur", "new") for path in (home("alice") / part).iterdir())
    found = {path.name: path.read_text() for part in ("cur", "new") for path in (home("alice") / part).iterdir()}
    assert [found[name] for name in names] == ["two\n", "three\n", "one\n"]


def test_directories_in_directories_are_folders(call, tmp_path, home):
    put(tmp_path / "src" / "Lists" / "Sub", "new/1.a")
    put(tmp_path / "src" / "INBOX", "new/1.a")
    assert call("import", "maildir", str(tmp_path / "src"), "user/alice")[0] == 0
    assert len(messages(home("alice"))) == len(messages(home("alice") / ".Lists.Sub")) == 1


def test_couriers_subscriptions_are_read(call, source):
    (source / "subscriptions").unlink()
    (source / "courierimapsubscribed").write_text("INBOX\nINBOX.Quiet\n")
    call("import", "maildir", str(source), "user/alice")
    assert call("mailbox", "subscriptions", "alice")[1].split() == ["user/alice", "user/alice/Quiet"]


def test_couriers_keywords_are_read(call, source, home):
    notes = source / ".Quiet" / "courierimapkeywords"
    notes.mkdir()
    for name in ("cur/2.a,S=2:2,S", "cur/3.a:2,"):
        put(source / ".Quiet", name, f"{name}\n")
    (notes / ":list").write_text("blue\nwork\n\n1.a:1 0\n2.a,S=2:0 7 x\njunk\n")
    (notes / "3.a").write_text("third\n")
    (notes / ".5984517.1.a").write_text("old\n")
    call("import", "maildir", str(source), "user/alice")
    words = (home("alice") / ".Quiet" / "dovecot-keywords").read_text()
    assert words == "0 work\n1 blue\n2 third\n"
    assert [(info, text) for _, info, text, _ in messages(home("alice") / ".Quiet")] == [
        ("ab", "quiet\n"),
        ("Sb", "cur/2.a,S=2:2,S\n"),
        ("c", "cur/3.a:2,\n"),
    ]


def test_what_is_exported_is_what_was_imported_and_the_same_again(call, source, home, tmp_path):
    call("import", "maildir", str(source), "user/alice")
    out = tmp_path / "out"
    assert call("export", "maildir", "-r", "user/alice", str(out))[0] == 0
    for folder in ("", ".Entw&APw-rfe.a\\2eb", ".x_y", ".Quiet"):
        assert messages(out / folder) == messages(home("alice") / folder)
    assert (out / "dovecot-keywords").read_text() == "0 work\n"
    assert (out / "subscriptions").read_text() == "V\t2\n\nEntw&APw-rfe\ta\\2eb\nx_y\n"
    assert call("import", "maildir", str(out), "user/bob")[0] == 0
    assert messages(home("bob")) == messages(home("alice"))


def test_an_export_is_repeated_and_gets_what_is_new(call, source, home, tmp_path):
    call("import", "maildir", str(source), "user/alice")
    out = tmp_path / "out"
    call("export", "maildir", "user/alice", str(out))
    first = sorted((out / "cur").iterdir())
    put(home("alice"), "new/9.a", "four\n")
    assert f"user/alice -> {out}: 4 messages" in call("export", "maildir", "user/alice", str(out))[1]
    assert sorted((out / "cur").iterdir()) == first
    assert [text for _, _, text, _ in messages(out)] == ["one\n", "two\n", "three\n", "four\n"]


def test_what_an_export_has_left_that_was_killed_goes_with_the_next(call, source, tmp_path):
    call("import", "maildir", str(source), "user/alice")
    put(tmp_path / "out", "tmp/export.1.x")
    (tmp_path / "out" / "tmp" / "1.somebody").touch()
    assert call("export", "maildir", "user/alice", str(tmp_path / "out"))[0] == 0
    assert [path.name for path in (tmp_path / "out" / "tmp").iterdir()] == ["1.somebody"]


def test_a_directory_that_is_no_maildir_stays_as_it_is(call, source, tmp_path):
    call("import", "maildir", str(source), "user/alice")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "letter").write_text("dear")
    code, _, err = call("export", "maildir", "user/alice", str(tmp_path / "docs"))
    assert (code, err) == (73, f"sievemda: user/alice: {tmp_path}/docs is there already, and is no Maildir\n")
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["letter"]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("import", "maildir", "nowhere", "user/alice"), 65, "nowhere: No such file or directory"),
        (("import", "maildir", "empty", "user/alice"), 65, "nothing is there that can be imported"),
        (("export", "maildir", "user/alice", "-"), 64, "standard output cannot be one"),
    ],
)
def test_a_mistake_is_told_in_one_line(call, tmp_path, monkeypatch, words, code, text):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    if words[0] == "export":
        call("mailbox", "create", "user/alice")
    found, out, err = call(*words)
    assert (found, out) == (code, "")
    assert text in err.splitlines()[-1]
