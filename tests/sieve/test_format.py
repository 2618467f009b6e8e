"""The canonical layout, by example: how each thing is written, and where comments go."""

import pytest

from sievemda.sieve import Limits, ScriptError
from sievemda.sieve.format import Style, format_octets, format_script
from tests.sieve.steps import steps


def both(table):
    """Rows of what was written and how it is laid out; each layout is one that stays."""
    rows = [pytest.param(before, after, id=name) for name, before, after in table]
    return pytest.mark.parametrize(("before", "after"), rows)


def check(before, after, **style):
    style = Style(**style)
    assert format_script(before, style) == after
    assert format_script(after, style) == after


@both([
    ("nothing", "", ""),
    ("white space", " \n\t\r\n ", ""),
    ("a last line end", "keep;", "keep;\n"),
    ("one command a line", "keep;stop;", "keep;\nstop;\n"),
    ("names and tags in lower case", 'FileInto :COPY "A";', 'fileinto :copy "A";\n'),
    ("numbers as they were spelled", "if size :over 010k{}", "if size :over 010k {}\n"),
    ("strings as they were spelled", r'fileinto "a\"\b\\";', 'fileinto "a\\"\\b\\\\";\n'),
    ("a string of several lines", 'reject\t"a\n  b";', 'reject "a\n  b";\n'),
    ("a list", 'addflag[ "a","b" ,"c"];', 'addflag ["a", "b", "c"];\n'),
    ("a list of one stays a list", 'addflag["a"];', 'addflag ["a"];\n'),
    ("blocks", "if true{if false{keep;}}", "if true {\n    if false {\n        keep;\n    }\n}\n"),
    ("an empty block", "if true\n{\n}", "if true {}\n"),
    ("branches", "if true{}\n\nelsif false{keep;}\nELSE{stop;}",
     "if true {} elsif false {\n    keep;\n} else {\n    stop;\n}\n"),
    ("tests in a list", "if anyof(true,not false){}", "if anyof (true, not false) {}\n"),
    ("tests in tests", "if not not allof(anyof(true)){}", "if not not allof (anyof (true)) {}\n"),
    ("blank lines are one at most", "keep;\n\n\n\nstop;\nkeep;", "keep;\n\nstop;\nkeep;\n"),
    ("no blank line inside the braces", "if true {\n\n\nkeep;\n\n}", "if true {\n    keep;\n}\n"),
    ("a blank line behind require", 'require "a";require "b";keep;', 'require "a";\nrequire "b";\n\nkeep;\n'),
    ("nothing behind require", 'require "a";', 'require "a";\n'),
    ("tags stay where they are", 'redirect "a@b" :copy;', 'redirect "a@b" :copy;\n'),
    ("what nobody knows", 'Frob :x ["a"] 1 (y, z){ w; }', 'frob :x ["a"] 1 (y, z) {\n    w;\n}\n'),
    ("capabilities keep their order", 'require["b","a","b"];', 'require ["b", "a", "b"];\n'),
])  # fmt: skip
def test_words_of_a_script(before, after):
    check(before, after)


@both([
    ("a text", "reject TEXT:\t \na\n..b\n.\n;", "reject text:\na\n..b\n.\n;\n"),
    ("a text with a comment", "reject text:# so\na\n.\n;", "reject text: # so\na\n.\n;\n"),
    ("a text in a block", "if true { reject text:\n  a\n.\n; }", "if true {\n    reject text:\n  a\n.\n    ;\n}\n"),
    ("a text with something behind it", 'x text:\n.\n "a";', 'x text:\n.\n    "a";\n'),
    ("a text in a list", 'x ["a", text:\nb\n.\n, "c"];', 'x [\n    "a",\n    text:\nb\n.\n    ,\n    "c"\n];\n'),
    ("a text of a test", 'if header "a" text:\n.\n{ keep; }', 'if header "a" text:\n.\n{\n    keep;\n}\n'),
    ("white space of a text", "x text:\n \t\n.\n;", "x text:\n \t\n.\n;\n"),
])  # fmt: skip
def test_multi_line_strings(before, after):
    check(before, after)


@both([
    ("alone in a script", "# a\n\n\n/* b */", "# a\n\n/* b */\n"),
    ("without a line end", "keep;#a", "keep; #a\n"),
    ("as they are", "#a\n##  b\n/*c*/\n", "#a\n##  b\n/*c*/\n"),
    ("blanks behind them", "# a \t\r\nkeep;", "# a\r\nkeep;\r\n"),
    ("above a command", "# a\n  # b\n  keep;", "# a\n# b\nkeep;\n"),
    ("apart from a command", "# a\n\nkeep;", "# a\n\nkeep;\n"),
    ("behind a command", "keep;   # a\nstop;", "keep; # a\nstop;\n"),
    ("before a command on its line", "/* a */   keep;", "/* a */ keep;\n"),
    ("before a semicolon", "keep # a\n;", "keep; # a\n"),
    ("alone before a semicolon", "keep\n# a\n# b\n;", "keep; # a\n# b\n"),
    ("right before a semicolon", "keep/* a */;", "keep /* a */;\n"),
    ("between arguments", 'redirect /* to */ "a@b";', 'redirect /* to */ "a@b";\n'),
    ("at the end of a line of arguments", 'redirect # to\n"a@b";', 'redirect # to\n    "a@b";\n'),
    ("alone among arguments", 'x :a\n# to\n"b";', 'x :a\n    # to\n    "b";\n'),
    ("behind a brace", "if true { # a\nkeep; }", "if true { # a\n    keep;\n}\n"),
    ("before a brace", "if true # a\n{ keep; }", "if true { # a\n    keep;\n}\n"),
    ("alone before a brace", "if true\n# a\n{ keep; }", "if true {\n    # a\n    keep;\n}\n"),
    ("alone in a block", "if true { # a\n}", "if true { # a\n}\n"),
    ("at the end of a block", "if true { keep;\n# a\n}", "if true {\n    keep;\n    # a\n}\n"),
    ("behind the end of a block", "if true {} # a\nelse {}", "if true {} # a\nelse {}\n"),
    ("in a list", 'x [ # a\n"b", # c\n# d\n"e" # f\n, /* g */ "h"\n# i\n];',
     'x [ # a\n    "b", # c\n    # d\n    "e", # f\n    /* g */ "h"\n    # i\n];\n'),
    ("in a list, on both sides of a comma", 'x ["a" # b\n, /* c */ # d\n"e"];',
     'x [\n    "a", # b\n    /* c */\n    # d\n    "e"\n];\n'),
    ("in a list on one line", 'x ["a" /* b */, /* c */ "d"];', 'x ["a" /* b */, /* c */ "d"];\n'),
    ("among tests", "if allof(true, # a\n/* b */ not # c\nfalse){}",
     "if allof (\n    true, # a\n    /* b */ not # c\n        false\n) {}\n"),
    ("of several lines", "if true {\n/* a\n * b */\nkeep; }", "if true {\n    /* a\n * b */\n    keep;\n}\n"),
    ("behind require", 'require "a"; # b\nkeep;', 'require "a"; # b\n\nkeep;\n'),
    ("between requires", 'require "a";\n# b\nrequire "c";', 'require "a";\n# b\nrequire "c";\n'),
    ("that look like strings", '# "a\n/* "b */ keep;', '# "a\n/* "b */ keep;\n'),
    ("strings that look like them", 'x "# a" "/* b";', 'x "# a" "/* b";\n'),
])  # fmt: skip
def test_comments(before, after):
    check(before, after)


def test_the_marker_of_a_webmail_client_stays_above_its_rule():
    check(
        'require ["fileinto"];\n# rule:[A]\nif true\n{\n\tfileinto "a";\n}\n# rule:[B]\nelsif false\n{\n}\n',
        'require ["fileinto"];\n\n# rule:[A]\nif true {\n    fileinto "a";\n}\n# rule:[B]\nelsif false {}\n',
    )


@both([
    ("a list", 'addflag ["aaaa", "bbbb"];', 'addflag [\n  "aaaa",\n  "bbbb"\n];\n'),
    ("the last list", 'x ["a"] ["bbbb", "cccc"];', 'x ["a"] [\n  "bbbb",\n  "cccc"\n];\n'),
    ("arguments", 'xxxx "aaaaaa" "bbbbb" 1;', 'xxxx "aaaaaa"\n  "bbbbb" 1;\n'),
    ("a value goes with its tag", 'vacation :days 7 "aaa";', 'vacation :days 7\n  "aaa";\n'),
    ("and a tag without one does not", 'fileinto :copy "aaa";', 'fileinto :copy\n  "aaa";\n'),
    ("arguments before a block", 'if x "aaaaaa" "bb" {}', 'if x "aaaaaa"\n    "bb" {}\n'),
    ("tests", "if anyof (true, false) {}", "if anyof (\n  true,\n  false\n) {}\n"),
    ("a string that no line has room for", 'reject "aaaaaaaaaaaaaaaaaaaaaa";', 'reject "aaaaaaaaaaaaaaaaaaaaaa";\n'),
])  # fmt: skip
def test_what_is_too_long_for_a_line_of_twenty_characters(before, after):
    check(before, after, width=20, indent=2)


def test_a_line_may_be_as_long_as_the_width_and_no_longer():
    script = f'fileinto "{"a" * 68}";\n'
    assert len(script) - 1 == 80
    check(script, script)
    check(f'x :a "{"a" * 72}";', f'x :a "{"a" * 72}";\n')
    check(f'x :a "{"a" * 73}";', f'x :a\n    "{"a" * 73}";\n')


@pytest.mark.parametrize("indent", [1, 2, 8])
def test_blocks_are_indented_as_wished(indent):
    check("if true { keep; }", f"if true {{\n{' ' * indent}keep;\n}}\n", indent=indent)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"keep ;\r\nstop ;", b"keep;\r\nstop;\r\n"),
        (b"keep ;\nstop ;\r\n", b"keep;\nstop;\n"),
        (b"keep ;\r\nreject text:\na\n.\n;", b"keep;\r\nreject text:\r\na\r\n.\r\n;\r\n"),
        (b'keep ;\r\nx "a\nb";', b'keep;\r\nx "a\r\nb";\r\n'),
        (b"\xef\xbb\xbfkeep ;", b"\xef\xbb\xbfkeep;\n"),
        (b'# \xfc\nx  "\xe4\xff" ;', b'# \xfc\nx "\xe4\xff";\n'),
        ("# ü\nx  '".encode()[:-1] + b'"\xf0\x9f\x98\x80" ;', b'# \xc3\xbc\nx "\xf0\x9f\x98\x80";\n'),
    ],
    ids=["CRLF", "mixed, LF first", "CRLF in a text", "CRLF in a string", "a byte-order mark", "Latin-1", "UTF-8"],
)
def test_line_ends_and_octets_stay(before, after):
    assert format_octets(before) == after
    assert format_octets(after) == after


@pytest.mark.parametrize(
    ("script", "place"),
    [("keep", (1, 5)), ("keep;\n}", (2, 1)), ('keep "a;', (1, 6)), ("/* a", (1, 1)), ("keep; \0", (1, 7))],
)
def test_a_script_that_does_not_parse_is_refused_with_its_faults(script, place):
    with pytest.raises(ScriptError) as caught:
        format_script(script)
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == place


def test_limits_hold():
    with pytest.raises(ScriptError, match="script too large"):
        format_script("keep;" * 3, limits=Limits(script_size=10))


def test_the_deepest_script_that_parses_is_laid_out():
    script = "if true {" * 31 + "}" * 31
    assert format_script(script).splitlines()[30] == " " * 120 + "if true {}"
    tests = "if " + "anyof (" * 30 + "true" + ")" * 30 + " {}\n"
    assert format_script(format_script(tests)) == format_script(tests)


LONG = {
    "commands": "keep;",
    "strings": '"a",',
    "tests": "true,",
    "comments": "/**/",
    "lines of comments": "#\n",
    "carriage returns": "\r",
    "blank lines": "\n",
}
AROUND = {"strings": 'x [{}"a"];', "tests": "if anyof ({}true) {{}}", "comments": "x {};", "carriage returns": "#{}x"}


@pytest.mark.parametrize("kind", LONG)
def test_the_work_grows_with_the_script_and_not_faster(kind):
    def work(count):
        return steps(lambda: format_script(AROUND.get(kind, "{}").format(LONG[kind] * count)))[0]

    work(1)
    assert work(2_000) < 2.3 * work(1_000)
