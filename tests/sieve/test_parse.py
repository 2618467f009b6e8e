import pytest

from sievemda.sieve.limits import Limits
from sievemda.sieve.parse import parse
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.tree import Num, Str, Strings, Tag


def arguments(text):
    (command,) = parse(text, Limits())
    return command.arguments


def faults(text, limits=None):
    with pytest.raises(ScriptError) as caught:
        parse(text, limits or Limits())
    assert caught.value.stage == "parse"
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"simple"', "simple"),
        (r'"a \"quoted\" and \\ backslash"', 'a "quoted" and \\ backslash'),
        (r'"an undefined \a escape"', "an undefined a escape"),
        ('"two\r\nlines"', "two\r\nlines"),
        ('"two\nlines"', "two\r\nlines"),
        ('"Grüße 📬"', "Grüße 📬"),
        ('""', ""),
        ("text:\n.\n", ""),
        ("text:\nline\n.\n", "line\r\n"),
        ("text: \t \nline\n.\n", "line\r\n"),
        ("text: # a comment\nline\n.\n", "line\r\n"),
        ("TEXT:\r\nline\r\n.\r\n", "line\r\n"),
        ("text:\n..stuffed\n.not\n...\n.\n", ".stuffed\r\n.not\r\n..\r\n"),
        ("text:\n\n\n.\n", "\r\n\r\n"),
        ('text:\n"quoted" \\ # no comment\n.\n', '"quoted" \\ # no comment\r\n'),
    ],
)
def test_a_string_literal_stands_for_its_value(literal, value):
    (string,) = arguments(f"x {literal};")
    assert string.value == value


def test_octets_that_are_no_utf8_survive_in_strings_and_comments():
    (string,) = arguments(b'x "\xff\xfe"; # \xff')
    assert string.value.encode("utf-8", "surrogateescape") == b"\xff\xfe"


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("0", 0),
        ("007", 7),
        ("1K", 1024),
        ("1k", 1024),
        ("2M", 2 << 20),
        ("3g", 3 << 30),
        ("2147483647", 2**31 - 1),
        ("4G", 4 << 30),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_a_number_with_its_unit(literal, value):
    assert arguments(f"x {literal};") == (Num(value, 1, 3),)


@pytest.mark.parametrize("literal", ["18446744073709551616", "99999999999G", "9" * 5000])
def test_a_number_that_is_too_large_is_one_problem(literal):
    (problem,) = faults(f"x {literal};")
    assert problem.startswith("1:3: error: number too large")


def test_positions_count_lines_and_characters_from_one():
    first, second = parse('/* é */ keep;\r\n  discard :tag ["x",\n "y"] 5;', Limits())
    assert (first.line, first.column) == (1, 9)
    assert (second.line, second.column) == (2, 3)
    tag, strings, number = second.arguments
    assert tag == Tag("tag", 2, 11)
    assert strings == Strings((Str("x", 2, 17), Str("y", 3, 2)), 2, 17)
    assert number == Num(5, 3, 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeffkeep;",
        "# only a comment",
        "/* a * b ** c */ keep; # end",
        "/**/keep;/***/",
        "KEEP; Keep; kEEP;",
        "if true{keep;}else{discard;}",
        'if anyof(true,not false,header:is"a"["b","c"]){}',
        "a;b;c;",
        "if\ttrue\r\n{\n}\n",
        "x text:\n.\n text:\na\n.\n;",
    ],
)
def test_text_that_follows_the_grammar_parses(text):
    parse(text, Limits())


def test_names_and_tags_are_in_lower_case():
    (command,) = parse("FileInto :CoPy;", Limits())
    assert (command.name, command.arguments[0].name) == ("fileinto", "copy")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keep", ["1:5: error: expected ';' or '{' at the end of the command, but found end of script"]),
        ("keep;;", ["1:6: error: expected a command, but found ';'"]),
        ("keep; }", ["1:7: error: expected a command, but found '}'"]),
        ('x ["a" "b"];', ["1:8: error: expected ',' or ']' in the list of strings, but found string"]),
        ("x [];", ["1:4: error: expected a string in the list of strings, but found ']'"]),
        ('x ["a",];', ["1:8: error: expected a string in the list of strings, but found ']'"]),
        ("if anyof (true, ) {}", ["1:17: error: expected a test, but found ')'"]),
        ("if anyof () {}", ["1:11: error: expected a test, but found ')'"]),
        ('x "a', ["1:3: error: unterminated string: the closing '\"' is missing"]),
        ("/* x", ["1:1: error: unterminated comment: the closing '*/' is missing"]),
        ("x text:\na\n", ["1:3: error: unterminated multi-line string: the line with a single '.' is missing"]),
        ('x "a\0b";', ["1:3: error: a string must not hold a NUL character"]),
        ('x "a\rb";', ["1:3: error: a string must not hold a CR without LF"]),
        ("keep; é", ["1:7: error: unknown characters 'é'", "1:7: error: expected a command, but found unknown characters"]),
        ("if true { keep;", ["1:16: error: expected '}' at the end of the block, but found end of script"]),
        ("x -1;", ["1:3: error: unknown characters '-'", "1:3: error: expected ';' or '{' at the end of the command, but found unknown characters"]),
        (f"{'a' * 33};", ["1:1: error: identifier too long: the limit is 32 characters"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(text, expected):
    assert faults(text) == expected


def test_reading_goes_on_behind_each_fault():
    found = faults(
        """if header :is ["a" "b"] "x" { keep; }
if true { discard }
if anyof (true, ) { stop; }
redirect "kim@office.example";
"""
    )
    assert [problem.split(":")[0] for problem in found] == ["1", "2", "3"]


def test_a_fault_inside_a_block_does_not_end_the_block():
    found = faults("if true { x [1]; y; z [2]; }\nkeep")
    assert [problem.split(": ")[0] for problem in found] == ["1:14", "1:24", "2:5"]


def test_a_nested_bracket_of_the_same_kind_is_skipped_with_its_closer():
    assert len(faults("if anyof (1, allof (true, false), true) { keep; } keep;")) == 1


def test_too_many_arguments_are_one_problem():
    assert faults("x " + "1 " * 33 + "; keep;") == ["1:67: error: too many arguments: the limit is 32"]


def test_blocks_nested_too_deep_are_one_problem():
    deep = "if true {" * 32 + "}" * 32
    assert faults(deep) == ["1:288: error: blocks nested too deep: the limit is 31"]
    parse("if true {" * 31 + "}" * 31, Limits())


def test_tests_nested_too_deep_are_one_problem():
    assert faults("if " + "not " * 32 + "true {}") == ["1:128: error: tests nested too deep: the limit is 31"]
    parse("if " + "not " * 30 + "true {}", Limits())


def test_a_script_larger_than_the_limit_is_refused_before_it_is_read():
    assert faults(b"keep; " * 3, Limits(script_size=10)) == ["1:1: error: script too large: 18 octets, the limit is 10"]


@pytest.mark.parametrize(
    "text",
    [
        b"if not " * 30000,
        b"if true {" * 20000,
        b"if anyof (" * 20000,
        b"[" * 1000000,
        b"{" * 1000000,
        b'x ["a' + b'", "a' * 40000,
        b"/*" + b"*" * 1000000,
        b"$ " * 500000,
        b"(" * 1000000,
        b'"' * 999999,
    ],
    ids=lambda text: text[:10].decode(),
)
def test_hostile_text_is_answered_with_problems(text):
    assert faults(text)


def test_the_number_of_problems_is_bounded():
    assert len(faults("x [1];\n" * 1000)) == Limits().problems + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('if header: "a" "b" {}', ["1:10: error: expected ';' or '{' at the end of the command, but found ':'"]),
        ("keep :1;", ["1:6: error: expected ';' or '{' at the end of the command, but found ':'"]),
        ("// no comment\nkeep;", ["1:1: error: expected a command, but found '/'"]),
        ('x ["a" : "b"];', ["1:8: error: expected ',' or ']' in the list of strings, but found ':'"]),
    ],
)
def test_half_a_tag_or_a_comment_is_one_fault(text, expected):
    assert faults(text) == expected


def test_octets_that_are_no_utf8_are_shown_as_octets():
    assert faults(b"\xff\xfe")[0] == "1:1: error: unknown characters '\\xff\\xfe'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a\0b\nkeep;", ["1:1: error: a comment must not hold a NUL character"]),
        ("keep; /* \0 */ keep", [
            "1:7: error: a comment must not hold a NUL character",
            "1:19: error: expected ';' or '{' at the end of the command, but found end of script",
        ]),
        ('redirect "a\0";', ["1:10: error: a string must not hold a NUL character"]),
    ],
)  # fmt: skip
def test_a_nul_is_allowed_nowhere(text, expected):
    """RFC 5228 §8.1."""
    assert faults(text) == expected
