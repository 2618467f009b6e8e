"""Look-up instead of comparison leaves nothing else than the plain interpreter does."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sievemda.delivery.tried import pack, unpack
from sievemda.sieve.compile import ProgramCache, compile_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.run import Origin, Run, run
from sievemda.sieve.sequence import Stage, run_all
from sievemda.sieve.trail import Trail
from tests.sieve.rulesets import Rulesets
from tests.sieve.steps import steps
from tests.sieve.trying import NOW, envelope

REQUIRE = (
    'require ["fileinto", "envelope", "variables", "editheader", "foreverypart", "mime", "relational", "subaddress",'
    ' "comparator-i;ascii-numeric", "copy"];\n'
)
PIECES = [
    "",
    "a",
    "A",
    "ab",
    "abc",
    "Invoice",
    "invoice 7",
    "voi",
    "ä",
    "Ä",
    "é@x",
    "a@example.org",
    "example.org",
    "7",
]
KEYS = st.one_of(st.sampled_from(PIECES), st.text("abcäÄ 7@.", max_size=6))
PATTERNS = st.one_of(
    KEYS, st.text("abc*?ä\\\\", max_size=6), st.sampled_from(["*voi*", "*@*", "*", "?nvoice ?", "*ä?"])
)
FIELDS = ["subject", "Subject", "from", "to", "x-one", "x-two"]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(texts):
    return quoted(texts[0]) if len(texts) == 1 else "[" + ", ".join(map(quoted, texts)) + "]"


@st.composite
def comparison(draw, kinds=(":is", ":contains", ":matches"), tests=("header", "header", "address", "envelope")):
    kind = draw(st.sampled_from(kinds))
    pool = PATTERNS if kind == ":matches" else KEYS
    keys = listed(draw(st.lists(pool, min_size=1, max_size=3)))
    comparator = draw(st.sampled_from(["", ' :comparator "i;octet"', ' :comparator "i;unicode-casemap"']))
    part = draw(st.sampled_from(["", " :domain", " :localpart", " :all", " :user", " :detail"]))
    names = listed(draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=2)))
    addresses = listed(draw(st.lists(st.sampled_from(["from", "to", "From"]), min_size=1, max_size=2)))
    match draw(st.sampled_from(tests)):
        case "header":
            return f"header {kind}{comparator} {names} {keys}"
        case "address":
            return f"address {kind}{comparator}{part} {addresses} {keys}"
        case "envelope":
            where = draw(st.sampled_from(["from", "to"]))
            return f'envelope {kind}{comparator}{part} "{where}" {keys}'
        case _:
            return f'string {kind}{comparator} "${{v}}" {keys}'


def nested(tests):
    """Tests of these, and tests of tests."""
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            st.builds(lambda tests: f"anyof({', '.join(tests)})", st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda tests: f"allof({', '.join(tests)})", st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=3,
    )


OTHER = st.one_of(
    comparison(kinds=(':count "ge"', ':value "gt"')),
    comparison(tests=("string",)),
    comparison().map("not {}".format),
    st.sampled_from(["true", "false", 'exists "x-one"', "size :over 100", 'header :mime :is "subject" "a"']),
)
LOOKED_UP = nested(comparison())
TESTS = st.one_of(LOOKED_UP, LOOKED_UP, nested(st.one_of(comparison(), OTHER)))
ACTIONS = st.sampled_from([
    'fileinto :copy "A";', 'fileinto "B${1}";', 'set "v" "${0}x";', 'set "v" "abc";', "stop;", "keep;", "",
    'addheader "subject" "Invoice 7";', 'deleteheader "subject";', 'addheader "x-one" "${1}";',
])  # fmt: skip
SIMPLE = st.builds("if {} {{ {} }}\n".format, LOOKED_UP, ACTIONS)


def chained(inner, most):
    """An `if` with its `elsif` and, at times, `else`."""

    def joined(parts, other):
        words = ["if", *["elsif"] * len(parts)]
        links = [f"{word} {test} {{ {' '.join(block)} }}\n" for word, (test, block) in zip(words, parts, strict=False)]
        return "".join(links) + (f"else {{ {' '.join(other)} }}\n" if other else "")

    parts = st.lists(st.tuples(TESTS, st.lists(inner, max_size=2)), min_size=1, max_size=most)
    return st.builds(joined, parts, st.lists(inner, max_size=1))


RULES = st.recursive(
    st.one_of(ACTIONS, SIMPLE),
    lambda inner: st.one_of(
        chained(inner, 6),
        st.builds(
            lambda test, block: f"if {test} {{ {' '.join(block)} }}\n",
            OTHER,
            st.lists(st.one_of(SIMPLE, inner), min_size=4, max_size=8),
        ),
        st.builds(
            lambda block: f"foreverypart {{ {' '.join(block)} }}\n",
            st.lists(st.one_of(SIMPLE, inner), min_size=3, max_size=6),
        ),
    ),
    max_leaves=4,
)
SCRIPTS = st.builds(
    lambda rules: REQUIRE + "\n".join(rules), st.lists(st.one_of(SIMPLE, SIMPLE, RULES), min_size=4, max_size=12)
)
VALUES = st.one_of(KEYS, st.text("abcäÄ 7@.,<>", max_size=12), st.sampled_from(["a@example.org", "=?utf-8?q?=C3=A4?="]))
MESSAGES = st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=6)
BUDGETS = st.builds(
    Limits,
    lookup=st.integers(2, 4),
    instructions=st.one_of(st.just(200_000), st.integers(0, 60)),
    matching=st.one_of(st.just(50_000_000), st.integers(0, 3000)),
    looks=st.just(0),
    trace=st.one_of(st.just(2_000), st.integers(0, 12)),
)


def left(program, raw, limits):
    """Everything that a run leaves, in a form that can be compared."""
    message = message_of(raw)
    state = Run(program, message, envelope(), Imagined(NOW), limits)
    failure = state.follow()
    budget = () if failure else (state._steps, state._matching)
    outcome = run(program, message_of(raw), envelope(), Imagined(NOW), limits)
    assert outcome.failure == failure
    edited = bytes(state.message.data)
    effects = [replace(effect, message=None) if hasattr(effect, "message") else effect for effect in outcome.effects]
    told = (tuple(outcome.tests), outcome.entered, outcome.notes, outcome.edits, outcome.implicit_keep)
    return failure, effects, told, state.captures, state.variables, state.line, budget, edited, state._room


@settings(max_examples=60, deadline=None)
@given(script=SCRIPTS, fields=MESSAGES, limits=BUDGETS)
def test_a_run_leaves_the_same_with_look_up_and_without(script, fields, limits):
    raw = ("".join(f"{name}: {value}\n" for name, value in fields) + "\nbody\n").encode()
    program = compile_script(script, limits)
    assert left(program, raw, limits) == left(program, raw, replace(limits, lookup=0))


def row(programs, raw, path, limits):
    """What scripts in a row leave, with what the journal has of it. The first two may be included too."""
    included = {"one": programs[0], "two": programs[1]}
    stages = [Stage(lambda one=one: one, Origin(label)) for one, label in zip(programs, ("a", "b", ""), strict=True)]
    facts = Imagined(NOW, scripts=lambda _, name: included.get(name))
    found = run_all(stages, message_of(raw), path, facts, limits)
    effects = [replace(effect, message=None) if hasattr(effect, "message") else effect for effect in found.effects]
    edited = [bytes(effect.message.data) for effect in found.effects if getattr(effect, "message", None)]
    why = unpack(json.loads(json.dumps(pack(found.tests))))
    told = tuple(found.tests), len(found.tests), found.entered, found.notes, found.edits, found.implicit_keep
    return found.failure, effects, edited, told, why


@pytest.mark.parametrize("number", range(60))
def test_scripts_in_a_row_leave_the_same_with_look_up_and_without(number):
    made = Rulesets(number)
    limits, path = made.limits(), made.envelope()
    programs = [compile_script(made.script(), limits) for _ in range(3)]
    for _ in range(3):
        raw = made.message()
        assert row(programs, raw, path, limits) == row(programs, raw, path, replace(limits, lookup=0))


def test_such_scripts_are_looked_up_and_come_to_something():
    """So that the test above cannot pass because nothing happens in it."""
    seen = Counter()
    for number in range(60):
        made = Rulesets(number)
        limits, path = made.limits(), made.envelope()
        state = Run(compile_script(made.script(), limits), message_of(made.message()), path, Imagined(NOW), limits)
        seen["failures"] += state.follow() is not None
        seen["looked up"] += bool(state.looks)
        seen["rules"] += bool(state.entered)
        seen["edits"] += bool(state.edits)
    assert min(seen[what] for what in ("failures", "looked up", "rules", "edits")) > 3


def rules(number, test='header :contains "subject" "word{n}"', action='fileinto "F{n}";'):
    return 'require "fileinto";\n' + "".join(
        f"if {test.format(n=n)} {{ {action.format(n=n)} }}\n" for n in range(number)
    )


def chain(number, test='header :is "from" "u{n}@example.org"'):
    links = " ".join(f"elsif {test.format(n=n)} {{ discard; }}" for n in range(number))
    return links.removeprefix("els")


MANY = {
    "contains": rules(1000),
    "is": rules(1000, 'header :is "subject" "word{n}"'),
    "matches": rules(1000, 'header :matches "subject" "*word{n}*"'),
    "address": rules(1000, 'address :domain :is "from" "d{n}.example.org"'),
    "anyof": rules(1000, 'anyof(header :is "subject" "x{n}", address :is "from" ["a{n}@b", "c{n}@d"])'),
    "allof": rules(1000, 'allof(header :is "subject" "x{n}", not exists "x-no")'),
    "branches": chain(1000),
    "false": rules(1000, "false"),
}


def worked(script, message=b"From: a@example.net\nSubject: hello\n\n", limits=None):
    """The steps of a run when everything that can be kept is known."""
    limits = limits or Limits()
    program = compile_script(script, limits)
    work = lambda: run(program, message_of(message), envelope(), Imagined(NOW), limits)  # noqa: E731
    work()
    return steps(work)


@pytest.mark.parametrize("script", MANY.values(), ids=MANY)
def test_a_thousand_rules_take_few_steps(script):
    count, outcome = worked(script)
    assert outcome.failure is None
    assert count < 300
    assert len(outcome.tests) >= 1000


def test_the_envelope_is_looked_up():
    script = 'require "envelope";\n' + rules(1000, 'envelope :localpart :is "from" "u{n}"').replace("\n", " ", 1)
    assert worked(script)[0] < 300


def test_the_rule_in_the_middle_is_found():
    _, outcome = worked(rules(1000), b"Subject: about word517 and more\n\n")
    assert [effect.mailbox for effect in outcome.effects] == ["F5", "F51", "F517"]
    assert [test.result for test in outcome.tests].count(True) == 3
    assert [entered.line for entered in outcome.entered] == [7, 53, 519]


def test_a_changed_header_is_looked_up_anew():
    script = (
        'require ["fileinto", "editheader"];\nif header :is "subject" "word1" { addheader "subject" "word7"; }\n'
    ) + rules(20, 'header :is "subject" "word{n}"').split("\n", 1)[1]
    _, outcome = worked(script, b"Subject: word1\n\n")
    assert [effect.mailbox for effect in outcome.effects] == ["F1", "F7"]


def test_a_budget_that_runs_out_does_so_at_the_same_test():
    limits = Limits(instructions=301)
    _, outcome = worked(rules(1000), limits=limits)
    _, plain = worked(rules(1000), limits=replace(limits, lookup=0))
    assert outcome.failure == plain.failure
    assert outcome.failure.line == 152
    assert outcome.tests == plain.tests


def test_what_was_skipped_is_spelled_out_when_it_is_read():
    _, outcome = worked(rules(100))
    assert isinstance(outcome.tests, Trail)
    assert len(outcome.tests.parts) == 1
    assert outcome.tests[17].compared == (((("hello",)), ("word17",)),)
    assert repr(outcome.tests[:1]) == repr(tuple(outcome.tests)[:1])


def test_the_trail_of_several_scripts_is_one():
    limits = Limits(trace=150)
    program = compile_script(rules(100), limits)
    message = message_of(b"Subject: hello\n\n")
    outcome = run_all([Stage(lambda: program)] * 2, message, envelope(), Imagined(NOW), limits)
    plain = run_all([Stage(lambda: program)] * 2, message, envelope(), Imagined(NOW), replace(limits, lookup=0))
    assert len(outcome.tests) == 150
    assert outcome == plain


def test_a_long_value_is_compared_as_ever():
    script, value = rules(30), b"x" * 40_000
    _, outcome = worked(script, b"Subject: " + value + b"word7\n\n")
    assert [effect.mailbox for effect in outcome.effects] == ["F7"]
    assert not isinstance(outcome.tests, Trail)


def test_the_texts_that_one_run_looks_at_are_bounded():
    script = 'require ["editheader", "foreverypart"];\n' + (
        'foreverypart { addheader "x-b" "b";' + 'if header :is "subject" "y" { stop; }' * 10 + "}\n"
    )
    boundary = b"".join(b"--b\n\nx\n" for _ in range(200))
    message = b"Subject: " + b"x" * 15_000 + b"\nContent-Type: multipart/mixed; boundary=b\n\n" + boundary + b"--b--\n"
    program = compile_script(script, Limits())
    state = Run(program, message_of(message), envelope(), Imagined(NOW), Limits())
    assert state.follow() is None
    assert state.looked < (1 << 20) + 16_384


def test_few_rules_are_not_planned():
    program = compile_script(rules(7), Limits())
    run(program, message_of(b"Subject: x\n\n"), envelope(), Imagined(NOW), Limits())
    assert not program.plans


def test_rules_on_a_hundred_different_fields_are_looked_up_for_some_of_them():
    _, outcome = worked(rules(100, 'header :is "x-{n}" "a"'), b"X-7: a\nX-99: a\n\n")
    assert [effect.mailbox for effect in outcome.effects] == ["F7", "F99"]


def test_the_plans_of_a_program_are_made_once():
    program = ProgramCache(Limits()).get((rules(50) + chain(50)).encode())
    message = b"Subject: word7\nFrom: u7@example.org\n\n"
    run(program, message_of(message), envelope(), Imagined(NOW), Limits())
    made = dict(program.plans)
    run(program, message_of(message), envelope(), Imagined(NOW), Limits())
    assert len(made) == 2
    assert all(program.plans[key] is plan for key, plan in made.items())


def test_many_threads_may_run_a_program_for_the_first_time():
    texts = [f"Subject: word{n}\nFrom: u{n}@example.org\n\n".encode() for n in range(16)]
    source, start = rules(200) + chain(200), threading.Barrier(len(texts))
    looked_up, plain = compile_script(source, Limits()), compile_script(source, Limits(lookup=0))

    def work(text):
        start.wait()
        return run(looked_up, message_of(text), envelope(), Imagined(NOW), Limits())

    with ThreadPoolExecutor(len(texts)) as pool:
        found = list(pool.map(work, texts))
    limits = Limits(lookup=0)
    assert found == [run(plain, message_of(text), envelope(), Imagined(NOW), limits) for text in texts]
