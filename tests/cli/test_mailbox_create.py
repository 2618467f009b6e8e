import json

import pytest


@pytest.fixture
def sievemda(call):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    return call


@pytest.fixture
def create(sievemda):
    return lambda *arguments: sievemda("mailbox", "create", *arguments)


def names(sievemda):
    return sievemda("mailbox", "list")[1].splitlines()


def test_several_are_made_in_their_order(create, sievemda):
    assert create("user/alice", "user/alice/Lists", "board") == (0, "", "")
    assert names(sievemda) == ["board", "user/alice", "user/alice/Lists"]


def test_a_file_names_them(create, sievemda, tmp_path):
    (tmp_path / "names").write_text("# all of them\nboard\nboard/x y\n\nuser//x\nboard\n")
    code, _, err = create("--from-file", str(tmp_path / "names"))
    assert code == 65
    assert err.count("\n") == 2
    assert f"{tmp_path}/names:6: board is there already" in err
    assert names(sievemda) == ["board", "board/x y"]
    assert create("--from-file", str(tmp_path / "names"), "--if-missing")[2].count("\n") == 1


def test_rights_and_quota_come_with_it(create, sievemda):
    assert create("board", "--acl", "anyone p|group:none l", "--quota", "1M")[0] in (65, 67)
    assert names(sievemda) == []
    assert create("board", "--acl", "anyone p|bob lrs", "--quota", "1M") == (0, "", "")
    assert sievemda("acl", "list", "board")[1] == "anyone p\nbob lrs\n"
    assert '"limit": 1048576' in sievemda("quota", "list", "board", "--json")[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 64),
        (("board", "--acl", "anyone"), 65),
        (("board", "--acl", "anyone z"), 65),
        (("board", "--acl", "a*b lrs"), 65),
        (("board", "--quota", "much"), 65),
        (("board", "--special-use", "Nix"), 65),
        (("--from-file", "/nonexistent"), 74),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(create, sievemda, arguments, code):
    found, _, err = create(*arguments)
    assert found == code
    assert err.count("\n") == 1 or code == 64
    assert names(sievemda) == []


def test_json_tells_of_one_or_of_several(create):
    assert json.loads(create("board", "--json")[1]) == {"name": "board", "partition": "default", "special_use": ""}
    assert [row["name"] for row in json.loads(create("a", "b", "--json")[1])] == ["a", "b"]
