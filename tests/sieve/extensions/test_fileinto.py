import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import KEEP, actions, failure, filed, outcome, problems

R = 'require ["fileinto", "copy", "variables", "imap4flags", "mailbox", "encoded-character"];\n'


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('fileinto "INBOX.harassment";', [filed("INBOX.harassment")]),
        ('fileinto "Grüße/📬";', [filed("Grüße/📬")]),
        ('fileinto "A"; fileinto "B";', [filed("A"), filed("B")]),
        ('fileinto "A"; fileinto "A";', [filed("A")]),
        ('fileinto "A"; fileinto "a";', [filed("A"), filed("a")]),
        ('fileinto "A"; keep;', [filed("A"), {"action": "keep", "flags": []}]),
        ('fileinto "INBOX";', [filed("INBOX")]),
        ('fileinto "inbox"; fileinto "INBOX";', [filed("inbox")]),
        ('fileinto "INBOX"; keep;', [{"action": "keep", "flags": []}]),
        ('keep; fileinto "InBox";', [{"action": "keep", "flags": []}]),
        ('fileinto "A"; fileinto "INBOX"; keep;', [filed("A"), {"action": "keep", "flags": []}]),
        ('fileinto "A"; discard;', [filed("A"), {"action": "discard"}]),
        ('fileinto :flags "\\\\Seen" "A"; fileinto "B"; fileinto :flags "\\\\Flagged" "A";',
         [filed("A", "\\Flagged"), filed("B")]),
        ('fileinto :create "A"; fileinto "A";', [filed("A", create=True)]),
        ('set "x" "li"; fileinto "${x}sts";', [filed("lists")]),
    ],
)  # fmt: skip
def test_what_fileinto_decides(script, expected):
    assert actions(R + script) == expected


def test_keep_and_inbox_stay_apart_where_keep_goes_to_a_detail_folder():
    found = actions(R + 'fileinto "INBOX"; keep;', recipient="roadrunner+lists@acme.example.com")
    assert found == [filed("INBOX"), {"action": "keep", "flags": []}]


def test_a_copy_in_inbox_leaves_the_implicit_keep_to_whoever_knows_the_mailboxes():
    assert actions(R + 'fileinto :copy "INBOX";') == [filed("INBOX", copy=True), KEEP]


def test_a_mailbox_name_that_is_no_utf8_is_refused():
    assert problems(R.encode() + b'fileinto "\xff";') == ["2:10: error: invalid folder name: it is not UTF-8"]
    assert problems(R + 'fileinto "${hex:ff}";') == ["2:10: error: invalid folder name: it is not UTF-8"]
    assert failure(R + 'set "x" "${hex:ff}"; fileinto "a${x}";').endswith("invalid folder name: it is not UTF-8")


def test_an_empty_mailbox_name_is_a_runtime_error():
    assert failure(R + '\nfileinto "${x}";') == "3:1: error: invalid folder name: it is empty"


def test_fileinto_needs_its_require():
    assert problems('fileinto "A";') == ["1:1: error: unknown command 'fileinto'"]


def test_the_line_of_an_action_is_kept():
    found = outcome(R + '\n\nfileinto "A";', limits=Limits())
    assert found.effects[0].line == 4
