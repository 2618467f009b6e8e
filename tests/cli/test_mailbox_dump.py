import json
import re

import pytest


@pytest.fixture
def other(tmp_path, capsys):
    """A second site, into which is loaded."""
    from sievemda.cli.main import run

    def other(*arguments):
        code = run(["--data", str(tmp_path / "other"), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return other


@pytest.fixture
def listed(call, tmp_path):
    """A site with something of everything, and its list."""
    call("mailbox", "create", "user/alice", "user/alice/Entwürfe", "user/alice/a.b", "board")
    call("mailbox", "create", "user/alice/Junk", "--special-use", "\\Junk", "--acl", "bob lrsip")
    call("acl", "set", "board", "group:staff", "lrsp")
    call("acl", "set", "board", "anyone", "p")
    call("quota", "set", "user/alice", "STORAGE", "1024", "MESSAGE", "50")
    call("quota", "set", "+user/bob", "STORAGE", "7")
    call("mailbox", "metadata", "set", "board", "/shared/comment", "for all")
    call("mailbox", "unsubscribe", "alice", "user/alice/a.b")
    file = tmp_path / "list"
    assert call("mailbox", "dump", "-o", str(file)) == (0, "", "")
    return file


def without_times(text):
    return re.sub(r'"mtime": "\d+"', "", text)


def test_a_list_makes_the_same_mailboxes_elsewhere(listed, other):
    assert other("mailbox", "load", str(listed)) == (0, "", "")
    assert without_times(other("mailbox", "dump")[1]) == without_times(listed.read_text())
    assert other("mailbox", "verify", str(listed)) == (0, "", "")
    assert other("mailbox", "verify") == (0, "", "")
    assert other("mailbox", "load", str(listed), "--json") == (0, "[]\n", "")


def test_the_form_is_that_of_cyrus(listed):
    found = json.loads(listed.read_text())
    junk = found["user.alice.Junk"]
    assert junk["acl"] == {"alice": "lrswipkxtecdan", "bob": "lrsip"}
    assert (junk["mbtype"], junk["partition"], junk["specialuse"]) == ("e", "default", "\\Junk")
    assert junk["mtime"].isdigit()
    assert found["user.alice.a^b"]["name"] == "user.alice.a^b"
    assert found["user.alice"]["quota"] == {"STORAGE": "1048576", "MESSAGE": "50"}
    assert "user.alice.a^b" not in found["user.alice"]["subscriptions"]
    assert found["user.bob"] == {"name": "user.bob", "mbtype": "i", "quota": {"STORAGE": "7168"}}
    assert listed.stat().st_mode & 0o777 == 0o600


def test_lines_have_names_partitions_and_acls(listed, call, other, tmp_path):
    _, out, _ = call("mailbox", "dump", "--tab", "board", "user/alice/J*")
    assert (
        out
        == "board\t0 default group:staff\tlrsp\tanyone\tp\t\nuser.alice.Junk\t0 default alice\tlrswipkxtecdan\tbob\tlrsip\t\n"
        or (out.startswith("board\t0 default anyone\tp\t"))
    )
    (tmp_path / "lines").write_text(call("mailbox", "dump", "--tab")[1])
    assert other("mailbox", "load", str(tmp_path / "lines")) == (0, "", "")
    assert other("mailbox", "dump", "--tab")[1] == (tmp_path / "lines").read_text()


def test_what_differs_stays_unless_it_is_to_be_replaced(listed, call):
    call("acl", "set", "board", "anyone", "none")
    call("quota", "set", "user/alice", "STORAGE", "1")
    call("mailbox", "delete", "user/alice/Junk", "--yes")
    before = call("mailbox", "dump")[1]
    code, out, err = call("mailbox", "load", str(listed), "--dry-run")
    assert (code, out) == (0, "change user/alice: subscriptions\nmake user/alice/Junk\n")
    assert "board: acl not as in the list" in err
    assert call("mailbox", "dump")[1] == before
    code, out, _ = call("mailbox", "load", str(listed), "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert (code, rows["board"]["differing"], rows["user/alice/Junk"]["status"]) == (0, ["acl"], "made")
    assert call("acl", "list", "board")[1] == "group:staff lrsp\n"
    assert call("mailbox", "load", str(listed), "--replace") == (0, "", "")
    assert without_times(call("mailbox", "dump")[1]) == without_times(listed.read_text())


def test_nothing_is_made_of_a_list_in_which_something_is_wrong(call, tmp_path):
    (tmp_path / "list").write_text(
        "board\t0 default anyone\tp\t\n"
        "user.a.x\t0 default a\tlrs\t\n"  # without user.a
        "user.b\t0 default b\tlrz\t\n"
        "user.b.y\t0 default b\tlrs\t\n"
        "user.c\t0 elsewhere c\tlrs\t\n"
        "board\t0 default \n"
        "bo*rd;\t0 default \n"
        "user.d\t0 default a/b\tlrs\t\n"
        "remote\t1 srv!default anyone\tp\t\n"
        "cut off\t0 default anyone\tp\tx"
    )
    code, out, err = call("mailbox", "load", str(tmp_path / "list"))
    assert (code, out) == (65, "")
    for words in (
        "no user a,",
        "'z'",
        "no user b,",
        "'elsewhere'",
        "twice",
        "bo*rd;",
        "'a/b'",
        "left out: remote",
        ":10",
    ):
        assert words in err, words
    assert "nothing of it is loaded" in err
    assert call("mailbox", "list")[1] == ""
    assert call("mailbox", "load", str(tmp_path / "list"), "--partial", "--partition", "elsewhere=default")[0] == 65
    assert call("mailbox", "list")[1] == "board\nuser/c\n"


def test_two_mailboxes_cannot_get_one_id(call, tmp_path):
    (tmp_path / "list").write_text('{"a": {"uniqueid": "x1"}, "b": {"uniqueid": "x1"}, "c": {"uniqueid": "../x"}}')
    code, _, err = call("mailbox", "load", str(tmp_path / "list"))
    assert code == 65
    assert "the id x1 stands there twice" in err
    assert "'../x' cannot be the id" in err


def test_children_may_stand_before_their_parents(call, tmp_path):
    (tmp_path / "list").write_text('{"user.a.x.y": {}, "user.a.x": {}, "user.a": {}, "b.c": {}, "b": {}}')
    assert call("mailbox", "load", str(tmp_path / "list")) == (0, "", "")
    assert call("mailbox", "list")[1].split() == ["b", "b/c", "user/a", "user/a/x", "user/a/x/y"]


def test_a_list_of_quotas_sets_limits_where_there_are_none(call, tmp_path):
    call("mailbox", "create", "user/a", "user/b", "--quota", "1M")
    call("quota", "set", "user/b")
    (tmp_path / "list").write_text("user.a\t%(S (0 10) M (0 5))\nuser.c\t0 20\n")
    code, _, err = call("mailbox", "load", str(tmp_path / "list"))
    assert code == 0
    assert "user/a: quota not as in the list" in err
    assert call("mailbox", "load", str(tmp_path / "list"), "--replace") == (0, "", "")
    found = json.loads(call("quota", "list", "--json")[1])
    assert found["user/a"]["MESSAGE"]["limit"] == 5
    assert found["user/c"]["STORAGE"]["limit"] == 20480


def test_verifying_says_what_a_list_and_the_store_have_each_alone(listed, call, tmp_path):
    call("mailbox", "create", "extra")
    call("mailbox", "delete", "user/alice/Junk", "--yes")
    code, out, err = call("mailbox", "verify", str(listed))
    assert (code, err) == (65, "")
    assert out.splitlines() == [
        f"'extra' has a directory '{tmp_path}/d/mail/shared/.extra' but no DB entry",
        "'user.alice.Junk' has a DB entry but no directory on partition 'default'",
    ]
    assert [row["kind"] for row in json.loads(call("mailbox", "verify", str(listed), "--json")[1])] == [
        "unlisted",
        "missing",
    ]


def test_verifying_says_what_is_wrong_with_the_store_itself(listed, call, tmp_path):
    maildir = tmp_path / "d/mail/user/alice/Maildir"
    (maildir / ".Junk/cur").rmdir()
    (maildir / ".a\\2eb/dovecot-acl").write_text("nonsense=x y z\n")
    record = (maildir / "sievemda-mailbox").read_bytes()
    (tmp_path / "d/mail/shared/.board/sievemda-mailbox").write_bytes(record)
    (maildir / ".bad..name").mkdir()
    (maildir / ".bad..name/cur").mkdir()
    code, out, _ = call("mailbox", "verify")
    assert code == 65
    for words in ("there is no cur in it", "a\\2eb/dovecot-acl: line 1", "'user.alice' has the id", "bad..name"):
        assert words in out, words


def test_a_damaged_acl_is_told_and_not_dumped_as_another(call, tmp_path):
    call("mailbox", "create", "board", "chess")
    (tmp_path / "d/mail/shared/.board/dovecot-acl").write_text("nonsense=x y z\n")
    code, out, err = call("mailbox", "dump")
    assert code == 74
    assert "dovecot-acl is damaged" in err
    assert list(json.loads(out)) == ["chess"]


def test_a_list_that_cannot_be_written_leaves_the_old_one(listed, call, tmp_path):
    before = listed.read_text()
    listed.parent.joinpath("link").symlink_to(listed)
    assert call("mailbox", "dump", "-o", str(tmp_path / "none" / "list"))[0] == 74
    assert call("mailbox", "dump", "board", "-o", str(tmp_path / "link"))[0] == 0
    assert (tmp_path / "link").readlink() == listed
    assert listed.read_text() != before
    assert call("mailbox", "dump", "-o", "/dev/null") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("load", "/nonexistent"), 74),
        (("load", "--partition", "x"), 64),
        (("verify", "/nonexistent"), 74),
        (("dump", "nobody"), 67),
        (("dump", "--partition", "none"), 65),
    ],
)
def test_misuse_is_told_in_one_line(call, arguments, code):
    found, _, err = call("mailbox", *arguments)
    assert (found, err.count("\n")) == (code, 1)


def test_one_folder_that_cannot_be_costs_no_other(call, tmp_path):
    (tmp_path / "list").write_text(
        '{"user.a": {"quota": {"MAILBOX": "2"}, "mbtype": "e"}, "user.a.x": {}, "user.a.y": {}, "user.b": {}}'
    )
    code, _, err = call("mailbox", "load", str(tmp_path / "list"))
    assert (code, err.count("\n")) == (75, 1)
    assert "user/a/y: there may be no more than 2 folders" in err
    assert call("mailbox", "list")[1].split() == ["user/a", "user/a/x", "user/b"]


def test_what_somebody_else_makes_at_that_moment_is_no_mistake(call, tmp_path, monkeypatch):
    from sievemda.upkeep.listing import loading

    (tmp_path / "list").write_text('{"user.a": {}, "user.a.x": {}, "board": {}}')
    original = {name: getattr(loading, name) for name in ("build", "create")}

    def quicker(name):
        def made(*arguments, **options):
            original[name](*arguments, **options)
            return original[name](*arguments, **options)

        return made

    for name in original:
        monkeypatch.setattr(loading, name, quicker(name))
    assert call("mailbox", "load", str(tmp_path / "list")) == (0, "", "")
    assert call("mailbox", "list")[1].split() == ["board", "user/a", "user/a/x"]


def test_a_folder_below_one_that_is_missing_is_a_mailbox_as_any_other(call):
    assert call("mailbox", "create", "user/alice", "user/alice/a/b")[0] == 0
    assert call("mailbox", "verify") == (0, "", "")


def test_a_name_that_stands_there_twice_is_wrong(call, tmp_path):
    (tmp_path / "list").write_text('{"user.a": {"mbtype": "e"}, "user.a": {"mbtype": "e"}}')
    code, _, err = call("mailbox", "load", str(tmp_path / "list"))
    assert (code, "user.a stands there twice" in err) == (65, True)
    assert call("mailbox", "list")[1] == ""
