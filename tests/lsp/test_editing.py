"""What is wrong, how it is mended, laid out and coloured."""

import pytest
from lsprotocol.types import DiagnosticSeverity, Position, Range

from sievemda.lsp.checking import diagnostics
from sievemda.lsp.layout import differences, formatting
from sievemda.lsp.mending import code_actions
from sievemda.lsp.tokens import LEGEND, semantic_tokens
from sievemda.sieve.format import format_script
from tests.lsp.scripts import applied, document


def spoken(found):
    """The text that each problem is about."""
    places = [(found.lines.offset(one.range.start), found.lines.offset(one.range.end)) for one in diagnostics(found)]
    return [found.text[start:end] for start, end in places]


# -- problems --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keeep;", ["keeep"]),
        ('if header :contain "a" "b" {}', [":contain"]),
        ('require "fileintoo";', ['"fileintoo"']),
        ('fileinto "é📫"; keeep;', ["fileinto", "keeep"]),
        ("keep;\r\nkeeep;\r\n", ["keeep"]),
        ("\ufeffkeeep;", ["keeep"]),
        ("\ufeffkeep;\nkeeep;", ["keeep"]),
        ("/* \u2028 \x0b */ keeep;", ["keeep"]),
        ("# a\rb\nkeeep;", ["keeep"]),
    ],
)
def test_a_problem_is_about_the_words_that_are_wrong(text, words):
    assert spoken(document(text)) == words


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 21), ("utf-16", 18), ("utf-32", 17)])
def test_places_are_in_units_of_the_encoding(encoding, column):
    found = document('redirect "é📫@x"; keeep;', encoding=encoding)
    place = next(one.range for one in diagnostics(found) if "keeep" in one.message)
    assert (place.start.character, place.end.character) == (column, column + 5)


def test_a_problem_has_a_severity_a_code_a_source_and_a_hint():
    (problem,) = diagnostics(document("keeep;"))
    assert problem.severity is DiagnosticSeverity.Error
    assert problem.source == "sievemda"
    assert problem.code
    assert "did you mean 'keep'" in problem.message


def test_warnings_are_warnings():
    (problem,) = diagnostics(document('require "include"; include "missing";'))
    assert problem.severity is DiagnosticSeverity.Warning


def test_problems_behind_a_syntax_error_are_told_too():
    assert len(diagnostics(document('if header "a" "b" { keep }\nkeeep;\ndiscardd;\n'))) == 3


def test_a_script_that_is_too_large_is_one_problem():
    (problem,) = diagnostics(document("# " + "x" * (1 << 20)))
    assert "too large" in problem.message


def test_what_the_server_does_not_allow_is_a_problem():
    (problem,) = diagnostics(document('require "vacation";\nvacation "x";', available=frozenset({"fileinto"})))[:1]
    assert "not allowed" in problem.message


@pytest.mark.parametrize("text", ['"', "if header :contains", "text:\nabc", "/*", "{", "require [", "if", "keep"])
def test_a_problem_at_the_end_has_a_place_within_the_text(text):
    found = document(text)
    problems = diagnostics(found)
    assert problems
    for one in problems:
        assert 0 <= found.lines.offset(one.range.start) < found.lines.offset(one.range.end) <= len(text)


# -- quick fixes -----------------------------------------------------------------------------------------------


def fixes(found):
    whole = found.lines.range(0, len(found.text))
    return {
        action.title: applied(found.text, *action.edit.changes[found.uri]) for action in code_actions(found, whole, [])
    }


@pytest.mark.parametrize(
    ("text", "title", "after"),
    [
        ('fileinto "A";', 'Add require "fileinto"', 'require ["fileinto"];\nfileinto "A";'),
        (
            'require "copy";\nfileinto :copy "A";',
            'Add require "fileinto"',
            'require ["copy", "fileinto"];\nfileinto :copy "A";',
        ),
        ("keeep;", "Change to keep", "keep;"),
        ('if headr "a" "b" {}', "Change to header", 'if header "a" "b" {}'),
        ('if header :contain "a" "b" {}', "Change to :contains", 'if header :contains "a" "b" {}'),
        ('require "fileintoo";', "Change to fileinto", 'require "fileinto";'),
        ("if true {keep;} elseif false {stop;}", "Change to elsif", "if true {keep;} elsif false {stop;}"),
        ("if true {keep;} else if false {stop;}", "Write elsif", "if true {keep;} elsif false {stop;}"),
        ('if header contains "a" "b" {}', "Write :contains", 'if header :contains "a" "b" {}'),
        ('if header : is "a" "b" {}', "Write :is", 'if header :is "a" "b" {}'),
        ("if !true {keep;}", "Write not", "if not true {keep;}"),
        ("redirect 'a@b';", 'Write "a@b"', 'redirect "a@b";'),
        ("redirect “a@b”;", 'Write "a@b"', 'redirect "a@b";'),
        ("if true {keep # why\n}", "Add ';'", "if true {keep; # why\n}"),
        ("keep\nstop;", "Add ';'", "keep;\nstop;"),
    ],
)
def test_a_hint_can_be_followed(text, title, after):
    assert fixes(document(text))[title] == after


def test_everything_that_is_missing_is_added_at_once():
    found = document('fileinto "A";\nvacation "x";')
    after = fixes(found)["Add everything that is missing to require (fileinto, vacation)"]
    assert after == 'require ["fileinto", "vacation"];\nfileinto "A";\nvacation "x";'


def test_only_what_is_in_the_range_is_mended():
    found = document("keeep;\ndiscardd;")
    titles = [one.title for one in code_actions(found, Range(Position(1, 0), Position(1, 3)), [])]
    assert titles == ["Change to discard"]


def test_a_fix_names_the_problem_that_it_mends():
    found = document("keeep;")
    given = diagnostics(found)
    (action,) = code_actions(found, Range(Position(0, 0), Position(0, 0)), given)
    assert action.diagnostics == given


def test_a_script_without_problems_has_nothing_to_mend():
    assert fixes(document("keep;")) == {}


# -- layout ----------------------------------------------------------------------------------------------------

MESSY = 'require "fileinto";\nif header "a" "b" {\nfileinto   "x";\n}\n\n\n\nif   true{keep;}\n# end\n'


@pytest.mark.parametrize(
    "text", [MESSY, MESSY.replace("\n", "\r\n"), "\ufeff" + MESSY, "keep;", "", "keep ;", "\n\nkeep;"]
)
def test_the_edits_make_the_canonical_layout(text):
    assert applied(text, *formatting(document(text))) == format_script(text)


def test_a_script_that_is_laid_out_has_no_edits():
    assert formatting(document(format_script(MESSY))) == []


def test_a_script_that_does_not_parse_is_not_touched():
    assert formatting(document("if header { keep }")) is None


def test_lines_that_do_not_change_are_in_no_edit():
    (edit,) = formatting(document("# a\nkeep;\nif   true { stop; }\n# b\n"))
    assert (edit.range.start.line, edit.range.end.line) == (2, 3)


def test_of_a_range_only_its_lines_change():
    text = "keep   ;\nstop   ;\n"
    edits = formatting(document(text), Range(Position(1, 0), Position(1, 3)))
    assert applied(text, *edits) in {"keep   ;\nstop;\n", "keep;\nstop;\n"}
    assert applied(
        "keep   ;\n\nif true { stop; }\n\nstop   ;\n",
        *formatting(document("keep   ;\n\nif true { stop; }\n\nstop   ;\n"), Range(Position(4, 0), Position(4, 1))),
    ).startswith("keep   ;\n")


def test_differences_make_the_new_text_whatever_it_is():
    for old, new in [("a\nb\n", "c\n"), ("", "x"), ("x", ""), ("a b\n", "a\nb\n"), ("a\n\n\nb", "a\nb\n")]:
        text = old
        for start, end, part in reversed(list(differences(old, new))):
            text = text[:start] + part + text[end:]
        assert text == new


# -- colours ---------------------------------------------------------------------------------------------------


def coloured(text):
    found = document(text)
    data, line, column, pieces = semantic_tokens(found).data, 0, 0, []
    for at in range(0, len(data), 5):
        down, right, length, kind, _ = data[at : at + 5]
        line, column = line + down, (0 if down else column) + right
        start = found.lines.offset(Position(line, column))
        end = found.lines.offset(Position(line, column + length))
        pieces.append((found.text[start:end], LEGEND.token_types[kind]))
    return pieces


def test_words_are_coloured_by_what_they_are():
    assert coloured('# c\nif header :is "📫" "b" { redirect "x"; }') == [
        ("# c", "comment"), ("if", "keyword"), ("header", "method"), (":is", "parameter"), ('"📫"', "string"),
        ('"b"', "string"), ("redirect", "function"), ('"x"', "string"),
    ]  # fmt: skip


def test_variables_are_coloured_in_strings():
    found = coloured('require "variables"; redirect "a${b}c";')
    assert found[-3:] == [('"a', "string"), ("${b}", "variable"), ('c"', "string")]


def test_a_token_of_several_lines_is_coloured_line_by_line():
    assert coloured("/* a\n\n b */")[0:2] == [("/* a", "comment"), (" b */", "comment")]
