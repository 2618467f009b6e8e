"""Broken scripts: every mistake is told once, where it is, with how to mend it; nothing that follows from it is told."""

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.check import check_script
from tests.sieve.survey.mistakes import GOOD, MISTAKES


def errors(script):
    return [problem for problem in check_script(script.encode(), Limits()) if problem.severity == "error"]


def line_of(before, further=0):
    return GOOD[: GOOD.index(before)].count("\n") + 1 + further


def test_the_script_without_mistakes_has_no_problem():
    assert len(GOOD.splitlines()) > 100
    assert check_script(GOOD.encode(), Limits()) == ()


@pytest.mark.parametrize("mistake", [one for kind in MISTAKES.values() for one in kind], ids=lambda one: one[1][:40])
def test_one_mistake_is_one_problem(mistake):
    before, after, code, hint, *further = mistake
    (problem,) = errors(GOOD.replace(before, after, 1))
    assert (problem.line, problem.code) == (line_of(before, *further), code)
    assert hint in problem.hint


@pytest.mark.parametrize("kind", MISTAKES)
def test_ten_mistakes_in_a_hundred_lines_are_ten_problems_with_hints(kind):
    script, expected = GOOD, []
    for before, after, code, hint, *_ in MISTAKES[kind]:
        assert before in script
        script = script.replace(before, after, 1)
        expected.append((code, hint))
    found = errors(script)
    assert len(found) == len(MISTAKES[kind]) == 10
    for code, hint in expected:
        assert any(problem.code == code and hint in problem.hint for problem in found)
    assert all(problem.hint and problem.end_column > problem.column for problem in found)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("if true { keep; };\nstop;", ["1:18 syntax"]),
        ('if header :contains "a" "b" then { keep; }', ["1:29 syntax"]),
        ('if header "a" "b"\n  discard;\nkeep;', ["1:18 missing-brace"]),
        ('if header "a" "b" { discard;\nkeep;', ["1:19 missing-brace"]),
        ("if true { keep; } else if false { stop; } else { stop; }", ["1:19 no-if"]),
        ('if header :is "a" "b" && header "c" "d" || true { keep; }', ["1:23 syntax"]),
        ('IF (header "a" "b") || (header "c" "d") { keep; }', ["1:21 syntax"]),
        ("/* never closed\nkeep;", ["1:1 syntax"]),
        ('redirect "bob@example.org;\nkeep;', ["1:10 syntax"]),
        ("keep,\nstop;", ["1:5 syntax"]),
        ('require "fileinto"\nrequire "copy";\nfileinto :copy "x";', ["1:19 missing-semicolon"]),
        ('require "frobnicate"; keep 5;', ["1:9 unknown-capability", "1:23 argument-count"]),
        ('if header :comparator i;octet "a" "b" { keep; }', ["1:23 syntax"]),
        ("frob 1; frob 2; if frob { frob; }", ["1:1 unknown-command"]),
        (b"\xef\xbb\xbfkeep".decode(), ["1:5 missing-semicolon"]),
        ("keep;\r\nstop\r\n", ["2:5 missing-semicolon"]),
        ("if false { frob; }\nkeep", ["2:5 missing-semicolon"]),
        (('if exists "a" {\n  if allof (true,\n            true) {\n    keep;\n  }\nif allof (true,\n'
         "          false) {\n  stop;\n}\n"), ["1:15 missing-brace"]),
        ('require "imap4flags"; mark "x";', ["1:23 unknown-command"]),
        ('if true { redirect "bob@example.org\n}', ["1:20 syntax"]),
        ('if header "a" "b" { stop; } elsf header "a" "c" { stop; } else { keep; }', ["1:29 unknown-command"]),
        ('fi header "a" "b" { stop; } else { keep; }', ["1:1 unknown-command"]),
        ('if exists ["a",, "b"] { keep; }', ["1:16 syntax"]),
        ('if exists [["a", "b"] { keep; }', ["1:12 syntax"]),
        ('if exists ("a", "b"] { keep; }', ["1:11 syntax"]),
        ('if exists "a", "b"] { keep; }', ["1:14 syntax"]),
        ('if exists [a", "b", "c"] { keep; }', ["1:12 syntax"]),
        ('if header :is x-a" "b" { keep; }', ["1:15 syntax"]),
        ('if header :is "x-a "b" { keep; }', ["1:15 syntax"]),
        ('if exists "a" {{ keep; }\nkeep;', ["1:16 syntax"]),
        ('if exists "a" {\n  keep;\n)\nkeep;', ["3:1 syntax"]),
        ('require "vacation"; vacation :days 7\n  subject "a"\n  "b";', ["2:3 missing-colon"]),
        ('if exists ["a, "b", "c"] { keep; }', ["1:12 syntax"]),
        ('if header "a" "b" then discard; end\nkeep;', ["1:19 missing-brace"]),
        ("if true then\n  stop;\n  keep;\nelse\n  discard;\nendif", ["1:9 missing-brace", "4:5 missing-brace", "6:1 unknown-command"]),
        ('if anyof header "a" "b", header "c" "d" { keep; }', ["1:4 tests"]),
        ('if anyof [header "a" "b", not exists "c"] { keep; }', ["1:10 syntax"]),
        ('require "fileinto"; fileInto("A");', ["1:29 syntax"]),
        ('require "fileinto"; file into "A";', ["1:21 unknown-command"]),
        ('require "variables"; set "a" = "b";', ["1:30 syntax"]),
        ('require fileinto, copy;\nfileinto :copy "A";', ["1:9 syntax"]),
        ('import "fileinto";\nrequires "copy";\nfileinto :copy "A";', ["1:1 unknown-command", "2:1 unknown-command"]),
        ('require "vacation";\nvacation text:\nAway\nkeep;\n', ["2:10 syntax"]),
    ],
)  # fmt: skip
def test_problems_stand_where_the_mistake_is(script, expected):
    assert [f"{problem.line}:{problem.column} {problem.code}" for problem in errors(script)] == expected


def test_syntax_does_not_hide_what_is_wrong_with_commands():
    script = 'require ["fileinto";\nif header :is ["a" "b"] "c" { fileinto 5; }\nredirect "nobody";\nkeep'
    assert [problem.line for problem in errors(script)] == [1, 2, 2, 3, 4]


def test_the_line_of_the_require_is_named():
    (problem,) = errors('# comment\nrequire "copy";\nfileinto :copy "x";')
    assert problem.hint == 'add require ["fileinto"]; (or "fileinto" to the list in line 2)'


def test_a_tag_of_an_extension_asks_for_it_only_where_that_has_it():
    (kept,) = errors('keep :flags "x";')
    (discarded,) = errors('require "copy"; discard :copy;')
    assert 'require ["imap4flags"]' in kept.hint
    assert "require" not in discarded.hint


def test_what_the_site_does_not_allow_is_said():
    found = check_script(b'fileinto "x";', Limits(), frozenset({"copy"}))
    assert found[0].hint == "it needs 'fileinto', which is not allowed here"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('redirect "a@b.example, c@d.example";', "each has a command of its own"),
        ('require "variables"; set "a-b" "c";', "letters, digits and _"),
        ('require "relational"; if header :value ">=" "a" "1" { keep; }', 'write "ge"'),
        ('require "relational"; if header :count "less" "a" "1" { keep; }', 'write "lt"'),
        ('if address "subject" "x" { keep; }', 'write header :contains "subject"'),
        ('require "envelope"; if envelope "sender" "x" { keep; }', "did you mean 'from'?"),
        ('redirect "bob@example.org\nkeep;', 'write "bob@example.org";'),
        ('mov "A";', "did you mean 'fileinto'?"),
        ('mark "A";', "did you mean 'addflag'?"),
        ('if header "a" 5 { keep; }', "write strings in quotes"),
        ('if header "a" "b", header "c" "d" { keep; }', "allof (test, test)"),
        ('require "fileinto"; fileinto("A");', 'write fileinto "A"'),
        ("require fileinto, copy;", 'write ["fileinto", "copy"]'),
    ],
)
def test_a_hint_says_what_to_write(script, expected):
    (problem,) = errors(script)
    assert expected in problem.hint
