import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import failure, outcome, problems

MIXED = b"""\
From: a@b.example
Subject: root
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain

one
--inner
Content-Type: text/html

<p>two</p>
--inner--
--outer
Content-Type: message/rfc822

Subject: inside
Content-Type: text/x-three

three
--outer
Content-Type: application/pdf

four
--outer--
"""
TYPES = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "message/rfc822", "text/x-three"]
R = 'require ["foreverypart", "mime", "variables", "vnd.dovecot.debug"];\n'
SAY = 'if header :mime :contenttype :matches "Content-Type" "*" { debug_log "${1}"; }\n'


def said(script, message=MIXED, **options):
    found = outcome(R + script, message, **options)
    assert found.failure is None, found.failure
    return [note.text for note in found.notes]


def test_every_part_has_its_turn_depth_first_the_message_first():
    assert said(f"foreverypart {{ {SAY} }}") == [*TYPES, "application/pdf"]


def test_a_message_without_parts_has_one_turn():
    assert said('foreverypart { debug_log "turn"; }', b"Subject: x\n\nhello\n") == ["turn"]
    assert said('foreverypart { debug_log "turn"; }', b"") == ["turn"]


def test_a_loop_inside_goes_through_what_is_below_the_part():
    script = f'foreverypart {{ debug_log "-"; foreverypart {{ {SAY} }} }}'
    below_root = [*TYPES[1:], "application/pdf"]
    assert said(script) == ["-", *below_root, "-", "text/plain", "text/html", "-", "-", "-", "text/x-three", "-", "-"]


def test_break_ends_the_innermost_loop():
    assert said(f"foreverypart {{ {SAY} break; }}") == ["multipart/mixed"]
    script = f'foreverypart {{ {SAY} foreverypart {{ {SAY} if true {{ break; }} }} }} debug_log "end";'
    assert said(script)[:3] == ["multipart/mixed", "multipart/alternative", "multipart/alternative"]
    assert said(script)[-1] == "end"


def test_break_with_a_name_ends_the_loop_of_that_name():
    script = 'foreverypart :name "a" { debug_log "a"; foreverypart :name "b" { debug_log "b"; break :name "a"; } }'
    assert said(script) == ["a", "b"]


def test_an_inner_loop_of_the_same_name_hides_the_outer_one():
    script = 'foreverypart :name "a" { debug_log "o"; foreverypart :name "a" { debug_log "i"; break :name "a"; } }'
    assert said(script) == ["o", "i", "o", "i", "o", "o", "o", "i", "o", "o"]


def test_after_a_loop_the_message_is_what_tests_look_at():
    assert said(f"foreverypart {{ break; }} {SAY}") == ["multipart/mixed"]
    assert said(f'foreverypart {{ foreverypart :name "x" {{ }} {SAY} break; }}') == ["multipart/mixed"]


def test_stop_in_a_loop_ends_the_script():
    found = outcome(R + "foreverypart { stop; } discard;", MIXED)
    assert found.failure is None
    assert found.implicit_keep


def test_actions_in_a_loop_that_are_equal_are_one():
    assert len(outcome(R + "foreverypart { keep; }", MIXED).effects) == 1


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("break;", "not placed inside a foreverypart loop"),
        ('foreverypart { break :name "x"; }', "named 'x'"),
        ('foreverypart :name "x" { break :name "X"; }', "named 'X'"),
        ('foreverypart :name "x" { } break :name "x";', "not placed inside"),
        ('foreverypart :name "${x}" { keep; }', "constant"),
        ('foreverypart :name "x" { break :name "${x}"; }', "constant"),
        ("foreverypart keep;", ""),
        ("foreverypart;", "requires a block"),
        ('foreverypart "x" { keep; }', "positional"),
        ("foreverypart :name { keep; }", "expects a string"),
        ('foreverypart { break "x"; }', "positional"),
        ("foreverypart {" * 5 + "}" * 5, "the limit is 4"),
    ],
)
def test_wrong_uses_are_errors_when_the_script_is_compiled(script, text):
    found = problems(R + script)
    assert len(found) == 1
    assert text in found[0]


def test_four_loops_may_be_inside_each_other():
    assert not problems(R + "foreverypart {" * 4 + "keep;" + "}" * 4)


def test_break_inside_of_an_if_is_inside_of_the_loop():
    assert not problems(R + "foreverypart { if true { if true { break; } } }")


def test_turns_are_counted_among_the_instructions():
    message = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 900
    script = R + "foreverypart { foreverypart { } }"
    assert "too many instructions" in failure(script, message, limits=Limits(instructions=1_000))


def test_parts_beyond_the_limit_are_one():
    message = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 10_000
    assert len(said('foreverypart { debug_log "x"; }', message, limits=Limits(notes=5_000))) == 1_000
