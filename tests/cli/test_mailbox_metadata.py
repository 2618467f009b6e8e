import json

import pytest

from sievemda.cli.main import run


@pytest.fixture
def metadata(tmp_path, capsys):
    """Runs `mailbox metadata`: (exit code, standard output, standard error)."""

    def call(*arguments):
        code = run(["--data", str(tmp_path), "mailbox", "metadata", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    for name in ("user/alice", "user/alice/Lists", "board"):
        assert run(["--data", str(tmp_path), "mailbox", "create", name]) == 0
    return call


LISTS = "user/alice/Lists"


def test_what_is_set_is_shown(metadata):
    assert metadata(LISTS, "/shared/Comment", "all lists") == (0, "", "")
    assert metadata(LISTS, "/private/comment", "mine") == (0, "", "")
    assert metadata(LISTS) == (0, "/private/comment mine\n/shared/comment all lists\n", "")
    assert metadata(LISTS, "/SHARED/comment") == (0, "all lists\n", "")


def test_what_is_deleted_is_gone(metadata):
    metadata(LISTS, "/shared/comment", "x")
    assert metadata(LISTS, "/shared/comment", "--delete") == (0, "", "")
    assert metadata(LISTS) == (0, "", "")
    assert metadata(LISTS, "/shared/comment")[0] == 67


def test_values_that_would_break_the_list_are_json(metadata):
    metadata(LISTS, "/shared/a", "two\nlines")
    metadata(LISTS, "/shared/b", "")
    assert metadata(LISTS)[1] == '/shared/a "two\\nlines"\n/shared/b ""\n'


def test_as_json(metadata):
    metadata(LISTS, "/shared/a", "x")
    assert json.loads(metadata(LISTS, "--json")[1]) == {"/shared/a": "x"}
    assert json.loads(metadata(LISTS, "/shared/A", "--json")[1]) == {"/shared/a": "x"}


def test_of_the_server(metadata):
    assert metadata("--server", "/shared/admin", "mailto:root@example.org") == (0, "", "")
    assert metadata("--server", "--user", "alice", "/private/comment", "hers") == (0, "", "")
    assert metadata("--server") == (0, "/shared/admin mailto:root@example.org\n", "")
    both = "/private/comment hers\n/shared/admin mailto:root@example.org\n"
    assert metadata("--server", "--user", "alice") == (0, both, "")
    assert metadata("--server", "--delete", "/shared/admin") == (0, "", "")
    assert metadata("--server") == (0, "", "")


def test_private_entries_of_a_board_are_those_of_a_user(metadata):
    assert metadata("board", "/private/comment", "x")[0] == 64
    assert metadata("board", "--user", "alice", "/private/comment", "x") == (0, "", "")
    assert metadata("board") == (0, "", "")
    assert metadata("board", "--user", "alice") == (0, "/private/comment x\n", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 64),
        ((LISTS, "/shared/a", "b", "c"), 64),
        ((LISTS, "--delete"), 64),
        ((LISTS, "--delete", "/shared/a", "x"), 64),
        (("user/nobody",), 67),
        ((LISTS, "/shared/none"), 67),
        ((LISTS, "/other/a", "x"), 65),
        ((LISTS, "/shared/a*", "x"), 65),
        (("--server", "/private/a", "x"), 64),
        (("--server", "--user", "nobody"), 67),
    ],
)
def test_exit_codes(metadata, arguments, code):
    found, out, err = metadata(*arguments)
    assert found == code
    assert out == ""
    assert err.startswith(("sievemda: ", "Usage: "))
