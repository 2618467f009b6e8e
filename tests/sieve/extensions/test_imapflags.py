import pytest

from tests.sieve.trying import actions, problems, warnings


def flags(body):
    return actions(f'require ["imapflags", "fileinto"]; {body}')[0]["flags"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('addflag "\\\\Seen";', ["\\Seen"]),
        ('addflag ["\\\\Seen", "$Work"];', ["\\Seen", "$Work"]),
        ('addflag "\\\\seen $Work";', ["\\Seen", "$Work"]),
        ('addflag "\\\\Seen"; setflag "\\\\Answered";', ["\\Answered"]),
        ('addflag ["\\\\Seen", "$Work"]; removeflag "\\\\SEEN";', ["$Work"]),
        ("mark;", ["\\Flagged"]),
        ('addflag "\\\\Seen"; mark; unmark;', ["\\Seen"]),
        ('mark; fileinto "x";', ["\\Flagged"]),
        ("mark; keep;", ["\\Flagged"]),
    ],
)
def test_flags_go_with_what_is_stored(body, found):
    assert flags(body) == found


def test_what_is_no_flag_is_warned_about():
    assert "is no flag" in warnings('require "imapflags"; addflag "\\\\Bogus";')[0]


def test_the_two_spellings_exclude_each_other():
    assert "cannot be used together" in problems('require ["imapflags", "imap4flags"]; keep;')[0]


@pytest.mark.parametrize("body", ['if hasflag "x" { keep; }', 'keep :flags "x";', 'addflag "v" "x";', 'mark "x";'])
def test_what_only_imap4flags_has_is_unknown(body):
    assert problems(f'require "imapflags"; {body}') != []


def test_mark_is_no_command_of_imap4flags():
    assert "unknown command 'mark'" in problems('require "imap4flags"; mark;')[0]
