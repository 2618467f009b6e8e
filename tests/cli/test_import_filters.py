"""`sievemda import forward | procmail | maildrop`."""

import json
import os

import pytest

RULES = ":0:\n* ^Subject:.*lists\nLists/\n"
IMPOSSIBLE = ":0\n* ? test -f x\nnever/\n"


@pytest.fixture
def given(tmp_path):
    """A file of rules; its path."""

    def write(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def alice(call):
    assert call("mailbox", "create", "user/alice")[0] == 0


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("forward", ".forward", "~/mail/Lists\n"),
        ("procmail", ".procmailrc", RULES),
        ("maildrop", ".mailfilter", 'if (/^Subject:.*lists/)\n{\n  to "mail/Lists"\n}\n'),
    ],
)
def test_without_a_user_the_script_is_printed_and_the_report_beside_it(call, given, kind, name, text):
    code, out, err = call("import", kind, given(name, text))
    assert code == 0
    assert 'fileinto :create "Lists";' in out
    assert err.endswith(" exact, 0 approximate, 0 impossible\n")


def test_what_is_impossible_shows_in_the_exit_code(call, given):
    code, out, err = call("import", "procmail", given("rc", IMPOSSIBLE))
    assert code == 1
    assert "# rc:1 (impossible): the exit code of a program cannot be asked for\n" in out
    assert err.startswith("rc:1: impossible: ")


def test_a_user_gets_it_as_a_script_that_is_not_active(call, given, alice):
    code, out, err = call("import", "procmail", given("rc", RULES), "alice")
    assert (code, err) == (0, "")
    assert "rc:1: exact" in out
    assert call("script", "list", "alice")[1] == "procmail\n"
    assert 'fileinto :create "Lists";' in call("script", "get", "alice", "procmail")[1]


def test_it_can_be_made_active_and_be_done_again(call, given, alice):
    rules = given("rc", RULES)
    for _ in range(2):
        assert call("import", "procmail", rules, "alice", "--activate", "--name", "main")[0] == 0
    assert call("script", "list", "alice")[1] == "main ACTIVE\n"


def test_another_script_is_not_overwritten(call, given, alice):
    assert call("import", "procmail", given("rc", RULES), "alice")[0] == 0
    other = given("other", ":0\nx/\n")
    code, _, err = call("import", "procmail", other, "alice")
    assert code == os.EX_CANTCREAT
    assert err == "sievemda: alice has a script procmail already: give another --name, or --force\n"
    assert call("import", "procmail", other, "--user", "alice", "--force")[0] == 0
    assert '"x"' in call("script", "get", "alice", "procmail")[1]


def test_a_dry_run_stores_nothing(call, given, alice):
    code, out, _ = call("import", "procmail", given("rc", RULES), "alice", "--dry-run", "--activate")
    assert code == 0
    assert "fileinto" in out
    assert call("script", "list", "alice")[1] == ""


def test_a_program_reads_the_report_as_json(call, given, tmp_path):
    target = tmp_path / "out.sieve"
    code, out, _ = call("import", "procmail", given("rc", RULES + IMPOSSIBLE), "--json", "-o", str(target))
    report = json.loads(out)
    assert code == 1
    assert (report["verdict"], report["exact"], report["impossible"], report["stored"]) == ("impossible", 1, 1, None)
    assert report["rules"][0] == {
        "file": "rc",
        "line": 1,
        "source": ":0:\n* ^Subject:.*lists\nLists/",
        "verdict": "exact",
        "why": "",
        "instead": 'if header :contains "Subject" "lists" {\n    fileinto :create "Lists";\n    stop;\n}',
    }
    assert target.read_text() == report["script"]


def test_a_folder_is_called_what_the_site_calls_it(call, given):
    rules = given("rc", ":0\nLists/a/\n")
    assert (
        'fileinto :create "Lists.a";' in call("--set", "names.unixhierarchysep=false", "import", "procmail", rules)[1]
    )
    code, out, _ = call("--set", "names.altnamespace=false", "import", "procmail", rules)
    assert (code, 'fileinto :create "INBOX/Lists/a";' in out) == (0, True)


def test_files_beside_it_are_read_and_no_others(call, given, tmp_path):
    (tmp_path / "sub").mkdir()
    given("sub/lists.rc", ":0\nlists/\n")
    secret = tmp_path.parent / "secret"
    secret.write_text(":0\nsecret/\n")
    (tmp_path / "link.rc").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.rc")
    includes = "".join(f"INCLUDERC={one}\n" for one in ("link.rc", "../secret", secret, "pipe.rc", "sub/lists.rc"))
    code, out, _ = call("import", "procmail", given("rc", includes))
    assert code == 1
    assert '"lists"' in out
    assert '"secret"' not in out
    assert out.count("(impossible)") == 4


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("missing",), os.EX_DATAERR, "No such file"),
        ((".",), os.EX_DATAERR, "Is a directory"),
        (("rc", "--user", "nobody"), os.EX_NOUSER, "there is no user nobody"),
        (("rc", "--activate"), os.EX_USAGE, "--activate needs the USER"),
        (("rc", "-o", "/nonexistent/x"), os.EX_DATAERR, "No such file"),
        (("rc", "--user", "alice", "--name", "a/b"), os.EX_DATAERR, "script name"),
        ((), os.EX_USAGE, "FILE"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(
    call, given, alice, monkeypatch, tmp_path, arguments, code, complaint
):
    given("rc", RULES)
    monkeypatch.chdir(tmp_path)
    found, out, err = call("import", "procmail", *arguments)
    assert (found, out) == (code, "")
    assert complaint in err
