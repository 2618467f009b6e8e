"""What each rule costs."""

import pytest

from sievemda.sieve.compile import compile_script
from sievemda.sieve.cost import measured, worst
from sievemda.sieve.limits import Limits
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.rules import rules
from sievemda.sieve.run import Run
from tests.sieve.trying import COYOTE, NOW, envelope

SCRIPT = """\
require ["fileinto", "body", "foreverypart", "variables"];
set "a" "x${a}";
# rule:[Presents]
if header :contains "subject" ["gift", "present"] {
    fileinto "Presents";
    if size :over 1M { discard; }
} elsif anyof (address :domain :is "from" "example.org", header :is "x" "y") {
    keep;
} else {
    stop;
}
foreverypart { if body :contains "anvil" { keep; } }
"""


def of(script, message=None, limits=None):
    limits = limits or Limits()
    program, found = compile_script(script, limits), rules(script, limits)
    if message is None:
        return worst(program, found, envelope(), Imagined(NOW), limits)
    return measured(program, found, message_of(message), envelope(), Imagined(NOW), limits)


def figures(costs):
    return [(rule.line, cost.instructions, cost.characters) for rule, cost in costs.rules]


def test_a_run_is_put_down_to_its_rules():
    subject = len("I have a present for you")
    told = figures(of(SCRIPT, COYOTE))
    assert told[0] == (4, 3, (subject + 20) * 2)  # if, test, fileinto
    assert told[1] == (6, 2, 0)  # if, test
    assert told[2] == (7, 0, 0)
    assert told[3] == (9, 0, 0)


@pytest.mark.parametrize("lookup", [0, 2])
def test_all_that_a_run_spends_is_put_down(lookup):
    limits = Limits(lookup=lookup)
    state = Run(compile_script(SCRIPT, limits), message_of(COYOTE), envelope(), Imagined(NOW), limits)
    assert state.follow() is None
    costs = of(SCRIPT, COYOTE, limits)
    assert costs.total.instructions == limits.instructions - state._steps
    assert costs.total.characters == costs.most.characters - state._matching


def test_the_worst_case_counts_every_test_of_a_rule():
    costs = of('if anyof (header :contains "subject" ["a", "b"], header "x-one" "c") { keep; }')
    assert figures(costs) == [(1, 5, (1024 + 20) * 2 + 1024 + 20)]
    assert costs.lasts == Limits().matching // costs.total.characters


def test_the_worst_case_counts_addresses_and_bodies():
    costs = of('require "body"; if address :localpart "from" "a" { } elsif body :raw :contains "a" { }')
    assert [cost.characters > 500 for _, cost in costs.rules] == [True, True]


def test_a_rule_twice_as_dear_has_twice_the_share():
    (_, one), (_, two) = of('if header "a" "b" { } if header ["a", "c"] "b" { }').rules
    assert 1.9 < two.share / one.share < 2.1


def test_what_stands_outside_of_rules_counts_for_the_whole():
    costs = of("keep; keep; if true { keep; }")
    assert figures(costs) == [(1, 3, 0)]
    assert costs.total.instructions == 5


def test_a_share_is_of_the_budget_that_is_used_up_first():
    ((_, cost),) = of('if header "a" "b" { }', b"a: xx\n\n", Limits(instructions=10, matching=1000, looks=0)).rules
    assert cost.share == 0.2
    ((_, cost),) = of('if header "a" "b" { }', b"a: xx\n\n", Limits(instructions=1000, matching=220, looks=0)).rules
    assert cost.share == 0.1


def test_an_error_ends_the_measuring_and_is_told():
    costs = of(
        'if true { redirect "a@b"; reject "x"; }'.replace("reject", "error").join(['require "ihave";', ""]), COYOTE
    )
    assert "x" in costs.failure


def test_a_script_without_rules_costs_something():
    costs = of("keep;")
    assert costs.rules == ()
    assert costs.lasts == 0
    assert costs.total.instructions == 1


def test_every_test_has_a_cost_whatever_it_keeps_of_what_it_asks():
    script = (
        'require ["ihave", "date", "mime", "foreverypart"]; if ihave "frob" { keep; } elsif not ihave "copy" { stop; }'
    )
    assert len(of(script).rules) == 2
