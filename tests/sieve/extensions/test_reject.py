import pytest

from sievemda.sieve.effects import Refuse
from tests.sieve.trying import actions, failure, outcome

R = 'require ["reject", "ereject", "fileinto", "vacation"];\n'


def test_a_rejected_message_is_not_kept():
    script = R + "reject text:\nI am not taking mail from you, and I don't\nwant your birdseed, either!\n.\n;"
    reason = "I am not taking mail from you, and I don't\r\nwant your birdseed, either!\r\n"
    assert actions(script) == [{"action": "reject", "reason": reason}]


def test_ereject_is_an_action_of_its_own():
    assert actions(R + 'ereject "no";') == [{"action": "ereject", "reason": "no"}]
    assert outcome(R + 'ereject "no";').effects == (Refuse(reason="no", extended=True, line=2),)


@pytest.mark.parametrize(
    ("script", "first", "second"),
    [
        ("reject", 'reject "a";', 'reject "b";'),
        ("ereject", 'reject "a";', 'ereject "b";'),
        ("reject", "keep;", 'reject "b";'),
        ("keep", 'reject "b";', "keep;"),
        ("reject", 'fileinto "x";', 'reject "b";'),
        ("fileinto", 'ereject "b";', 'fileinto "x";'),
        ("reject", 'redirect "a@b";', 'reject "b";'),
        ("vacation", 'reject "b";', 'vacation "gone";'),
        ("reject", 'vacation "gone";', 'reject "b";'),
    ],
)
def test_reject_cannot_be_combined_and_the_error_names_both_lines(script, first, second):
    text = failure(f"{R}{first}\n{second}")
    assert text.startswith(f"3:1: error: {script} (line 3) cannot be combined with ")
    assert text.endswith("(line 2)")


def test_discard_does_not_disturb_a_rejection():
    assert actions(R + 'discard; reject "no";') == [{"action": "discard"}, {"action": "reject", "reason": "no"}]
