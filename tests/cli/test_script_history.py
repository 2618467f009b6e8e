import fcntl
import io
import json
import os
import pty
import sys
from contextlib import suppress
from hashlib import sha256

import pytest

from sievemda.cli.main import run
from sievemda.scripts.undo import Undo

A, B, C = b"keep;\n", b"keep;\nstop;\n", b"discard;\n"


@pytest.fixture
def sievemda(tmp_path, monkeypatch, capfdbinary):
    """Runs one command on an embedded site: exit code, output, complaints."""

    def command(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(["--data", str(tmp_path / "site"), *arguments])
        sys.stdout.flush()
        told = capfdbinary.readouterr()
        assert b"Traceback" not in told.err
        return code, told.out.decode(), told.err.decode()

    assert command("mailbox", "create", "user/alice")[0] == 0
    return command


@pytest.fixture
def script(sievemda):
    return lambda *arguments, stdin=b"": sievemda("script", *arguments, stdin=stdin)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "site" / "mail" / "user" / "alice"


@pytest.fixture
def state(script):
    """Texts by name, and the active one."""

    def state():
        listed = json.loads(script("list", "alice", "--json")[1])
        texts = {each["name"]: script("get", "alice", each["name"])[1].encode() for each in listed}
        return texts, [each["name"] for each in listed if each["active"]]

    return state


# -- history -----------------------------------------------------------------------------------------------------------


def test_history_tells_who_when_whence_what_and_the_digest(script):
    script("put", "alice", "main", stdin=A)
    script("activate", "alice", "main")
    put, activated = script("history", "alice")[1].splitlines()
    assert put.split()[0] == "1"
    assert " put  " in put
    assert f"(uid {os.getuid()}) command line" in put
    assert put.split()[-2:] == ["6", sha256(A).hexdigest()[:12]]
    assert " activate  " in activated
    assert activated.endswith(sha256(A).hexdigest()[:12])


def test_history_as_json_has_everything(script):
    script("put", "alice", "main", stdin=A)
    script("put", "alice", "main", stdin=B)
    script("rename", "alice", "main", "other")
    put, again, renamed = json.loads(script("history", "alice", "--json")[1])
    assert (put["version"], put["action"], put["script"], put["owner"], put["size"]) == (1, "put", "main", "alice", 6)
    assert (put["address"], put["via"], put["status"], put["before"]) == ("command line", "command", "done", None)
    assert again["before"] == put["sha256"]
    assert (renamed["action"], renamed["script"], renamed["to"], renamed["size"]) == ("rename", "main", "other", None)


def test_history_of_one_script_has_what_concerns_it(script):
    for name in ("a", "b"):
        script("put", "alice", name, stdin=A)
        script("activate", "alice", name)
    script("rename", "alice", "a", "c")
    told = json.loads(script("history", "alice", "a", "--json")[1])
    assert [(each["action"], each["script"]) for each in told] == [
        ("put", "a"), ("activate", "a"), ("activate", "b"), ("rename", "a"),
    ]  # fmt: skip


def test_history_shows_what_was_changed_by_hand(script, home):
    script("put", "alice", "main", stdin=A)
    (home / "sieve" / "main.sieve").write_bytes(B)
    assert "  outside  " in script("history", "alice")[1].splitlines()[-1]


def test_history_follows_a_user_who_is_renamed(sievemda, script):
    script("put", "alice", "main", stdin=A)
    assert sievemda("account", "rename", "alice", "alison")[0] == 0
    script("put", "alison", "main", stdin=B)
    told = json.loads(script("history", "alison", "--json")[1])
    assert [(each["version"], each["owner"], each["via"]) for each in told] == [
        (1, "alice", "command"), (2, "alison", "command"),
    ]  # fmt: skip
    assert script("history", "alice")[0] == 67


def test_history_comes_back_with_a_user_who_was_deleted(sievemda, script):
    script("put", "alice", "main", stdin=A)
    assert sievemda("mailbox", "delete", "--yes", "user/alice")[0] == 0
    assert sievemda("mailbox", "undelete", "user/alice")[0] == 0
    assert [each["script"] for each in json.loads(script("history", "alice", "--json")[1])] == ["main"]


def test_who_gets_the_name_of_somebody_deleted_does_not_get_his_history(sievemda, script):
    script("put", "alice", "main", stdin=A)
    assert sievemda("mailbox", "delete", "--yes", "user/alice")[0] == 0
    assert sievemda("mailbox", "create", "user/alice")[0] == 0
    assert json.loads(script("history", "alice", "--json")[1]) == []


def test_history_stays_when_the_home_moves_to_another_partition(sievemda, tmp_path):
    other = ["--set", f"partition-other={tmp_path / 'other'}"]
    sievemda(*other, "script", "put", "alice", "main", stdin=A)
    assert sievemda(*other, "mailbox", "rename", "user/alice", "user/alice", "--partition", "other")[0] == 0
    assert sievemda(*other, "script", "put", "alice", "main", stdin=B)[0] == 0
    told = json.loads(sievemda(*other, "script", "history", "alice", "--json")[1])
    assert [(each["version"], each["via"]) for each in told] == [(1, "command"), (2, "command")]


def test_names_in_the_history_cannot_move_the_cursor(script, home):
    script("put", "alice", "main", stdin=A)
    (home / "sieve" / "x\u202ey.sieve").write_bytes(A)
    assert "\u202e" not in script("history", "alice")[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("history", "nobody"), 67),
        (("history", "alice", "nope"), 67),
        (("diff", "alice", "nope"), 67),
        (("diff", "alice", "main", "9"), 67),
        (("diff", "alice", "main", "x"), 65),
        (("diff", "alice", "main", "1", "2", "3"), 64),
        (("undo", "nobody"), 67),
        (("undo", "alice", "nope"), 67),
        (("undo", "alice", "--to", "9"), 67),
        (("undo", "alice", "--to", "-1"), 65),
        (("get", "alice", "main", "--version", "9"), 67),
        (("get", "alice", "main", "--version", "first"), 65),
        (("get", "alice", "nope", "--version", "1"), 67),
        (("deactivate", "alice", "main"), 67),
    ],
)
def test_what_is_not_there_is_said(script, arguments, code):
    script("put", "alice", "main", stdin=A)
    found, out, err = script(*arguments)
    assert (found, out) == (code, "")
    assert len(err.splitlines()) in (1, 2, 3, 4)


def test_the_administrators_own_scripts_have_a_history(sievemda):
    site = ["--set", "sieve_global=global"]
    assert sievemda(*site, "script", "put", "/global", "lists", stdin=A)[0] == 0
    assert sievemda(*site, "script", "put", "/global", "lists", stdin=C)[0] == 0
    assert sievemda(*site, "script", "undo", "/global")[0] == 0
    assert sievemda(*site, "script", "get", "/global", "lists")[1].encode() == A
    told = json.loads(sievemda(*site, "script", "history", "/global", "--json")[1])
    assert [(each["owner"], each["action"]) for each in told] == [("/global", "put")] * 3
    assert sievemda("script", "list", "/global")[0] == 67


# -- former texts ------------------------------------------------------------------------------------------------------


def test_get_gives_a_script_as_it_was(script):
    for text in (A, B, C):
        script("put", "alice", "main", stdin=text)
    script("rename", "alice", "main", "other")
    script("delete", "alice", "other")
    assert [script("get", "alice", "main", "--version", str(n))[1].encode() for n in (1, 2, 3)] == [A, B, C]
    assert script("get", "alice", "other", "--version", "4")[1].encode() == C
    assert script("get", "alice", "other", "--version", "5")[1].encode() == C
    assert script("get", "alice", "main", "--version", "4")[0] == 67


def test_diff_shows_the_last_change(script):
    for text in (A, B):
        script("put", "alice", "main", stdin=text)
    assert script("diff", "alice", "main")[1].splitlines() == [
        "--- main, version 1", "+++ main, version 2", "@@ -1 +1,2 @@", " keep;", "+stop;",
    ]  # fmt: skip


def test_diff_shows_what_changed_since_a_version_and_between_two(script):
    for text in (A, B, C):
        script("put", "alice", "main", stdin=text)
    assert script("diff", "alice", "main", "1")[1].splitlines()[3:] == ["-keep;", "+discard;"]
    assert script("diff", "alice", "main", "2", "1")[1].splitlines()[3:] == [" keep;", "-stop;"]
    assert script("diff", "alice", "main", "3", "3") == (0, "", "")


def test_diff_shows_a_script_that_came_and_went(script):
    script("put", "alice", "main", stdin=A)
    script("delete", "alice", "main")
    assert script("diff", "alice", "main")[1].splitlines()[3:] == ["-keep;"]
    assert script("diff", "alice", "main", "2", "1")[1].splitlines()[3:] == ["+keep;"]


def test_diff_has_colours_on_a_terminal_alone(tmp_path, script):
    script("put", "alice", "main", stdin=A)
    script("put", "alice", "main", stdin=C)
    assert "\x1b" not in script("diff", "alice", "main")[1]
    command = [sys.executable, "-m", "sievemda", "--data", str(tmp_path / "site"), "script", "diff", "alice", "main"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    shown = b""
    try:
        while block := os.read(terminal, 4096):
            shown += block
    except OSError:
        pass
    os.waitpid(pid, 0)
    assert b"\x1b[32m+discard;" in shown


# -- undo --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commands", "texts", "active"),
    [
        ([("put", "alice", "main")], {}, []),
        ([("put", "alice", "main"), ("put2", "alice", "main")], {"main": A}, []),
        ([("put", "alice", "main"), ("delete", "alice", "main")], {"main": A}, []),
        ([("put", "alice", "main"), ("rename", "alice", "main", "x")], {"main": A}, []),
        ([("put", "alice", "main"), ("activate", "alice", "main")], {"main": A}, []),
        ([("put", "alice", "main"), ("activate", "alice", "main"), ("deactivate", "alice")], {"main": A}, ["main"]),
        (
            [("put", "alice", "a"), ("put", "alice", "b"), ("activate", "alice", "a"), ("activate", "alice", "b")],
            {"a": A, "b": A},
            ["a"],
        ),
        (
            [("put", "alice", "main"), ("activate", "alice", "main"), ("rename", "alice", "main", "x")],
            {"main": A},
            ["main"],
        ),
    ],
)
def test_undo_takes_back_the_last_change_and_is_a_version_that_can_be_undone(script, state, commands, texts, active):
    for action, *arguments in commands:
        script(action.removesuffix("2"), *arguments, stdin=B if action == "put2" else A)
    before = state()
    assert script("undo", "alice", "--dry-run")[0] == 0
    assert state() == before
    assert script("undo", "alice")[0] == 0
    assert state() == (texts, active)
    last = json.loads(script("history", "alice", "--json")[1])[-1]
    assert (last["undoes"], last["via"]) == (len(commands), "undo")
    assert script("undo", "alice")[0] == 0
    assert state() == before


def test_undo_of_one_script_leaves_the_others(script, state):
    for name in ("a", "b"):
        script("put", "alice", name, stdin=A)
    for name in ("a", "b"):
        script("put", "alice", name, stdin=B)
    assert script("undo", "alice", "a")[1].startswith("a becomes what it was before 3: version 5")
    assert state()[0] == {"a": A, "b": B}


def test_undo_passes_over_what_was_stored_as_it_was(script, state):
    for text in (A, B, B):
        script("put", "alice", "main", stdin=text)
    assert script("undo", "alice", "main")[1].startswith("main becomes what it was before 2: version 4")
    assert state()[0] == {"main": A}


def test_a_repository_that_is_not_set_is_told_with_the_setting(script):
    assert script("undo", "/global")[2] == (
        "sievemda: there is no /global; /global, /before and /after are what sieve_global and the like name\n"
    )


def test_undo_takes_back_what_was_done_by_hand(script, state, home):
    script("put", "alice", "main", stdin=A)
    (home / "sieve" / "main.sieve").unlink()
    assert script("undo", "alice")[0] == 0
    assert state()[0] == {"main": A}


def test_undo_to_a_version_brings_one_script_there(script, state):
    for text in (A, B, C):
        script("put", "alice", "main", stdin=text)
    script("put", "alice", "other", stdin=A)
    assert script("undo", "alice", "main", "--to", "1")[0] == 0
    assert state()[0] == {"main": A, "other": A}
    assert script("undo", "alice", "main", "--to", "1")[1] == "nothing to undo\n"
    assert script("undo", "alice", "other", "--to", "3")[0] == 0
    assert state()[0] == {"main": A}
    assert script("undo", "alice", "main", "--to", "3")[0] == 0
    assert state()[0] == {"main": C}


def test_undo_to_a_version_takes_everything_later_back(script, state):
    script("put", "alice", "main", stdin=A)
    script("activate", "alice", "main")
    wanted = state()
    script("put", "alice", "main", stdin=B)
    script("rename", "alice", "main", "x")
    script("put", "alice", "main", stdin=C)
    script("activate", "alice", "main")
    script("delete", "alice", "x")
    told = script("undo", "alice", "--to", "2", "--dry-run")[1].splitlines()
    assert told == ["would be done: main becomes what it was after 2"]
    assert script("undo", "alice", "--to", "2")[0] == 0
    assert state() == wanted


def test_undo_to_a_version_goes_there_at_once_so_that_no_mail_meets_what_lay_in_between(script, state):
    for name in ("main", "b"):
        script("put", "alice", name, stdin=A)
    script("activate", "alice", "main")
    wanted = state()
    for _ in range(2):
        script("deactivate", "alice")
        script("activate", "alice", "b")
        script("rename", "alice", "main", "x")
        script("rename", "alice", "x", "main")
    script("delete", "alice", "main")
    told = script("undo", "alice", "--to", "3")[1].splitlines()
    assert [line.partition(":")[0] for line in told] == ["main becomes what it was after 3", "main is active again"]
    assert state() == wanted


def test_undo_to_a_version_spells_names_as_they_were(script, state):
    script("put", "alice", "u\u0308", stdin=A)
    wanted = state()
    script("rename", "alice", "u\u0308", "\u00fc")
    script("activate", "alice", "\u00fc")
    assert script("undo", "alice", "--to", "1")[0] == 0
    assert state() == wanted


def test_what_comes_back_and_is_not_valid_any_more_is_told(script, state, home):
    script("put", "alice", "main", stdin=A)
    (home / "sieve" / "main.sieve").write_bytes(b"nonsense;")
    script("put", "alice", "main", stdin=B)
    code, _, told = script("undo", "alice")
    assert (code, "main is not valid" in told) == (0, True)
    assert state()[0] == {"main": b"nonsense;"}


@pytest.mark.parametrize(
    ("commands", "undone"),
    [
        ([("put", "main"), ("activate", "main")], ("main", "--to", "1")),  # nothing to do
        ([("put", "main"), ("rename", "main", "x"), ("put", "main")], ("x",)),
        ([("put", "main"), ("activate", "main"), ("put", "b"), ("activate", "b"), ("delete", "main")], None),
    ],
)
def test_undo_refuses_what_cannot_be_and_changes_nothing(script, state, commands, undone):
    for action, *arguments in commands:
        assert script(action, "alice", *arguments, stdin=A)[0] == 0
    before = state()
    if undone is None:
        assert script("undo", "alice", "b")[0] == 77
    else:
        code, out, _ = script("undo", "alice", *undone)
        assert (code, out) in ((0, "nothing to undo\n"), (77, ""))
    assert state() == before


def test_undo_of_a_new_script_that_is_active_is_refused(script, state, home):
    script("put", "alice", "main", stdin=A)
    (home / ".dovecot.sieve").symlink_to("sieve/main.sieve")
    script("undo", "alice")
    assert state() == ({"main": A}, [])
    script("activate", "alice", "main")
    code, _, err = script("undo", "alice", "main", "--to", "1")
    assert code == 0
    assert state() == ({"main": A}, ["main"])
    assert err == ""


def test_nothing_is_known_of_the_time_before_the_first_look(script, state, home):
    (home / "sieve").mkdir()
    (home / "sieve" / "main.sieve").write_bytes(A)
    code, _, err = script("undo", "alice")
    assert code == 77
    assert "nothing is known of the time before it" in err
    assert state()[0] == {"main": A}


def test_what_was_there_at_the_first_look_is_not_deleted_as_if_it_had_not_been(script, state, home):
    """The first look finds one after the other, and all of them were there before."""
    (home / "sieve").mkdir()
    for name in ("a", "b"):
        (home / "sieve" / f"{name}.sieve").write_bytes(A)
    assert len(script("history", "alice")[1].splitlines()) == 2
    assert script("undo", "alice", "b", "--to", "1")[0] == 67
    assert script("diff", "alice", "b", "1", "2")[0] == 67
    assert script("get", "alice", "b", "--version", "1")[0] == 67
    assert state()[0] == {"a": A, "b": A}


def test_a_script_that_has_not_changed_since_is_what_it_was_though_its_upload_is_not_kept(script, sievemda, state):
    script("put", "alice", "quiet", stdin=A)
    for text in (A, B, C):
        sievemda("--set", "sieve_versions=3", "script", "put", "alice", "main", stdin=text)
    assert script("history", "alice", "quiet")[0] == 67
    assert script("get", "alice", "quiet", "--version", "3") == (0, A.decode(), "")
    assert script("diff", "alice", "quiet", "3") == (0, "", "")
    assert script("undo", "alice", "quiet", "--to", "3") == (0, "nothing to undo\n", "")
    assert script("undo", "alice", "other", "--to", "3")[0] == 67
    assert state()[0] == {"quiet": A, "main": C}


def test_what_is_stored_while_an_undo_is_thought_out_is_not_overwritten(script, state, home, monkeypatch):
    """Nobody gets in between the looking and the doing."""
    script("put", "alice", "main", stdin=A)
    script("put", "alice", "main", stdin=B)
    last, free = Undo.last, []

    def looked_at(self, name=""):
        steps = last(self, name)
        folder = os.open(home / "sieve", os.O_RDONLY)
        with suppress(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as whoever stores a script does first
            free.append(True)
        os.close(folder)
        return steps

    monkeypatch.setattr(Undo, "last", looked_at)
    assert script("undo", "alice", "main")[0] == 0
    assert not free
    assert state()[0] == {"main": A}
    assert script("undo", "alice", "main", "--dry-run")[0] == 0
    assert free  # who only asks holds up nobody


def test_a_text_that_is_not_kept_any_more_cannot_come_back(script, sievemda, state):
    for text in (A, B, C):
        sievemda("--set", "sieve_versions=1", "script", "put", "alice", "main", stdin=text)
    code, _, err = script("undo", "alice", "--to", "1")
    assert (code, state()[0]) == (67, {"main": C})
    assert script("undo", "alice")[0] == 0
    assert state()[0] == {"main": B}
    assert "version 1" in err


# -- the administrator's own scripts -----------------------------------------------------------------------------------


@pytest.fixture
def site(sievemda, tmp_path):
    """Commands of a site with scripts of its own, some of them for each domain."""
    (tmp_path / "site.toml").write_text(
        f'data = "{tmp_path}/site"\n[sieve]\nsieve_global = "{tmp_path}/global"\nsieve_before = ["{tmp_path}/b/{{domain}}"]\n'
    )

    def command(*arguments, stdin=b""):
        return sievemda("--config", str(tmp_path / "site.toml"), "script", *arguments, stdin=stdin)

    return command


@pytest.mark.parametrize("owner", ["/global", "/before", "/before@example.org"])
def test_what_is_done_to_scripts_of_the_site_is_told_and_taken_back(site, owner):
    site("put", owner, "all", stdin=A)
    site("put", owner, "all", stdin=B)
    first, _ = site("history", owner)[1].splitlines()
    assert "command line" in first
    assert site("diff", owner, "all")[1].endswith("+stop;\n")
    assert site("undo", owner) == (0, "all becomes what it was before 2: version 3\n", "")
    assert site("get", owner, "all")[1].encode() == A
    for change in (("rename", owner, "all", "other"), ("delete", owner, "all")):
        site(*change)
        assert site("undo", owner)[0] == 0
        assert site("list", owner)[1] == "all\n"


def test_a_repository_is_one_however_its_domain_is_written(site):
    assert site("put", "/before@Example.ORG", "all", stdin=A)[0] == 0
    assert site("put", "/before@example.org", "all", stdin=B)[0] == 0
    told = json.loads(site("history", "/before@EXAMPLE.org", "--json")[1])
    assert [each["via"] for each in told] == ["command", "command"]


def test_what_an_editor_did_to_scripts_of_the_site_is_noticed(site, tmp_path):
    site("put", "/global", "all", stdin=A)
    (tmp_path / "global" / "all.sieve").write_bytes(C)
    assert "outside" in site("history", "/global")[1].splitlines()[-1]
    assert site("undo", "/global")[0] == 0
    assert (tmp_path / "global" / "all.sieve").read_bytes() == A


def test_scripts_of_the_site_are_not_activated(site):
    site("put", "/global", "all", stdin=A)
    code, _, told = site("activate", "/global", "all")
    assert (code, "settings" in told) == (65, True)
    assert site("list", "/global")[1] == "all\n"


@pytest.mark.parametrize("owner", ["/global", "/before", "/before@example.org"])
def test_who_only_looks_at_scripts_of_the_site_makes_no_directory_for_them(site, tmp_path, owner):
    before = sorted(tmp_path.iterdir())
    commands = {("list",): 0, ("history",): 67, ("history", "--json"): 0, ("get", "all"): 67}
    for (command, *more), code in commands.items():
        assert site(command, owner, *more)[0] == code, command
    assert [path for path in sorted(tmp_path.iterdir()) if path not in before and path.name != "site"] == []
    assert site("put", owner, "all", stdin=A)[0] == 0
    assert site("list", owner)[1] == "all\n"
