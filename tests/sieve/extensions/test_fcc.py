"""RFC 8580: every statement about `:fcc` on vacation; on notify, see test_enotify."""

import pytest

from sievemda.sieve.effects import Respond, Store
from tests.sieve.trying import COYOTE, hints, outcome, problems, warnings

R = 'require ["vacation", "fcc", "mailbox", "imap4flags", "reject", "ereject", "fileinto", "variables", "copy"];\n'


def copy_of(script):
    found = outcome(R + script, COYOTE)
    assert found.failure is None, found.failure
    (effect,) = (effect for effect in found.effects if isinstance(effect, Respond))
    return effect.fcc


def test_a_copy_of_the_answer_goes_into_the_mailbox():
    assert copy_of('vacation :fcc "INBOX.Sent" "away";') == Store(mailbox="INBOX.Sent", line=2)


@pytest.mark.parametrize(
    "tags",
    [
        ':fcc "INBOX.Sent" :create :flags ["\\\\Seen"]',
        ':create :fcc "INBOX.Sent" :flags ["\\\\Seen"]',
        ':flags ["\\\\Seen"] :days 7 :create :from "hemingway@example.com" :fcc "INBOX.Sent"',
    ],
)
def test_the_tags_of_fileinto_may_stand_in_any_order(tags):
    assert copy_of(f'vacation {tags} "Gone Fishin\'";') == Store(
        mailbox="INBOX.Sent", create=True, flags=("\\Seen",), line=2
    )


def test_without_flags_the_copy_has_none_even_when_the_script_has_set_some():
    assert copy_of('setflag "\\\\Flagged"; vacation :fcc "Sent" "away";').flags == ()


def test_the_mailbox_may_hold_variables():
    assert copy_of('set "year" "2026"; vacation :fcc "Sent/${year}" "away";').mailbox == "Sent/2026"


def test_an_empty_name_keeps_no_copy_and_the_answer_goes_all_the_same():
    found = outcome(R + 'vacation :fcc "${none}" "away";', COYOTE)
    (answer, _) = found.effects
    assert answer.text
    assert answer.fcc is None
    assert found.notes[0].text == "no copy is kept: the folder name is empty"


def test_an_empty_name_that_is_there_to_be_read_is_warned_of():
    assert "no mailbox has an empty name" in str(warnings(R + 'vacation :fcc "" "away";'))


@pytest.mark.parametrize("tag", [":create", ':flags "\\\\Seen"'])
def test_the_tags_of_fileinto_need_fcc(tag):
    (problem,) = problems(R + f'vacation {tag} "away";')
    assert "possible on the vacation command only together with ':fcc'" in problem


@pytest.mark.parametrize("tag", [":create", ':flags "\\\\Seen"'])
def test_the_extension_of_such_a_tag_must_be_required(tag):
    script = f'require ["vacation", "fcc"]; vacation :fcc "Sent" {tag} "away";'
    (problem,) = problems(script)
    assert "unknown tagged argument" in problem
    assert "add require" in hints(script)[0]


@pytest.mark.parametrize(
    "command",
    [
        'reject :fcc "Sent" "no";',
        'ereject :fcc "Sent" "no";',
        'redirect :fcc "Sent" "a@example.com";',
        'fileinto :fcc "Sent" "Lists";',
        'keep :fcc "Sent";',
        'discard :fcc "Sent";',
    ],
)
def test_actions_that_make_no_message_take_no_copy(command):
    """§7, §8; and the message does not ask for what is required already."""
    (problem,) = problems(R + command)
    assert "unknown tagged argument ':fcc'" in problem
    assert "add require" not in hints(R + command)[0]


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        (':fcc "a" :fcc "b"', "duplicate ':fcc'"),
        (":fcc", "expects a string"),
        (':fcc ["a", "b"]', "expects a string, but a string list was found"),
        (':fcc "a" :create :create', "duplicate ':create'"),
        (':fcc "a" :copy', "unknown tagged argument ':copy'"),
    ],
)
def test_faults_of_the_tags(tags, fault):
    (problem,) = problems(R + f'vacation {tags} "away";' if tags != ":fcc" else R + "vacation :fcc 3;")
    assert fault in problem


def test_fcc_must_be_required():
    (hint,) = hints('require "vacation"; vacation :fcc "Sent" "away";')
    assert 'add require ["fcc"]' in hint
