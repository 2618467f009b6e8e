from sievemda.sieve import Limits
from sievemda.sieve.effects import Note
from tests.sieve.trying import COYOTE, outcome, problems


def notes(script, message=COYOTE, **options):
    return list(outcome(script, message, **options).notes)


def test_a_line_is_written_to_the_log():
    script = 'require "vnd.dovecot.debug";\nif header :contains "subject" "present" { debug_log "it has one"; }'
    assert notes(script) == [Note(2, "it has one")]


def test_the_example_with_variables():
    script = """require ["variables", "envelope", "vnd.dovecot.debug"];
    if envelope :matches "to" "*" { set "to" "${1}"; }
    if envelope :matches "from" "*" { set "from" "${1}"; }
    debug_log "Received message TO=${to} FROM=${from}";"""
    assert [note.text for note in notes(script)] == [
        "Received message TO=roadrunner@acme.example.com FROM=coyote@desert.example.org"
    ]


def test_it_is_no_action_and_the_keep_stays():
    found = outcome('require "vnd.dovecot.debug"; debug_log "x";')
    assert found.implicit_keep


def test_what_was_written_before_an_error_is_kept():
    script = 'require ["vnd.dovecot.debug", "ihave"]; debug_log "x"; error "no"; debug_log "y";'
    assert [note.text for note in notes(script)] == ["x"]


def test_number_and_length_of_lines_are_bounded():
    limits = Limits(notes=3, note_size=10)
    script = 'require "vnd.dovecot.debug";' + 'debug_log "0123456789abcdef";' * 5
    assert [note.text for note in notes(script, limits=limits)] == ["0123456789"] * 3


def test_it_takes_one_string():
    assert "requires 1 positional arguments, but 2" in problems('require "vnd.dovecot.debug"; debug_log "a" "b";')[0]
    assert "expects a string" in problems('require "vnd.dovecot.debug"; debug_log ["a"];')[0]
