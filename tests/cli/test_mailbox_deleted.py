import json
import re

import pytest

from sievemda.cli.main import run
from tests.delivery.world import World, message


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "d")
    world.user("alice", script='if header :contains "subject" "spam" { discard; }')
    yield world
    world.close()


@pytest.fixture
def sievemda(world, capsys):
    def call(*arguments):
        code = run(["--data", str(world.settings.data), *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def spam(world):
    for number in (1, 2):
        world.deliver("alice@x", message(f"<{number}@x>", subject=f"spam {number}"))


# -- messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [("user/alice",), ("alice",), ()])
def test_discarded_messages_are_listed_the_latest_last(sievemda, spam, named):
    code, out, _ = sievemda("mailbox", "discarded", *named)
    first, second = out.splitlines()
    form = r"\S+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d discard user/alice \d+ <1@x> from bob@example.net: spam 1"
    assert (code, bool(re.fullmatch(form, first)), "spam 2" in second) == (0, True, True)


def test_programs_get_everything(sievemda, spam):
    rows = json.loads(sievemda("mailbox", "discarded", "user/alice", "--json")[1])
    assert [row["message_id"] for row in rows] == ["<1@x>", "<2@x>"]
    assert rows[0].keys() == {
        "id", "mailbox", "why", "when", "message_id", "from", "to", "subject", "flags", "octets"
    }  # fmt: skip


@pytest.mark.parametrize("named", ["<1@x>", "1@x"])
def test_a_message_is_brought_back_by_its_message_id(world, sievemda, spam, named):
    assert sievemda("mailbox", "restore", "user/alice", named) == (0, "<1@x> is in user/alice\n", "")
    assert b"spam 1" in world.stored("user/alice")
    assert len(json.loads(sievemda("mailbox", "discarded", "--json")[1])) == 1


def test_the_way_that_why_tells_works(world, sievemda, spam):
    told = sievemda("why", "<1@x>")[1]
    command = re.search(r"until \d{4}-\d\d-\d\d it can be brought back by: sievemda (.*)", told)[1]
    assert sievemda(*command.split())[0] == 0
    assert len(world.files("user/alice")) == 1


def test_all_are_brought_back_into_a_folder_of_choice(world, sievemda, spam):
    world.mailbox("user/alice/Found")
    rows = json.loads(sievemda("mailbox", "restore", "alice", "--all", "--to", "user/alice/Found", "--json")[1])
    assert [row["restored_to"] for row in rows] == ["user/alice/Found"] * 2
    assert len(world.files("user/alice/Found")) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("restore", "user/alice", "<nope@x>"), 67),
        (("restore", "user/alice", "<1@x>", "<nope@x>"), 67),
        (("restore", "user/alice"), 64),
        (("restore", "user/alice", "<1@x>", "--all"), 64),
        (("restore", "user/nobody", "<1@x>"), 67),
        (("restore", "nobody", "<1@x>"), 67),
        (("restore", "user/alice", "<1@x>", "--to", "user/alice/nope"), 67),
        (("restore", "user/alice", ""), 67),
        (("restore", "../etc", "<1@x>"), 65),
        (("restore", "user/alice", "<1@x>", "--to", ""), 65),
        (("discarded", "user/nobody"), 67),
        (("discarded", "user/../x"), 65),
        (("undelete", "user/nobody"), 67),
        (("undelete", "user/alice", "--id", "../.."), 67),
        (("undelete", "user/alice", "--to", "a;b"), 67),
        (("undelete", "a\nb"), 65),
        (("deleted", "a\nb"), 65),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(world, sievemda, spam, arguments, code):
    result, out, err = sievemda("mailbox", *arguments)
    assert (result, out, len(err.splitlines()) <= 3, bool(err)) == (code, "", True, True)
    assert world.files("user/alice") == []
    assert len(json.loads(sievemda("mailbox", "discarded", "--json")[1])) == 2


def test_a_terminal_is_not_moved_by_what_strangers_wrote(world, sievemda):
    world.deliver("alice@x", message(subject="=?utf-8?q?spam=1B[2J?="))
    assert "\x1b" not in sievemda("mailbox", "discarded")[1]


# -- mailboxes ---------------------------------------------------------------------------------------------------------


def test_deletions_are_listed_with_their_time_and_size(world, sievemda):
    world.mailbox("user/alice/Old")
    world.deliver("alice@x", message())
    sievemda("mailbox", "delete", "user/alice/Old", "--yes")
    sievemda("mailbox", "delete", "user/alice", "--yes")
    first, second = sievemda("mailbox", "deleted")[1].splitlines()
    assert re.fullmatch(r"\S+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 0 0 user/alice/Old", first)
    assert re.fullmatch(r"\S+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [1-9]\d* 1 user/alice", second)
    (row,) = json.loads(sievemda("mailbox", "deleted", "user/alice", "--json")[1])
    assert row.keys() == {"id", "name", "deleted", "until", "octets", "messages"}


def test_a_deletion_is_undone_by_its_identifier_under_another_name(world, sievemda):
    for _ in range(2):
        world.mailbox("user/alice/Old")
        sievemda("mailbox", "delete", "user/alice/Old", "--yes")
    first, second = json.loads(sievemda("mailbox", "deleted", "--json")[1])
    undo = ("mailbox", "undelete", "user/alice/Old", "--id", first["id"], "--to", "user/alice/Older")
    assert sievemda(*undo) == (0, "", "")
    assert json.loads(sievemda("mailbox", "deleted", "--json")[1]) == [second]
    assert "user/alice/Older" in sievemda("mailbox", "list")[1]


@pytest.mark.parametrize("option", ["--id", "--to"])
def test_an_option_that_is_empty_is_not_one_that_is_missing(world, sievemda, option):
    world.mailbox("user/alice/Old")
    sievemda("mailbox", "delete", "user/alice/Old", "--yes")
    code, out, err = sievemda("mailbox", "undelete", "user/alice/Old", option, "")
    assert (code, out, err.count("\n")) == (65, "", 1)
    assert "user/alice/Old" in sievemda("mailbox", "deleted")[1]


@pytest.mark.parametrize("command", ["deleted", "undelete", "discarded", "restore"])
def test_help_has_an_example(sievemda, command):
    assert "Example: sievemda mailbox" in sievemda("mailbox", command, "--help")[1]
