import pytest

from sievemda.sieve import Limits, ScriptError, compile_script, run
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json
from sievemda.sieve.run import Origin
from tests.sieve.trying import COYOTE, KEEP, NOW, envelope, filed, hints, problems


class Repository(Imagined):
    """Facts with scripts that can be included: a name beginning with `global/` is a global one."""

    def __init__(self, scripts, limits):
        super().__init__(NOW)
        object.__setattr__(self, "scripts", scripts)
        object.__setattr__(self, "limits", limits)

    def included(self, location, name):
        text = self.scripts.get(f"global/{name}" if location == "global" else name)
        return None if text is None else compile_script(text, self.limits)


def outcome(script, message=COYOTE, limits=None, origin=None, **scripts):
    limits = limits or Limits()
    known = {name.replace("global_", "global/"): text for name, text in scripts.items()}
    program = compile_script(script, limits)
    return run(program, message_of(message), envelope(), Repository(known, limits), limits, origin or Origin())


def actions(script, message=COYOTE, **scripts):
    found = outcome(script, message, **scripts)
    assert found.failure is None, found.failure
    return [to_json(effect) for effect in found.effects]


def failure(script, **scripts):
    found = outcome(script, **scripts)
    assert found.failure is not None
    return found.failure


INCLUDE = 'require "include";\n'
BOTH = 'require ["include", "variables", "fileinto"];\n'


# RFC 6609 §3.2, the example.
DEFAULT = (
    'require ["include"];\ninclude :personal "always_allow";\ninclude :global "spam_tests";\n'
    'include :personal "spam_tests";\ninclude :personal "mailing_lists";\n'
)
REPOSITORY = {
    "always_allow": """
        if address :is "from" "boss@example.com" { keep; }
        elsif address :is "from" "ceo@example.com" { keep; }""",
    "spam_tests": """
        require ["reject"];
        if header :contains "Subject" "XXXX" { reject "Subject XXXX is unacceptable."; }
        elsif address :is "from" "money@example.com" { reject "Mail from this sender is unwelcome."; }""",
    "mailing_lists": """
        require ["fileinto"];
        if header :is "List-ID" "sieve.ietf.org" { fileinto "lists.sieve"; }
        elsif header :is "List-ID" "ietf-imapext.imc.org" { fileinto "lists.imapext"; }""",
    "global_spam_tests": """
        require ["reject"];
        if anyof (header :contains "Subject" "$$", header :contains "Subject" "Make money") { reject "No thank you."; }""",
}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("From: boss@example.com\n", [{"action": "keep", "flags": []}]),
        ("From: ceo@example.com\n", [{"action": "keep", "flags": []}]),
        ("Subject: Make money\n", [{"action": "reject", "reason": "No thank you."}]),
        ("Subject: $$ now\n", [{"action": "reject", "reason": "No thank you."}]),
        ("Subject: XXXX\n", [{"action": "reject", "reason": "Subject XXXX is unacceptable."}]),
        ("From: money@example.com\n", [{"action": "reject", "reason": "Mail from this sender is unwelcome."}]),
        ("List-ID: sieve.ietf.org\n", [filed("lists.sieve")]),
        ("List-ID: ietf-imapext.imc.org\n", [filed("lists.imapext")]),
        ("Subject: hello\n", [KEEP]),
    ],
)
def test_the_example_of_several_scripts(header, expected):
    assert actions(DEFAULT, header.encode() + b"\nbody\n", **REPOSITORY) == expected


# RFC 6609 §3.4.1, the example.
ACTIVE = """require ["fileinto", "include", "variables", "relational"];
global "test";
global "test_mailbox";
set "test" "$$";
include "subject_tests";
set "test" "Make money";
include "subject_tests";
if string :count "eq" "${test_mailbox}" "1" { fileinto "${test_mailbox}"; stop; }
"""
SUBJECT_TESTS = """require ["include", "variables"];
global ["test", "test_mailbox"];
if header :contains "Subject" "${test}" { set "test_mailbox" "spam-${test}"; }
"""


@pytest.mark.parametrize(
    ("subject", "expected"),
    [("$$ for you", filed("spam-$$")), ("Make money fast", filed("spam-Make money")), ("hello", KEEP)],
)
def test_the_example_of_global_variables(subject, expected):
    assert actions(ACTIVE, f"Subject: {subject}\n\n".encode(), subject_tests=SUBJECT_TESTS) == [expected]


def test_the_example_of_the_namespace():
    script = """require ["variables", "include", "fileinto"];
    global "i_am_on_vacation";
    set "global.i_am_on_vacation" "1";
    if string :is "${i_am_on_vacation}" "1" { fileinto "away"; }"""
    assert actions(script) == [filed("away")]


def test_a_variable_of_an_included_script_is_its_own():
    script = BOTH + 'set "a" "mine"; include "other"; fileinto "${a}";'
    other = 'require ["variables", "fileinto"]; set "b" "${a}"; set "a" "yours"; fileinto "other-${b}-${a}";'
    assert actions(script, other=other) == [filed("other--yours"), filed("mine")]


def test_a_name_that_is_global_elsewhere_is_a_variable_of_its_own_where_it_is_not_declared():
    script = BOTH + 'global "a"; set "a" "everywhere"; include "other"; fileinto "${a}";'
    other = 'require ["variables", "fileinto"]; set "a" "local"; fileinto "${a}";'
    assert actions(script, other=other) == [filed("local"), filed("everywhere")]


def test_an_included_script_sets_a_global_variable():
    script = BOTH + 'global "a"; include "other"; fileinto "${a}-${global.a}-${GLOBAL.A}";'
    assert actions(script, other='require ["include","variables"]; set "global.a" "x";') == [filed("x-x-x")]


def test_a_global_variable_without_a_value_is_empty():
    assert actions(BOTH + 'global "a"; fileinto "x${a}${global.b}";') == [filed("x")]


def test_a_flag_variable_can_be_global():
    script = (
        'require ["include", "variables", "imap4flags"]; global "f"; include "other"; addflag "f" "two";'
        'keep :flags "${f}";'
    )
    other = 'require ["include", "variables", "imap4flags"]; setflag "global.f" "one"; if hasflag "global.f" "one" {}'
    assert actions(script, other=other) == [{"action": "keep", "flags": ["one", "two"]}]


def test_modifiers_work_on_global_variables():
    assert actions(BOTH + 'set :upper "global.a" "x"; fileinto "${global.a}";') == [filed("X")]


def test_match_variables_are_those_of_one_script():
    script = BOTH + 'if header :matches "subject" "I have *" { include "other"; fileinto "${1}"; }'
    other = (
        'require ["variables", "fileinto"]; fileinto "<${1}>"; if header :matches "from" "*@*" { fileinto "<${1}>"; }'
    )
    assert actions(script, other=other) == [filed("<>"), filed("<coyote>"), filed("a present for you")]


def test_each_script_has_its_own_require():
    assert "unknown command 'fileinto'" in failure(INCLUDE + 'require "fileinto"; include "o";', o='fileinto "x";').text


def test_a_capability_that_an_included_script_requires_does_not_come_back():
    assert problems(INCLUDE + 'include "other"; fileinto "x";')


def test_flags_are_one_for_all_scripts():
    script = 'require ["include", "imap4flags"]; setflag "one"; include "other";'
    other = 'require "imap4flags"; addflag "two";'
    assert actions(script, other=other) == [{"action": "keep", "flags": ["one", "two"], "implicit": True}]


def test_what_an_included_script_does_cancels_the_implicit_keep():
    assert actions(INCLUDE + 'include "other";', other="discard;") == [{"action": "discard"}]


def test_stop_in_an_included_script_ends_everything():
    assert actions(INCLUDE + 'include "other"; discard;', other="stop;") == [KEEP]


def test_return_ends_the_included_script_alone():
    assert actions(INCLUDE + 'include "o"; discard;', o=INCLUDE + "if true { return; } keep;") == [
        {"action": "discard"}
    ]


def test_return_in_the_first_script_is_stop():
    assert actions(INCLUDE + "return; discard;") == [KEEP]


def test_return_needs_include():
    assert problems("return;") == ["1:1: error: unknown command 'return'"]


def test_include_may_stand_in_a_block():
    assert actions(INCLUDE + 'if header :contains "subject" "present" { include "o"; }', o="discard;") == [
        {"action": "discard"}
    ]


def test_a_script_that_is_not_there_is_an_error_when_it_is_reached():
    found = failure(INCLUDE + 'keep;\ninclude "other";')
    assert (found.line, found.text) == (3, "the personal script 'other' to include does not exist")


def test_a_script_that_is_not_there_is_no_error_where_it_is_not_reached():
    assert actions(INCLUDE + 'if false { include "other"; } if size :over 1G { include "another"; }') == [KEEP]


def test_an_optional_script_may_be_missing():
    assert actions(INCLUDE + 'include :optional "other"; discard;') == [{"action": "discard"}]


def test_an_optional_script_must_be_valid_when_it_is_there():
    found = failure(INCLUDE + 'include :optional "other";', other="keep;\nfrob;")
    assert found.text == "the included personal script 'other' is not valid: line 2: unknown command 'frob'"


def test_global_and_personal_scripts_of_one_name_are_two():
    script = INCLUDE + 'include :global "o"; include :personal "o";'
    assert actions(script, global_o='require "fileinto"; fileinto "a";', o='require "fileinto"; fileinto "b";') == [
        filed("a"),
        filed("b"),
    ]


def test_names_of_scripts_are_case_sensitive():
    assert "does not exist" in failure(INCLUDE + 'include "Other";', other="keep;").text


def test_a_script_can_be_included_twice():
    other = 'require ["include", "variables"]; set "global.a" "${global.a}x";'
    assert actions(BOTH + 'include "o"; include "o"; fileinto "${global.a}";', o=other) == [filed("xx")]


def test_once_includes_a_script_that_has_not_been_included():
    other = 'require ["include", "variables"]; set "global.a" "${global.a}x";'
    script = BOTH + 'include :once "o"; include :once "o"; include "between"; fileinto "${global.a}";'
    assert actions(script, o=other, between=INCLUDE + 'include :once "o";') == [filed("x")]


@pytest.mark.parametrize(
    "scripts",
    [
        {"a": INCLUDE + 'include "a";'},
        {"a": INCLUDE + 'include "b";', "b": INCLUDE + 'include "a";'},
        {"a": INCLUDE + 'include :optional "b";', "b": INCLUDE + 'include :optional "a";'},
    ],
)
def test_a_script_must_not_include_itself(scripts):
    found = failure(INCLUDE + 'include "a";', **scripts)
    assert found.text == "circular include: 'a' is being included already"
    assert found.script in {"a", "b"}


def test_once_is_no_error_where_it_would_be_circular():
    script = INCLUDE + 'include "a"; discard;'
    assert actions(script, a=INCLUDE + 'include :once "a";') == [{"action": "discard"}]


def test_the_first_script_counts_as_included():
    main = INCLUDE + 'include "a";'
    found = outcome(main, a=INCLUDE + 'include "main";', main=main, origin=Origin("", ("personal", "main")))
    assert found.failure.text == "circular include: 'main' is being included already"
    found = outcome(main, a=INCLUDE + 'include :once "main";', main=main, origin=Origin("", ("personal", "main")))
    assert found.failure is None


def chain(length):
    scripts = {f"s{n}": INCLUDE + f'include "s{n + 1}";' for n in range(1, length)}
    return scripts | {f"s{length}": "discard;"}


def test_ten_scripts_can_be_inside_each_other():
    assert actions(INCLUDE + 'include "s1";', **chain(10)) == [{"action": "discard"}]


def test_eleven_cannot():
    found = outcome(INCLUDE + 'include "s1";', **chain(11))
    assert found.failure.text == "includes are nested too deeply: the limit is 10"
    assert found.implicit_keep


def test_the_number_of_different_scripts_is_bounded():
    script = INCLUDE + "".join(f'include "s{n}"; include "s{n}";\n' for n in range(3))
    scripts = {f"s{n}": "keep;" for n in range(3)}
    assert outcome(script, limits=Limits(includes=3), **scripts).failure is None
    assert outcome(script, limits=Limits(includes=2), **scripts).failure.text == (
        "too many included scripts: the limit is 2"
    )


def test_what_included_scripts_cost_is_charged():
    scripts = {f"s{n}": INCLUDE + f'include "s{n + 1}"; include "s{n + 1}";' * 3 for n in range(1, 10)}
    found = outcome(INCLUDE + 'include "s1";', limits=Limits(instructions=1000), **scripts, s10="keep;")
    assert "too many instructions" in found.failure.text


def test_global_variables_are_bounded():
    lines = "".join(f'global "v{n}"; set "v{n}" "x";' for n in range(3))
    others = {f"s{k}": BOTH + lines.replace('"v', f'"w{k}') for k in range(2)}
    script = BOTH + 'include "s0"; include "s1";'
    assert outcome(script, limits=Limits(variables=6), **others).failure is None
    found = outcome(script, limits=Limits(variables=5), **others).failure
    assert found.text == "too many global variables: the limit is 5"


def test_an_error_names_the_script_and_its_line():
    found = failure(INCLUDE + 'include "a";', a=INCLUDE + '\n\ninclude :global "b";', global_b='redirect "x";\n')
    assert found.script == "a"  # that script is what is valid; the one it includes is not
    found = failure(INCLUDE + 'include :global "b";', global_b='require "ihave";\n\nerror "no";\n')
    assert (found.script, found.line, found.text) == ("global/b", 3, "no")


def test_the_trace_says_which_script_a_test_is_of():
    found = outcome(INCLUDE + 'include "a"; if true {}', a="if not false {}")
    assert [(t.test, t.line, t.script) for t in found.tests] == [("false", 1, "a"), ("not", 1, "a"), ("true", 2, "")]


def test_actions_say_which_script_they_are_of():
    found = outcome(INCLUDE + 'include "a"; keep;', a='require "fileinto"; fileinto "x";')
    assert [effect.script for effect in found.effects] == ["a", ""]


def test_the_error_of_two_actions_names_both_scripts():
    found = failure('require ["include", "reject"];\ninclude "a";\nreject "no";', a='require "fileinto"; fileinto "x";')
    assert found.text == "reject (line 3) cannot be combined with fileinto (line 1 of a)"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ('include "${a}";', "the name of a script to include must be a constant string"),
        ('include "./../..//etc/passwd";', "invalid script name"),
        ('include "a/b";', "invalid script name"),
        ('include "a\tb";', "invalid script name"),
        ('include "a\u2028b";', "invalid script name"),
        ('include "a\u0085b";', "invalid script name"),
        ('include "";', "the name of a script cannot be empty"),
        (f'include "{"x" * 257}";', "the limit is 256"),
        ('include :personal :global "a";', "duplicate location ':global'"),
        ('include :global :global "a";', "duplicate location ':global'"),
        ('include :once :once "a";', "duplicate ':once'"),
        ('include ["a", "b"];', "expects a string for argument 1"),
        ("include;", "requires 1 positional arguments, but 0 are specified"),
        ("global;", "requires 1 positional arguments, but 0 are specified"),
        ('global "1";', "invalid variable name '1'"),
        ('global "";', "invalid variable name ''"),
        ('global "${a}";', "must be a constant string"),
        ('global "global.a";', "invalid variable name 'global.a'"),
        ('global ["a", "b-c"];', "invalid variable name 'b-c'"),
        ('set "a" "1"; global "a";', "variable 'a' is declared global after the script has set it"),
        ('setflag "A" "1"; global "a";', "variable 'a' is declared global after the script has set it"),
        ('set "global.data.from" "x";', "the namespace 'global' can have no variable 'data.from'"),
        ('set "global.12" "x";', "the namespace 'global' can have no variable '12'"),
        ('set "other.a" "x";', "unknown namespace 'other'"),
        ('keep :flags "${global.1}";', "the namespace 'global' can have no variable '1'"),
        ('return "x";', "requires 0 positional arguments"),
    ],
)
def test_what_is_wrong_is_said(script, text):
    (found,) = problems('require ["include", "variables", "imap4flags"];\n' + script)
    assert text in found


@pytest.mark.parametrize("missing", ["include", "variables"])
def test_global_needs_both_capabilities(missing):
    (other,) = {"include", "variables"} - {missing}
    script = f'require "{other}"; global "a";'
    assert f'add require ["{missing}"]' in problems(script)[0] + hints(script)[0]


def test_the_namespace_needs_include():
    assert "unknown namespace 'global'" in problems('require "variables"; set "a" "${global.a}";')[0]


def test_without_variables_a_reference_is_the_name_of_a_script():
    assert actions(INCLUDE + 'include :optional "${a}";') == [KEEP]


def test_a_global_variable_can_be_declared_again():
    assert not problems(BOTH + 'global "a"; set "a" "1"; global ["b", "a"];')


def test_the_old_words_for_global_are_understood():
    script = BOTH + 'import "a"; export ["b"]; include "o"; fileinto "${a}${global.b}";'
    other = 'require ["include", "variables"]; export "a"; import "b"; set "a" "x"; set "b" "y";'
    assert actions(script, o=other) == [filed("xy")]


def test_a_missing_script_is_no_error_when_a_script_is_stored():
    assert not problems(INCLUDE + 'include "missing";')


def test_a_site_can_forbid_it():
    limits = Limits(includes=0)
    assert "local policy prohibits" in problems(INCLUDE + 'include "a";', limits=limits)[0]


class Shelf:
    """A library as the compiler sees it."""

    def __init__(self, strict, **scripts):
        self.strict = strict
        self.scripts = scripts
        self.asked = []

    def has(self, inclusion):
        return inclusion.name in self.scripts

    def text(self, inclusion):
        self.asked.append(inclusion.name)
        found = self.scripts.get(inclusion.name)
        return None if found is None else found.encode()


def errors(script, **scripts):
    with pytest.raises(ScriptError) as caught:
        compile_script(script, Limits(), None, Shelf(strict=True, **scripts))
    return caught.value.stage, [problem.text for problem in caught.value.problems]


def test_a_missing_script_is_a_warning_for_who_stores_scripts():
    program = compile_script(INCLUDE + 'include "a"; include :optional "b";', Limits(), None, Shelf(strict=False))
    assert [str(problem) for problem in program.problems] == [
        "2:1: warning: there is no personal script 'a' to include"
    ]


def test_for_the_test_language_a_missing_script_is_an_error_among_the_others():
    stage, texts = errors(INCLUDE + 'include "a"; frob; include :optional "b"; include "c";')
    assert stage == "bind"
    assert texts == [
        "there is no personal script 'a' to include",
        "unknown command 'frob'",
        "there is no personal script 'c' to include",
    ]


def test_for_the_test_language_an_error_far_down_is_reported_at_every_level():
    stage, texts = errors(INCLUDE + 'include "a";', a=INCLUDE + 'include "b";', b="frob; keep 1;")
    assert stage == "generate"
    assert texts == [
        "unknown command 'frob'",
        "the keep command requires 0 positional arguments, but 1 are specified",
        "the included personal script 'b' is not valid",
        "the included personal script 'a' is not valid",
    ]


def test_for_the_test_language_a_script_is_compiled_once():
    shelf = Shelf(strict=True, a="keep;", b=INCLUDE + 'include "a";')
    compile_script(INCLUDE + 'include "a"; include "b"; include "a";', Limits(), None, shelf)
    assert shelf.asked.count("a") == 1


def test_for_the_test_language_a_circle_is_an_error_unless_once():
    assert errors(INCLUDE + 'include "a";', a=INCLUDE + 'include "a";')[1][0] == (
        "circular include: 'a' is being included already"
    )
    compile_script(INCLUDE + 'include "a";', Limits(), None, Shelf(strict=True, a=INCLUDE + 'include :once "a";'))


def test_for_the_test_language_depth_and_number_are_checked():
    assert "includes are nested too deeply: the limit is 10" in errors(INCLUDE + 'include "s1";', **chain(11))[1]
    compile_script(INCLUDE + 'include "s1";', Limits(), None, Shelf(strict=True, **chain(10)))
    script = INCLUDE + "".join(f'include "s{n}";' for n in range(300))
    assert (
        errors(script, **{f"s{n}": "keep;" for n in range(300)})[1]
        == ["too many included scripts: the limit is 255"] * 45
    )


TWO_PARTS = b"""\
From: coyote@desert.example.org
Subject: outer
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain
X-Part: one

first
--b
Content-Type: text/html
X-Part: two

<p>second</p>
--b--
"""
LOOP = 'require ["include", "foreverypart", "variables", "fileinto", "copy"]; foreverypart { include "part"; }'


def test_in_a_loop_the_part_is_the_message_of_an_included_script():
    part = """require ["variables", "fileinto", "copy"];
    if header :matches "x-part" "*" { fileinto :copy "${1}"; }
    elsif header :matches "subject" "*" { fileinto :copy "${1}"; }"""
    assert actions(LOOP, TWO_PARTS, part=part) == [*(filed(n, copy=True) for n in ("outer", "one", "two")), KEEP]


def test_in_a_loop_size_exists_and_body_are_those_of_the_part():
    part = """require ["body", "fileinto", "copy"];
    if allof (exists "x-part", size :under 80, body :raw :contains "first") { fileinto :copy "first"; }"""
    assert actions(LOOP, TWO_PARTS, part=part) == [filed("first", copy=True), KEEP]


def test_what_an_included_script_does_in_a_loop_it_does_to_the_message():
    part = 'require "fileinto"; if header "x-part" "one" { fileinto "x"; }'
    (effect,) = outcome(LOOP, TWO_PARTS, part=part).effects
    assert effect.message is None


def test_a_header_is_edited_to_and_from_included_scripts():
    script = """require ["include", "editheader", "fileinto"];
    addheader "X-A" "1"; deleteheader "Subject"; include "other";
    if allof (exists "x-b", not exists "x-a") { fileinto "back"; }"""
    other = """require ["editheader", "fileinto", "copy"];
    if allof (exists "x-a", not exists "subject") { fileinto :copy "there"; }
    addheader "X-B" "2"; deleteheader "X-A";"""
    assert actions(script, other=other) == [filed("there", copy=True), filed("back")]


def test_stop_in_a_loop_ends_everything_and_break_is_not_for_others_loops():
    assert actions(LOOP + "discard;", TWO_PARTS, part='if exists "x-part" { stop; }') == [KEEP]
    found = outcome(LOOP, TWO_PARTS, part='require "foreverypart"; break;').failure
    assert "is not placed inside a foreverypart loop" in found.text


def test_return_in_a_loop_goes_on_with_the_next_part():
    part = INCLUDE + 'require ["fileinto", "copy"]; if header "x-part" "one" { return; } fileinto :copy "x";'
    assert actions(LOOP, TWO_PARTS, part=part) == [filed("x", copy=True), KEEP]


def test_a_script_is_looked_for_once_in_a_run():
    asked = []

    class Counting(Repository):
        def included(self, location, name):
            asked.append(name)
            return super().included(location, name)

    script = INCLUDE + 'include "a"; include "a"; include :optional "b"; include :optional "b";'
    facts = Counting({"a": "keep;"}, Limits())
    run(compile_script(script, Limits()), message_of(COYOTE), envelope(), facts, Limits())
    assert asked == ["a", "b"]


def test_looking_for_scripts_that_are_not_there_is_charged():
    script = INCLUDE + "".join(f'include :optional "s{n}";' for n in range(1500))
    assert "too much text to compare" in failure(script).text
