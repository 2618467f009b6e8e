import json
import os

import pytest

from sievemda.cli.main import run
from sievemda.upkeep.moving import partition as moving


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    """Runs a command on a site with partitions `default` and `two`."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)
    sets = [f"--set=partition-{name}={tmp_path / name}" for name in ("default", "two")]

    def call(*arguments):
        code = run(["--data", str(tmp_path / "d"), *sets, *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    for name in ("user/alice", "user/alice/a", "user/alice/a/b", "user/bob", "board"):
        assert call("mailbox", "create", name)[0] == 0
    assert call("mailbox", "create", "user/alice/far", "--partition", "two")[0] == 0
    return call


def places(call):
    found = json.loads(call("mailbox", "list", "--json")[1])
    return {row["name"]: row["partition"] for row in found}


def test_a_user_moves_with_all_folders(call):
    assert call("mailbox", "move", "user/alice", "--partition", "two") == (
        0,
        "user/alice moved from default to two\n",
        "",
    )
    assert {name for name, at in places(call).items() if at == "two"} == {
        "user/alice",
        "user/alice/a",
        "user/alice/a/b",
        "user/alice/far",
    }


def test_who_comes_back_brings_folders_from_everywhere(call):
    assert call("mailbox", "move", "user/alice", "--partition", "default")[0] == 0
    assert set(places(call).values()) == {"default"}


@pytest.mark.parametrize(
    ("arguments", "moved"),
    [
        (["user/alice/a"], {"user/alice/a", "user/alice/a/b"}),
        (["board"], {"board"}),
        (["user/%"], {"user/alice", "user/alice/a", "user/alice/a/b", "user/bob"}),
        (["user/alice/*", "board"], {"user/alice/a", "user/alice/a/b", "board"}),
        (["--regex", "o"], {"user/bob", "board"}),
    ],
)
def test_what_is_named_moves_and_nothing_else(call, arguments, moved):
    code, _, err = call("mailbox", "move", *arguments, "--partition", "two")
    assert (code, err) == (0, "")
    assert {name for name, at in places(call).items() if at == "two"} == moved | {"user/alice/far"}


def test_users_come_from_a_file_and_what_is_wrong_in_it_is_told_by_its_line(call, tmp_path):
    (tmp_path / "users").write_text("# to move\nbob\nnobody\nalice\n")
    code, out, err = call("mailbox", "move", "--user-file", str(tmp_path / "users"), "--partition", "two")
    assert (code, err) == (67, f"sievemda: {tmp_path / 'users'}:3: no user nobody\n")
    assert sorted(out.splitlines()) == ["user/alice moved from default to two", "user/bob moved from default to two"]


def test_a_dry_run_changes_nothing(call, tmp_path):
    def tree():
        return {str(path): path.lstat().st_ctime_ns for path in tmp_path.rglob("*")}

    before = tree()
    code, out, err = call("mailbox", "move", "user/*", "--partition", "two", "--dry-run", "--json")
    assert (code, err) == (0, "")
    assert [row["name"] for row in json.loads(out)] == ["user/alice", "user/bob"]
    assert tree() == before


def test_what_is_there_already_stays(call):
    assert call("mailbox", "move", "user/alice/far", "--partition", "two") == (0, "user/alice/far is on two\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["user/alice"], 64, "say where to"),
        (["--partition", "two"], 64, "say which"),
        (["user/alice", "--partition", "three"], 65, "no partition 'three'"),
        (["user/nobody", "--partition", "two"], 67, "no mailbox user/nobody"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(call, arguments, code, said):
    found, out, err = call("mailbox", "move", *arguments)
    assert (found, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_user_for_whom_there_is_no_room_stays_where_he_was(call, monkeypatch):
    monkeypatch.setattr(moving.Space, "at", lambda _: moving.Space(5, 0.1))
    monkeypatch.setattr(moving, "_is_one_disk", lambda *_: False)
    code, out, err = call("mailbox", "move", "user/bob", "--partition", "two")
    assert (code, out) == (74, "")
    assert "partition two has room for 5 octets" in err
    assert places(call)["user/bob"] == "default"
