"""Going to what a name stands for, the outline of a script, and what can be folded."""

import pytest
from lsprotocol.types import FoldingRangeKind

from sievemda.lsp.navigation import definition, folding, highlights, references, symbols
from tests.lsp.scripts import at_cursor, document


def goes_to(text, file):
    found, position = at_cursor(text, uri=file)
    return definition(found, position)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ('include "li|sts";', "lists.sieve"),
        ('include :personal "lists|";', "lists.sieve"),
        ('include :once :optional "|lists";', "lists.sieve"),
        ('include "inner|";', "included/inner.sieve"),
        ('include :global "spa|m";', "included-global/spam.sieve"),
    ],
)
def test_an_include_goes_to_its_script(tmp_path, command, place):
    for name in ("lists.sieve", "included/inner.sieve", "included-global/spam.sieve"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("keep;")
    found = goes_to(f'require "include";\n{command}', tmp_path / "mine.sieve")
    assert found.uri == (tmp_path / place).as_uri()
    assert (found.range.start.line, found.range.start.character) == (0, 0)


@pytest.mark.parametrize(
    "command", ['include "no|ne";', 'include "../sec|ret";', 'include "|";', 'include "a\0|b";', "incl|ude"]
)
def test_an_include_of_nothing_goes_nowhere(tmp_path, command):
    (tmp_path.parent / "secret.sieve").write_text("keep;")
    assert goes_to(f'require "include";\n{command}', tmp_path / "mine.sieve") is None


def test_a_script_is_looked_for_where_the_server_was_told(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "lists.sieve").write_text("keep;")
    found, position = at_cursor('include "li|sts";', uri=tmp_path / "a.sieve", include=(str(tmp_path / "there"),))
    assert definition(found, position).uri == (tmp_path / "there" / "lists.sieve").as_uri()


def test_a_script_under_test_is_opened(tmp_path):
    (tmp_path / "work.sieve").write_text("keep;")
    found, position = at_cursor(
        'require "vnd.dovecot.testsuite"; test "x" { if test_script_compile "wor|k.sieve" {} }',
        uri=tmp_path / "work.svtest",
        testing=True,
    )
    assert definition(found, position).uri == (tmp_path / "work.sieve").as_uri()


SCRIPT = 'require ["variables", "fileinto"];\nset :lower "Who" "x";\nset "who" "y";\nfileinto "${WHO}/${other}";\n'


def test_a_variable_goes_to_where_it_is_first_set():
    found, position = at_cursor(SCRIPT.replace("${W", "${|W"))
    place = definition(found, position)
    assert (place.uri, place.range.start.line, place.range.start.character) == (found.uri, 1, 11)


def test_a_variable_that_is_set_nowhere_goes_nowhere():
    found, position = at_cursor(SCRIPT.replace("other", "oth|er"))
    assert definition(found, position) is None


def test_every_place_of_a_variable_is_found():
    found, position = at_cursor(SCRIPT.replace('"who', '"w|ho'))
    places = [(place.start.line, place.start.character) for place in references(found, position)]
    assert places == [(1, 11), (2, 4), (3, 10)]
    assert [light.range for light in highlights(found, position)] == references(found, position)


# -- outline ---------------------------------------------------------------------------------------------------

RULES = """require "fileinto";
# rule:[Lists]
if header :contains "list-id" "x" {
    fileinto "Lists";
    # deep
    if true { keep; }
}
# rule:[Rest]
elsif size :over 1M
{
    discard;
}
else { keep; }
"""


def outline(items):
    return [(item.name, outline(item.children)) for item in items]


def test_the_outline_has_the_rules_by_their_names():
    assert outline(symbols(document(RULES))) == [("Lists", [("deep", [])]), ("Rest", []), ("else", [])]


def test_a_rule_reaches_from_its_word_to_its_brace_and_tells_its_test():
    rule = symbols(document(RULES))[0]
    assert (rule.range.start.line, rule.range.end.line, rule.range.end.character) == (2, 6, 1)
    assert (rule.selection_range.start.character, rule.selection_range.end.character) == (0, 2)
    assert rule.detail == 'if header :contains "list-id" "x"'


def test_the_outline_of_a_test_file_has_its_tests():
    text = 'require "vnd.dovecot.testsuite";\ntest "one" { if true {} }\ntest "two" { }\n'
    assert outline(symbols(document(text, testing=True))) == [("one", [("if true", [])]), ("two", [])]


def test_a_broken_script_has_an_outline_too():
    assert outline(symbols(document("if header { keep; }\nif true [ }\nif false { discard; "))) == [("if header", [])]


def test_the_outline_of_a_very_deep_script_is_flat_at_the_bottom():
    deep = symbols(document("if true { " * 5_000 + "}" * 5_000))
    depth = 0
    while deep:
        depth, deep = depth + 1, deep[0].children
    assert depth <= 33


# -- folding ---------------------------------------------------------------------------------------------------


def test_blocks_strings_and_comments_of_several_lines_are_folded():
    text = "# a\n# b\nif true {\n  keep;\n}\n/* c\n d */\nredirect text:\na\n.\n;\n# alone\nif true { stop; }\n"
    found = {(one.start_line, one.end_line, one.kind) for one in folding(document(text))}
    assert found == {(2, 3, None), (0, 1, FoldingRangeKind.Comment), (5, 6, FoldingRangeKind.Comment), (7, 9, None)}
