"""The rules of a script, and which of them a run entered."""

import pytest

from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.compile import compile_script
from sievemda.sieve.facts import Unknown
from sievemda.sieve.limits import Limits
from sievemda.sieve.rules import rules
from sievemda.sieve.run import Entered, run

SCRIPT = """require ["fileinto"];
# rule:[Invoices]
if header :contains "subject" ["invoice", "bill"] {
    fileinto "a";
    # big ones
    # are kept elsewhere
    if size :over 1M { keep; }
}
elsif anyof (true, not exists "x")
{ keep; } else { discard; }
"""


def test_every_branch_is_a_rule_with_its_place_and_its_depth():
    found = [(rule.line, rule.column, rule.depth) for rule in rules(SCRIPT, Limits())]
    assert found == [(3, 1, 0), (7, 5, 1), (9, 1, 0), (10, 11, 0)]


def test_a_rule_without_a_name_is_called_by_its_test():
    assert [rule.called for rule in rules(SCRIPT, Limits())] == [
        "Invoices",
        "are kept elsewhere",
        'elsif anyof (true, not exists "x")',
        "else",
    ]


@pytest.mark.parametrize(
    ("comment", "name"),
    [
        ("# rule:[A [b] c]", "A [b] c"),
        ("## Filter: Lists", "Lists"),
        ("#Spam goes away", "Spam goes away"),
        ("# rule:[Named]\n# and a remark", "Named"),
        ("# not this one\n", ""),
        ("#", ""),
    ],
)
def test_the_comment_above_names_the_rule(comment, name):
    (rule,) = rules(f"{comment}\r\nif true {{ keep; }}", Limits())
    assert rule.name == name


@pytest.mark.parametrize("number", ["0", "1", "1000", "1023", "1K", "1025", "100K", "3M", "2G", "1536K"])
def test_a_round_number_has_its_unit_in_a_title(number):
    (rule,) = rules(f"if size :over {number} {{ keep; }}", Limits())
    assert rule.title == f"if size :over {number}"


def test_a_title_is_cut_and_stays_on_its_line():
    (rule,) = rules(b'if header "subject" "a\n' + b"x" * 1000 + b'" { keep; }', Limits())
    assert len(rule.title) == 120
    assert "\n" not in rule.title


def test_a_run_tells_which_rules_it_entered():
    envelope = Envelope(Sender(None), Recipient(Address("kim", "example.org")))
    program = compile_script(SCRIPT, Limits())
    outcome = run(program, Message(b"Subject: x\n\n"), envelope, Unknown(), Limits())
    assert outcome.entered == (Entered(9, 1),)


def test_a_comment_at_the_end_of_a_block_is_not_the_name_of_the_branch_behind_it():
    (first, second) = rules("# one\nif true {\n    # nothing yet\n} else {\n}\n", Limits())
    assert (first.name, second.name) == ("one", "")
