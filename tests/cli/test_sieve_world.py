"""The world that a dry run takes place in."""

import json

import pytest

from sievemda.cli.main import run

MESSAGE = b"From: Bob <bob@example.net>\nTo: alice@example.org\nSubject: hello\nMessage-ID: <1@x>\n\nhello\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    return tmp_path


@pytest.fixture
def tried(files, capsys):
    def call(script, *options, code=0):
        (files / "s.sieve").write_text(script)
        assert run(["sieve", "run", "--json", *options, "s.sieve", "m.eml"]) == code
        return json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def shown(files, capsys):
    def call(script, *options):
        (files / "s.sieve").write_text(script)
        run(["sieve", "run", *options, "s.sieve", "m.eml"])
        return capsys.readouterr().out

    return call


def names(found):
    return [action.get("mailbox", action["action"]) for action in found["actions"]]


def put(files, name, text):
    path = files / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


FILE = 'require ["fileinto", "copy"]; fileinto :copy "%s";'
INCLUDE = 'require "include"; include "other"; include :global "other";'


def test_included_scripts_lie_beside_the_script(files, tried):
    put(files, "included/other.sieve", FILE % "own")
    put(files, "included-global/other.sieve", FILE % "global")
    put(files, "other.sieve", "discard;")
    assert names(tried(INCLUDE)) == ["own", "global", "keep"]


def test_they_may_lie_in_the_same_directory(files, tried):
    put(files, "other.sieve", FILE % "own")
    assert names(tried('require "include"; include "other";')) == ["own", "keep"]


def test_they_may_lie_elsewhere(files, tried):
    put(files, "a/other.sieve", FILE % "a")
    put(files, "b/third.sieve", FILE % "b")
    script = 'require "include"; include "other"; include "third";'
    assert names(tried(script, "--include", "a", "--include", "b")) == ["a", "b", "keep"]


def test_one_that_is_missing_is_an_error_of_the_run(tried):
    found = tried('require "include";\ninclude "other";', code=1)
    (problem,) = found["problems"]
    assert (problem["line"], problem["text"]) == (2, "the personal script 'other' to include does not exist")


def test_a_script_that_includes_itself_is_an_error_of_the_run(tried):
    assert "circular" in tried('require "include"; include "s";', code=1)["problems"][0]["text"]


def test_what_is_of_an_included_script_says_so(files, tried, shown):
    put(files, "other.sieve", '\nrequire ["fileinto", "vnd.dovecot.debug"];\nif true { fileinto "x"; debug_log "hi"; }')
    script = 'require "include"; if true { include "other"; }'
    found = tried(script)
    assert [test.get("script") for test in found["tests"]] == [None, "other"]
    assert found["actions"][0]["script"] == "other"
    assert found["notes"] == [{"line": 3, "text": "hi", "script": "other"}]
    assert "\nother\nline 3: if true\n    matched: it is so for every message\n" in shown(script)
    assert 'log\n  other line 3: hi\nactions\n  fileinto "x" (other line 3)\n' in shown(script)


def test_check_warns_of_what_is_not_there_when_it_is_told_where_to_look(files, capsys):
    put(files, "s.sieve", 'require "include"; include "other";')
    assert run(["sieve", "check", "s.sieve"]) == 0
    assert capsys.readouterr().out == ""
    assert run(["sieve", "check", "--include", ".", "s.sieve"]) == 0
    assert "s.sieve:1:20: warning: there is no personal script 'other' to include" in capsys.readouterr().out


def test_scripts_run_in_a_row(files, tried):
    put(files, "one.sieve", FILE % "one")
    put(files, "two.sieve", FILE % "two")
    found = tried(FILE % "mine", "--before", "one.sieve", "--after", "two.sieve")
    assert names(found) == ["one", "mine", "two", "keep"]
    assert [action.get("script") for action in found["actions"]] == ["one.sieve", None, "two.sieve", None]


def test_the_row_ends_where_no_keep_is_due(files, tried):
    put(files, "two.sieve", FILE % "two")
    assert names(tried("discard;", "--after", "two.sieve")) == ["discard"]


def test_what_is_wrong_with_one_of_them_is_said_with_its_name(files, tried, shown):
    put(files, "one.sieve", "frob;")
    (problem,) = tried("keep;", "--before", "one.sieve", code=1)["problems"]
    assert problem["script"] == "one.sieve"
    said = shown("keep;", "--before", "one.sieve")
    assert said.startswith("one.sieve:1:1: error: unknown command 'frob'\n    frob;\n    ^")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-01T12:30:00+01:00", "2026-03-01T12:30:00+01:00"),
        ("2026-03-01", "2026-03-01T00:00:00"),
        ("Sun, 1 Mar 2026 12:30:00 +0100", "2026-03-01T12:30:00+01:00"),
    ],
)
def test_the_time_of_the_run_can_be_chosen(now, expected):
    from sievemda.cli.sieve_world import moment

    assert moment(now).isoformat().startswith(expected)
    assert moment(now).tzinfo is not None


def test_what_duplicate_has_seen(tried):
    script = 'require "duplicate"; if duplicate { discard; }'
    assert names(tried(script)) == ["keep"]
    assert names(tried(script, "--seen", "<1@x>")) == ["discard"]
    handle = 'require "duplicate"; if duplicate :handle "a" { discard; }'
    assert names(tried(handle, "--seen", "<1@x>")) == ["discard"]


@pytest.mark.parametrize("handle", ["", ':handle "b:a"', ':handle "a\\\\"'])
def test_what_duplicate_has_seen_is_the_whole_value(tried, handle):
    script = f'require "duplicate"; if duplicate {handle} :uniqueid "a:b" {{ discard; }}'
    assert names(tried(script, "--seen", "b")) == ["keep"]
    assert names(tried(script, "--seen", "a:b")) == ["discard"]


def test_special_uses_annotations_and_lists(tried):
    script = """require ["special-use", "mboxmetadata", "servermetadata", "extlists", "fileinto", "copy"];
    if specialuse_exists "Spam" "\\\\Junk" { fileinto :copy "use"; }
    if metadata "Lists" "/shared/comment" "yes" { fileinto :copy "box"; }
    if servermetadata "/shared/admin" "x" { fileinto :copy "server"; }
    if header :list "subject" "tag:example.com,2026:s" { fileinto :copy "list"; }"""
    options = (
        "--special-use",
        "Spam=\\Junk",
        "--metadata",
        "Lists/shared/comment=yes",
        "--metadata",
        "/shared/admin=x",
    )
    found = tried(script, *options, "--list", "tag:example.com,2026:s=hello,you")
    assert names(found) == ["use", "box", "server", "list", "keep"]
    assert names(tried(script, "--list", "tag:example.com,2026:s=other")) == ["keep"]


@pytest.mark.parametrize(
    "option",
    [["--now", "soon"], ["--env", "x"], ["--special-use", "=x"], ["--metadata", "Lists/comment=x"], ["--list", "x"]],
)
def test_an_option_that_says_nothing_is_wrong_usage(files, capsys, option):
    put(files, "s.sieve", "keep;")
    assert run(["sieve", "run", *option, "s.sieve", "m.eml"]) == 2
    assert option[0] in capsys.readouterr().err


def test_a_setting_holds_for_one_run(tried):
    script = 'redirect "a@b.example"; redirect "c@d.example";'
    assert len(tried(script)["actions"]) == 2
    assert "policy limit" in tried(script, "--set", "sieve_max_redirects=1", code=1)["problems"][0]["text"]


def test_without_settings_every_capability_may_be_required(tried):
    assert names(tried('require "vnd.dovecot.pipe"; keep;')) == ["keep"]
