import json

import pytest

from sievemda.cli.main import run

FOLDERS = ("user/alice", "user/alice/Lists", "user/alice/Lists/Deep", "user/alice/Old", "user/bob", "board")


@pytest.fixture
def acl(tmp_path, capsys):
    """Runs `sievemda acl` on an embedded site with some folders: (exit code, standard output, standard error)."""

    def call(*arguments, noun="acl", sets=()):
        options = [word for setting in sets for word in ("--set", setting)]
        code = run(["--data", str(tmp_path), *options, noun, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    for name in FOLDERS:
        assert call("create", name, noun="mailbox") == (0, "", "")
    return call


@pytest.fixture
def shown(acl):
    return lambda name: acl("list", name)[1].splitlines()


def test_several_identifiers_are_set_at_once(acl, shown):
    assert acl("set", "board", "bob", "post", "-bob", "s", "anyone", "none") == (0, "", "")
    assert shown("board") == ["bob lrsp", "-bob s"]


@pytest.mark.parametrize(
    "words", [("bob", "lrs", "carol", "z"), ("bob", "lrs", "a*", "p"), ("bob", "lrs", "group:nope", "p"), ("bob",)]
)
def test_a_mistake_in_one_of_several_changes_nothing(acl, shown, words):
    code, out, err = acl("set", "board", *words)
    assert code in (64, 65, 67)
    assert out == ""
    assert err.count("\n") == 1 or code == 64
    assert shown("board") == ["anyone lrs"]


@pytest.mark.parametrize("identifier", ["-fred", "-harry", "-h", "-recursive", "--fred"])
def test_an_identifier_may_look_like_an_option(acl, shown, identifier):
    assert acl("set", "board", identifier, "p") == (0, "", "")
    assert f"{identifier} p" in shown("board")
    assert acl("delete", "board", identifier) == (0, "", "")
    assert shown("board") == ["anyone lrs"]


def test_a_pattern_names_several_mailboxes(acl, shown):
    assert acl("set", "user/alice/*", "bob", "lrs") == (0, "", "")
    assert [("bob lrs" in shown(name)) for name in FOLDERS] == [False, True, True, True, False, False]
    acl("set", "user/alice/%", "bob", "+p")
    assert [("bob lrsp" in shown(name)) for name in FOLDERS] == [False, True, False, True, False, False]
    acl("delete", "user/*", "bob")
    assert [("bob lrs" in shown(name)) for name in FOLDERS[:4]] == [False] * 4


def test_a_change_goes_down_when_asked_to(acl, shown):
    assert acl("set", "user/alice/Lists", "bob", "lrs", "--recursive") == (0, "", "")
    assert [("bob lrs" in shown(name)) for name in FOLDERS] == [False, True, True, False, False, False]
    assert acl("delete", "--recursive", "user/alice", "bob") == (0, "", "")
    assert [("bob lrs" in shown(name)) for name in FOLDERS[:4]] == [False] * 4


def test_all_entries_are_deleted_but_the_implicit_rights_of_the_owner(acl, shown):
    acl("set", "user/alice/Lists", "bob", "lrs", "-carol", "p")
    assert acl("delete", "user/alice/Lists", "*") == (0, "", "")
    assert shown("user/alice/Lists") == ["alice lkxcan"]
    acl("delete", "board", "*")
    assert shown("board") == []


def test_one_that_fails_does_not_stop_the_others(acl, shown, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/.Lists/dovecot-acl").write_text("nonsense\n")
    code, out, err = acl("set", "user/alice/*", "bob", "lrs")
    assert (code, out, err.count("\n")) == (74, "", 1)
    assert "user/alice/Lists:" in err
    assert "bob lrs" in shown("user/alice/Old")


@pytest.mark.parametrize(
    "arguments",
    [("set", "user/nobody/*", "bob", "p"), ("set", "nope", "bob", "p", "--recursive"), ("rights", "nope", "bob")],
)
def test_what_is_not_there_is_told(acl, arguments):
    code, out, err = acl(*arguments)
    assert (code, out, err.count("\n")) == (67, "", 1)


def test_several_lists_are_shown_below_their_names_as_in_cyradm(acl):
    assert acl("list", "user/alice/L*", "board")[1] == (
        "board:\n"
        "  anyone lrs\n"
        "user/alice/Lists:\n"
        "  alice lrswipkxtecdan\n"
        "user/alice/Lists/Deep:\n"
        "  alice lrswipkxtecdan\n"
    )
    found = json.loads(acl("list", "b*", "--json")[1])
    assert found == [{"name": "board", "acl": {"anyone": "lrs"}}]


def test_a_list_is_copied_and_the_owner_stays_the_owner(acl, shown):
    acl("set", "user/alice/Lists", "bob", "lrs", "alice", "lrsi", "anyone", "p")
    assert acl("copy", "user/alice/Lists", "user/alice/Old") == (0, "", "")
    assert shown("user/alice/Old") == ["alice lrsikxcan", "bob lrs", "anyone p"]
    assert acl("copy", "user/alice/Lists", "user/bob") == (0, "", "")
    assert shown("user/bob") == ["bob lrsikxcan", "anyone p"]
    assert acl("copy", "user/alice/Lists", "board") == (0, "", "")
    assert shown("board") == ["alice lrsikxcan", "bob lrs", "anyone p"]


def test_rights_tell_what_somebody_may_do_and_why(acl):
    acl("set", "board", "bob", "p", "-bob", "s", "group:root", "w", "-group:root", "l")
    assert acl("rights", "board", "bob") == (0, "lrp\n  anyone lrs\n  bob p\n  -bob s\n", "")
    assert acl("rights", "board", "root")[1] == "rsw\n  anyone lrs\n  group:root w\n  -group:root l\n"
    assert acl("rights", "board", "anonymous")[1] == "lrs\n  anyone lrs\n"
    assert acl("rights", "user/bob", "carol")[1] == "none\n"
    assert json.loads(acl("rights", "board", "Bob", "--json")[1]) == {
        "name": "board",
        "identity": "Bob",
        "rights": "lrp",
        "entries": {"anyone": "lrs", "bob": "p", "-bob": "s"},
    }


def test_rights_of_an_administrator_are_told_as_such(acl):
    assert acl("rights", "user/bob", "cyrus", sets=["admins=cyrus"])[1] == "la\n  an administrator la\n"


@pytest.mark.parametrize("nobody", ["-bob", "group:root", "a*", ""])
def test_rights_are_those_of_somebody(acl, nobody):
    code, out, err = acl("rights", "board", nobody)
    assert (code, out, err.count("\n")) == (65, "", 1)


def test_where_somebody_has_rights_is_found(acl):
    acl("set", "user/alice/Lists", "carol", "lrp")
    acl("set", "user/alice/Old", "carol", "l", "-carol", "l")
    assert acl("find", "carol")[1] == "board lrs\nuser/alice/Lists lrp\n"
    assert acl("find", "carol", "--right", "p")[1] == "user/alice/Lists lrp\n"
    assert acl("find", "carol", "--named")[1] == "user/alice/Lists lrp\nuser/alice/Old l\n"
    assert acl("find", "-carol", "--named")[1] == "user/alice/Old l\n"
    assert acl("find", "anyone", "--named")[1] == "board lrs\n"
    assert json.loads(acl("find", "carol", "b*", "--json")[1]) == [{"name": "board", "rights": "lrs"}]


def test_what_is_dumped_is_loaded_again(acl, tmp_path, shown):
    acl("set", "user/alice/Lists", "bob smith", "lrs", "-carol", "p", "dave", "lrswipkxten9")
    dumped = acl("dump")[1]
    assert "user/alice/Lists alice lrswipkxtecdan 'bob smith' lrs -carol p dave lrswipkxtecdn9\n" in dumped
    acl("delete", "*", "*")
    acl("set", "board", "carol", "p")
    (tmp_path / "acls").write_text("# what there was\n\n" + dumped)
    assert acl("load", str(tmp_path / "acls"), "--replace") == (0, "", "")
    assert acl("dump")[1] == dumped
    assert "carol p" not in shown("board")


def test_a_mistake_in_a_file_changes_nothing(acl, tmp_path, shown):
    lines = ["board carol p", "nope carol p", "board carol", "board carol z", "board 'carol p", "board c* p", "board"]
    (tmp_path / "acls").write_text("\n".join(lines))
    code, out, err = acl("load", str(tmp_path / "acls"))
    assert (code, out) == (67, "")
    assert [line.split(":")[2] for line in err.splitlines()] == ["2", "3", "4", "5", "6", "7"]
    assert shown("board") == ["anyone lrs"]


def test_a_dry_run_looks_and_changes_nothing(acl, tmp_path, shown):
    (tmp_path / "acls").write_text("board carol p\n")
    assert acl("load", str(tmp_path / "acls"), "--dry-run") == (0, "", "")
    assert shown("board") == ["anyone lrs"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"board carol p\0", b"x" * 9000])
def test_a_file_that_is_none_of_that_is_refused(acl, tmp_path, content):
    (tmp_path / "acls").write_bytes(content)
    code, out, err = acl("load", str(tmp_path / "acls"))
    assert code in (65, 67)
    assert (out, err.count("\n")) == ("", 1)


def test_a_file_that_is_not_there_is_told(acl, tmp_path):
    code, out, err = acl("load", str(tmp_path / "nope"))
    assert (code, out, err.count("\n")) == (74, "", 1)


def test_groups_come_from_the_file_of_the_site(acl, tmp_path):
    (tmp_path / "groups").write_text("# ours\nstaff:x:100:bob, Carol\n\nbroken line\n")
    sets = [f"groups_file={tmp_path / 'groups'}"]
    assert acl("set", "board", "group:staff", "p", sets=sets) == (0, "", "")
    assert acl("set", "board", "group:root", "p", sets=sets)[0] == 67
    assert acl("rights", "board", "carol", sets=sets)[1].splitlines()[0] == "lrsp"
    assert acl("rights", "board", "dave", sets=sets)[1].splitlines()[0] == "lrs"


def test_what_a_user_writes_into_his_files_does_not_steer_the_terminal(acl, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/.Lists/dovecot-acl").write_text('"user=x\x1b[31m" lr\n')
    assert "\x1b" not in acl("list", "user/alice/Lists")[1]


@pytest.mark.parametrize("command", ["list", "set", "delete", "copy", "rights", "find", "dump", "load"])
def test_every_help_ends_with_an_example(acl, command):
    code, out, _ = acl(command, "--help")
    assert code == 0
    assert "Example: sievemda acl" in out
