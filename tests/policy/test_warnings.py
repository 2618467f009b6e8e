"""The state machine of quota warnings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.policy.quota import KIB, Limits, Usage
from sievemda.policy.warnings import (
    MAX_KEPT,
    OVER,
    Rule,
    Standing,
    State,
    Told,
    look,
    parse_levels,
    shown,
    standings_of,
)

RULE = Rule((80, 95, OVER), hysteresis=5, interval=1000)


def at(used, limit=100, resource="STORAGE", refused=False):
    return (Standing(resource, used, limit, refused),)


def walk(rule, *looks):
    """What is told at each (time, used) of a limit of 100."""
    told, said = Told(), []
    for now, used in looks:
        step = rule.step(at(used), told, now)
        told = step.told
        said.append(shown(step.level) + (" again" if step.reminder else ""))
    return said


def test_a_level_is_told_of_once():
    assert walk(RULE, (10, 79), (20, 80), (30, 81), (40, 90)) == ["-", "80%", "-", "-"]


def test_a_higher_level_is_told_of_at_once():
    assert walk(RULE, (10, 80), (20, 95), (30, 101)) == ["80%", "95%", "over"]


def test_of_several_levels_passed_together_the_highest_is_told():
    assert walk(RULE, (10, 10), (20, 97)) == ["-", "95%"]


def test_a_level_is_armed_again_below_it_by_more_than_the_hysteresis():
    assert walk(RULE, (10, 80), (20, 75), (30, 80), (40, 74), (50, 80)) == ["80%", "-", "-", "-", "80%"]


def test_falling_from_a_higher_level_to_a_lower_one_tells_nobody():
    assert walk(RULE, (10, 96), (20, 85), (30, 70), (40, 85)) == ["95%", "-", "-", "80%"]


def test_a_higher_level_is_armed_again_while_a_lower_one_stays():
    assert walk(RULE, (10, 96), (20, 92), (30, 96), (40, 85), (50, 96)) == ["95%", "-", "-", "-", "95%"]


def test_who_stays_at_a_level_is_reminded():
    said = walk(RULE, (10, 85), (1009, 85), (1010, 85), (1500, 85), (2010, 85))
    assert said == ["80%", "-", "80% again", "-", "80% again"]


def test_nobody_is_reminded_below_the_level_or_without_an_interval():
    assert walk(RULE, (10, 85), (5000, 78), (9000, 81)) == ["80%", "-", "80% again"]
    assert walk(Rule((80,), interval=0), (10, 85), (10**9, 85)) == ["80%", "-"]


def test_over_is_beyond_the_limit_and_not_at_it():
    assert walk(Rule((100, OVER)), (10, 99), (20, 100), (30, 101)) == ["-", "100%", "over"]


@pytest.mark.parametrize(("used", "told"), [(94, 80), (95, OVER), (100, OVER)])
def test_a_refused_message_makes_what_is_nearly_full_over(used, told):
    assert RULE.step(at(used, refused=True), Told(), 10).level == told


def test_the_fullest_resource_counts_and_all_must_fall():
    both = (Standing("STORAGE", 50, 100), Standing("MESSAGE", 9, 10))
    step = RULE.step(both, Told(), 10)
    assert (step.level, step.standing.resource) == (80, "MESSAGE")
    one_falls = (Standing("STORAGE", 85, 100), Standing("MESSAGE", 1, 10))
    assert RULE.step(one_falls, step.told, 20).told.level == 80


def test_a_limit_of_nothing_is_full_with_anything():
    assert RULE.step(at(0, 0), Told(), 10).level == 0
    assert RULE.step(at(1, 0), Told(), 10).level == OVER


def test_without_any_limit_nothing_is_told_and_everything_forgotten():
    step = RULE.step((), Told(95, 5), 10)
    assert (step.level, step.told) == (0, Told())


def test_a_clock_that_was_wrong_does_not_silence_for_years():
    step = RULE.step(at(85), Told(80, 10**9), 100)
    assert (step.level, step.told) == (0, Told(80, 100))
    assert RULE.step(at(85), step.told, 1100).reminder


def test_a_level_that_the_rule_no_longer_has_is_kept_until_usage_falls_below_it():
    assert RULE.step(at(90), Told(90, 5), 10).told.level == 90
    assert RULE.step(at(84), Told(90, 5), 10).told.level == 80


def test_beyond_means_more_than_the_level():
    rule = Rule((90, OVER), beyond=True)
    assert [rule.step(at(used, 10), Told(), 5).level for used in (8, 9, 10)] == [0, 0, 90]


def test_with_spare_room_a_level_does_not_count():
    rule = Rule((90, OVER), beyond=True, hysteresis=5, spare={"STORAGE": 50})
    assert [rule.step(at(used, 1000), Told(), 5).level for used in (940, 950, 951, 1001)] == [0, 0, 90, OVER]
    assert rule.step(at(920, 1000), Told(90, 5), 10).told.level == 90
    assert rule.step(at(900, 1000), Told(90, 5), 10).told.level == 0


looks = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 130), st.booleans()), max_size=60)


@given(looks)
def test_a_level_is_not_told_of_twice_within_the_interval_unless_usage_fell_in_between(steps):
    now, told = 1, Told()
    last, lowest = {}, {}
    for seconds, used, refused in steps:
        now += seconds
        lowest = {level: min(low, used) for level, low in lowest.items()}
        step = RULE.step(at(used, refused=refused), told, now)
        told = step.told
        if step.level:
            if step.level in last and now - last[step.level] < RULE.interval:
                assert lowest[step.level] < min(step.level, 100) - RULE.hysteresis
            last[step.level], lowest[step.level] = now, used


@given(looks)
def test_who_stands_at_a_level_has_been_told_within_the_interval(steps):
    now, told, last = 1, Told(), None
    for seconds, used, refused in steps:
        now += seconds
        step = RULE.step(at(used, refused=refused), told, now)
        told, last = step.told, now if step.level else last
        if step.reached:
            assert last is not None
            assert now - last < RULE.interval


@given(st.lists(st.integers(0, 130), min_size=1, max_size=40))
def test_an_empty_mailbox_remembers_nothing(usages):
    told = Told()
    for now, used in enumerate(usages, 1):
        told = RULE.step(at(used), told, now).told
    assert RULE.step(at(0), told, 1000).told == Told()


# -- several rules ----------------------------------------------------------------------------------------------------

HIGH, LOW = Rule((90,), "high"), Rule((60,), "low")


def told_by(rules, state, used, now):
    steps = look(rules, {rule.name: at(used) for rule in rules}, state, now)
    for rule, step in zip(rules, steps, strict=True):
        state = state.with_told(rule.name, step.told)
    return state, [shown(step.level) for step in steps]


def test_the_first_exclusive_rule_that_stands_at_a_level_tells():
    assert told_by((HIGH, LOW), State(), 95, 10)[1] == ["90%", "-"]
    assert told_by((HIGH, LOW), State(), 70, 10)[1] == ["-", "60%"]


def test_a_rule_that_is_not_exclusive_lets_others_tell_too():
    also = Rule((90,), "also", exclusive=False)
    assert told_by((also, LOW), State(), 95, 10)[1] == ["90%", "60%"]


def test_a_rule_that_was_kept_quiet_does_not_speak_when_usage_falls():
    state, _ = told_by((HIGH, LOW), State(), 95, 10)
    assert told_by((HIGH, LOW), state, 70, 20)[1] == ["-", "-"]


def test_a_root_remembers_the_latest_of_many_rules():
    state = State()
    for number in range(MAX_KEPT + 10):
        state = state.with_told(f"rule{number}", Told(80, number + 1))
    assert len(state.told) == MAX_KEPT
    assert state.of("rule0") == Told()
    assert state.of(f"rule{MAX_KEPT + 9}") == Told(80, MAX_KEPT + 10)


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "levels"),
    [
        (["95%", "80"], (80, 95)),
        (["over", "100%"], (100, OVER)),
        ([" 80% ", "80"], (80,)),
        ([], ()),
        (["Over"], (OVER,)),
    ],
)
def test_levels_are_percentages_or_over(words, levels):
    assert parse_levels(words) == levels


@pytest.mark.parametrize("word", ["", "%", "0", "101%", "-5", "8O%", "80%%", "٨٠", "full", "1e2", "99999999999"])
def test_what_is_no_level_is_refused(word):
    with pytest.raises(ValueError, match="is not a level"):
        parse_levels([word])


def test_standings_are_those_of_limited_resources():
    limits, usage = Limits(storage=10 * KIB, mailboxes=3), Usage(5 * KIB, 7, 2)
    assert standings_of(limits, usage) == (Standing("STORAGE", 5 * KIB, 10 * KIB),)
    assert [each.resource for each in standings_of(limits, usage, ("STORAGE", "MAILBOX"))] == ["STORAGE", "MAILBOX"]
    assert standings_of(limits, usage)[0].percent == 50
