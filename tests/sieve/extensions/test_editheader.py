from dataclasses import replace

import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import actions, failure, outcome, problems, warnings

MAIL = b"Subject: hello\nReceived: a\nX-A: one\nX-A:  two\n three\nX-B: b\nX-A: one\n\nbody\n"
LONG = "x" * 3000


def after(script, message=MAIL, require="", **options):
    """The message as the implicit keep takes it."""
    names = "".join(f', "{name}"' for name in require.split())
    found = outcome(f'require ["editheader"{names}]; {script}', message, **options)
    assert found.failure is None, found.failure
    kept = found.effects[-1].message
    return bytes(kept.data) if kept else message


def without(*lines):
    rest = MAIL
    for line in lines:
        rest = rest.replace(line, b"", 1)
    return rest


def test_addheader_puts_a_field_first():
    assert after('addheader "X-New" "v";') == b"X-New: v\n" + MAIL


def test_addheader_last_puts_a_field_behind_all_others():
    assert after('addheader :last "X-New" "v";') == MAIL.replace(b"\n\n", b"\nX-New: v\n\n")


def test_the_last_one_added_is_the_first_field():
    assert after('addheader "X-1" "a"; addheader "X-2" "b";').startswith(b"X-2: b\nX-1: a\nSubject")


ONE, TWO, LAST = b"X-A: one\n", b"X-A:  two\n three\n", b"X-A: one\n\n"


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ('deleteheader "X-A";', without(ONE, TWO, ONE)),
        ('deleteheader "x-a";', without(ONE, TWO, ONE)),
        ('deleteheader :index 1 "X-A";', without(ONE)),
        ('deleteheader :index 2 "X-A";', without(TWO)),
        ('deleteheader :index 1 :last "X-A";', MAIL.replace(LAST, b"\n")),
        ('deleteheader :last :index 2 "X-A";', without(TWO)),
        ('deleteheader :index 9 "X-A";', MAIL),
        ('deleteheader :index 4 :last "X-A";', MAIL),
        ('deleteheader "X-C";', MAIL),
        ('deleteheader "X-A" "one";', without(ONE, ONE)),
        ('deleteheader "X-A" "two three";', without(TWO)),
        ('deleteheader "X-A" ["ONE", "two three"];', without(ONE, TWO, ONE)),
        ('deleteheader :comparator "i;octet" "X-A" "ONE";', MAIL),
        ('deleteheader :contains "X-A" "w";', without(TWO)),
        ('deleteheader :contains "X-A" "";', without(ONE, TWO, ONE)),
        ('deleteheader :matches "X-A" "t*";', without(TWO)),
        ('deleteheader :index 2 "X-A" "one";', MAIL),
        ('deleteheader :index 2 :contains "X-A" "two";', without(TWO)),
        ('deleteheader :matches "X-*";', MAIL),
        ('deleteheader :contains "X-B";', without(b"X-B: b\n")),
        ('deleteheader "Received";', MAIL),
        ('deleteheader :contains "RECEIVED" "a";', MAIL),
        ('deleteheader "Subject";', without(b"Subject: hello\n")),
    ],
)
def test_deleteheader_deletes(command, left):
    assert after(command) == left


def test_deleteheader_takes_every_match_type():
    assert after('deleteheader :regex "X-A" "^t.o";', require="regex") == without(TWO)
    assert after('deleteheader :value "gt" "X-A" "p";', require="relational") == without(TWO)
    assert after('deleteheader :count "eq" "X-A" "3";', require="relational") == without(ONE, TWO, ONE)
    assert after('deleteheader :count "eq" "X-A" "1";', require="relational") == MAIL


def test_patterns_see_encoded_words_decoded():
    assert after('deleteheader "X" "é";', b"X: =?utf-8?q?=C3=A9?=\nY: y\n\n") == b"Y: y\n\n"


@pytest.mark.parametrize("name", ["Received", "Auto-Submitted", "X-Sieve-Redirected-From"])
def test_what_protects_against_loops_is_never_deleted_and_may_be_added(name):
    mail = f"{name}: a\n\n".encode()
    found = outcome(f'require "editheader"; deleteheader "{name}";', mail)
    assert found.effects[0].message is None
    assert "was not deleted" in found.notes[0].text
    assert after(f'addheader "{name}" "b";', mail) == f"{name}: b\n".encode() + mail
    assert "cannot be deleted" in warnings(f'require "editheader"; deleteheader "{name}";')[0]


def site(**options):
    return replace(Limits(), options=replace(Limits().options, **options))


def test_the_site_can_forbid_fields():
    limits = site(forbid_add=frozenset({"x-spam"}), forbid_delete=frozenset({"x-a"}))
    assert after('addheader "X-Spam" "no"; deleteheader "X-A";', limits=limits) == MAIL
    assert after('addheader "X-A" "no";', limits=limits) != MAIL


def test_the_site_cannot_forbid_the_subject():
    limits = site(forbid_add=frozenset({"subject"}), forbid_delete=frozenset({"subject"}))
    assert after('deleteheader "Subject"; addheader "Subject" "new";', limits=limits).startswith(b"Subject: new\nRec")


@pytest.mark.parametrize("name", ["X New", "X:", "", "Näme", "a\tb", "N" * 600])
@pytest.mark.parametrize("command", ['addheader "{}" "v";', 'deleteheader "{}";'])
def test_a_name_that_no_field_can_have_is_an_error(command, name):
    (found,) = problems(f'require "editheader"; {command.format(name)}')
    assert "specified field name" in found
    assert "invalid" in found
    assert "specified field name" in failure(
        f'require ["editheader", "variables"]; set "n" "{name}"; {command.format("${n}")}', MAIL
    )


def test_a_value_with_nul_is_an_error():
    script = 'require ["editheader", "encoded-character", "variables"]; '
    (found,) = problems(script + 'addheader "X" "a${hex:00}b";')
    assert "specified value 'a" in found
    assert "NUL" in failure(script + 'set "x" "a${hex:00}b"; addheader "X" "${x}";')


def test_other_controls_are_an_error_in_a_literal_and_encoded_in_a_variable():
    script = 'require ["editheader", "encoded-character", "variables"]; '
    (found,) = problems(script + 'addheader "X" "a${hex:07}b";')
    assert "specified value" in found
    assert "invalid" in found
    assert after('set "x" "a${hex:07}b"; addheader "X" "${x}";', b"\n", "encoded-character variables") == (
        b"X: =?utf-8?B?YQdi?=\n\n"
    )


def test_a_value_has_a_largest_size():
    assert "too large (3000 > 2048)" in problems(f'require "editheader"; addheader "X" "{LONG}";')[0]
    script = f'require ["editheader", "variables"]; set "x" "{LONG}"; addheader "X" "${{x}}";'
    assert "too large (3000 > 2048)" in failure(script)
    larger = outcome(f'require "editheader"; addheader "X" "{LONG}";', MAIL, limits=site(header_size=5000))
    assert larger.effects[0].message.values("X") == (LONG,)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (
            'deleteheader :last "X";',
            ":last tag for the deleteheader command cannot be specified without the :index tag",
        ),
        ('deleteheader :index 0 "X";', "cannot be zero"),
        ("deleteheader;", "requires 1 to 2 positional arguments, but 0"),
        ('deleteheader "a" "b" "c";', "requires 1 to 2 positional arguments, but 3"),
        ('deleteheader ["X-A", "X-B"];', "expects a string for argument 1 (field name), but a string list"),
        ('deleteheader "X-A" 3;', "expects a string list for argument 2 (value patterns), but a number"),
        ('addheader "X" 3;', "expects a string for argument 2 (value), but a number"),
        ('addheader "X";', "requires 2 positional arguments"),
        ('addheader :index 1 "X" "v";', "unknown tagged argument ':index'"),
        ('deleteheader :is :contains "X" "v";', "duplicate"),
    ],
)
def test_wrong_use_is_refused(command, problem):
    (found,) = problems(f'require "editheader"; {command}')
    assert problem in found


# -- what sees the change ----------------------------------------------------------------------------------------


def decided(script, message=MAIL, require=""):
    names = "".join(f', "{name}"' for name in require.split())
    return actions(f'require ["editheader"{names}]; {script}', message)


def test_tests_see_the_changed_header():
    script = """addheader "X-Hello" "World";
        if allof(header :contains "X-Hello" "World", exists "x-hello", header :is "X-HELLO" "world") { discard; }"""
    assert decided(script) == [{"action": "discard"}]
    assert decided('deleteheader "X-B"; if not exists "X-B" { discard; }') == [{"action": "discard"}]
    assert decided('deleteheader "To"; addheader "To" "a@b.example"; if address "to" "a@b.example" { discard; }') == [
        {"action": "discard"}
    ]


def test_size_sees_the_change_at_once():
    size = len(MAIL.replace(b"\n", b"\r\n"))
    assert decided(
        f'if size :over {size} {{ keep; }} addheader "X" "{"v" * 100}"; if size :over {size + 100} {{ discard; }}'
    )
    assert decided(f'deleteheader "X-B"; if size :under {size - 7} {{ discard; }}')[0]["action"] == "discard"


def test_an_action_takes_the_message_as_it_is_then():
    found = outcome(
        'require ["editheader", "copy", "fileinto"]; addheader "X" "1"; fileinto :copy "A"; addheader "X" "2"; redirect :copy "a@b.example";',
        MAIL,
    )
    first, second, keep = (bytes(effect.message.data) for effect in found.effects)
    assert first.startswith(b"X: 1\nSub")
    assert second.startswith(b"X: 2\nX: 1\nSub")
    assert keep == second


def test_a_keep_before_the_change_has_the_message_as_it_came():
    found = outcome('require "editheader"; keep; addheader "X-Flavor" "vanilla"; keep;', MAIL)
    assert len(found.effects) == 1  # RFC 5293 §7: it must only be filed once


def test_after_an_error_nothing_is_changed():
    found = outcome('require ["editheader", "ihave"]; addheader "X" "1"; error "no";', MAIL)
    assert [effect.message for effect in found.carried_out] == [None]


def test_each_edit_is_told_of():
    found = outcome('require "editheader"; addheader "X" "1"; deleteheader "X-A"; deleteheader "Y";', MAIL)
    assert [note.text for note in found.edits] == ["added X: 1", "deleted X-A (3 times)"]


def test_a_changed_message_cancels_no_keep():
    assert decided('addheader "X" "1";')[0]["implicit"]


def test_match_variables_are_set_by_what_was_deleted():
    script = 'deleteheader :matches "X-A" "two *"; addheader "X-Was" "${1}";'
    assert after(script, require="variables").startswith(b"X-Was: three\n")


def test_many_edits_of_a_large_header_end_in_time():
    mail = b"X: " + b"y" * 1_000_000 + b"\n\nbody"
    script = 'require "editheader";' + 'addheader "A" "a"; deleteheader "A";' * 2_000
    assert "too much text" in failure(script, mail)


def test_ten_thousand_fields_are_deleted_in_one_go():
    assert after('deleteheader "X";', b"X: y\n" * 10_000 + b"A: a\n\nbody") == b"A: a\n\nbody"


# -- the examples of RFC 5293 --------------------------------------------------------------------------------------

REDIRECTED = """require "editheader";
/* Don't redirect if we already redirected */
if not header :contains "X-Sieve-Filtered"
        ["<kim@job.example.com>", "<kim@home.example.com>"]
{
        addheader "X-Sieve-Filtered" "<kim@job.example.com>";
        redirect "kim@home.example.com";
}"""


def test_example_of_section_4():
    found = outcome(REDIRECTED, MAIL)
    assert found.effects[0].message.values("X-Sieve-Filtered") == ("<kim@job.example.com>",)
    assert outcome(REDIRECTED, found.effects[0].message.data).effects[0].implicit


def test_example_of_section_5():
    delete = 'deleteheader :index 1 :contains "Delivered-To" "bob@example.com";'
    bob, eve = b"Delivered-To: <bob@example.com>\n", b"Delivered-To: eve@example.com\n"
    assert after(delete, bob + eve + b"\n") == eve + b"\n"
    assert after(delete, eve + bob + b"\n") == eve + bob + b"\n"


def test_examples_of_section_7_leave_unchanged_and_delete_first_and_third():
    assert after('addheader "X-Hello" "World"; deleteheader :index 1 "X-Hello";') == MAIL
    three = b"X-Hello: 1\nX-Hello: 2\nX-Hello: 3\n\n"
    assert after('deleteheader :index 1 "X-Hello"; deleteheader :index 2 "X-Hello";', three) == b"X-Hello: 2\n\n"


def test_decoding_a_flood_of_encoded_words_for_each_deletion_is_charged_for():
    flood = b"X: =?utf-8?q?=c3=a9?= =?iso-2022-jp?b?GyRCJCIbKEI=?=\n" * 2_000 + b"\n"
    script = 'require "editheader";' + 'deleteheader "X" "zz";\n' * 100
    assert "too much text to compare" in failure(script, flood, limits=Limits(matching=5_000_000))
