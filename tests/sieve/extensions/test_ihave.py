"""RFC 5463."""

import pytest

from tests.sieve.trying import KEEP, actions, failure, filed, outcome, problems


def test_the_example_of_the_rfc():
    script = """
        require ["ihave"];
        if ihave "fileinto" { fileinto "Lists"; } else { discard; }
    """
    assert actions(script) == [filed("Lists")]


def test_what_a_missing_capability_guards_need_not_be_understood():
    script = 'require "ihave"; if ihave "vnd.example.magic" { magic :deep "x" ["y"] { wand; } } else { discard; }'
    assert actions(script) == [{"action": "discard"}]


def test_a_missing_capability_decides_a_list_of_tests_before_the_unknown_one():
    script = 'require "ihave"; if allof(ihave "vnd.example.magic", magic "x") { discard; }'
    assert actions(script) == [KEEP]
    script = 'require "ihave"; if anyof(not ihave "vnd.example.magic", magic "x") { discard; }'
    assert actions(script) == [{"action": "discard"}]


def test_what_follows_an_early_end_need_not_be_understood():
    script = 'require "ihave"; if not ihave "vnd.example.magic" { stop; } magic "x";'
    assert actions(script) == [KEEP]
    assert problems('require "ihave"; if true { stop; } magic "x";')


def test_capabilities_stay_for_the_rest_of_the_script():
    script = 'require "ihave"; if not ihave ["fileinto", "copy"] { error "no"; } fileinto :copy "A";'
    assert actions(script) == [filed("A", copy=True), KEEP]


def test_a_capability_is_not_there_before_the_test():
    assert problems('require "ihave"; fileinto "A"; if ihave "fileinto" { keep; }')


def test_one_missing_of_several_enables_none():
    script = 'require "ihave"; if not ihave ["fileinto", "nope"] { keep; } fileinto "A";'
    assert "fileinto" in problems(script)[0]


def test_extensions_that_change_how_a_script_is_read_cannot_come_late():
    for name in ("variables", "encoded-character"):
        assert actions(f'require "ihave"; if ihave "{name}" {{ discard; }}') == [KEEP]


def test_a_capability_that_is_required_anyhow_is_there():
    assert actions('require ["ihave", "copy"]; if ihave "copy" { discard; }') == [{"action": "discard"}]


def test_the_test_fails_for_what_changes_the_reading_of_scripts_even_when_that_is_required():
    for name in ("variables", "encoded-character"):
        assert actions(f'require ["ihave", "{name}"]; if ihave "{name}" {{ discard; }}') == [KEEP]


def test_a_capability_that_the_site_forbids_is_missing():
    script = 'require "ihave"; if ihave "fileinto" { fileinto "A"; }'
    assert problems(script, available=frozenset({"ihave"})) == []
    from sievemda.sieve import Limits, compile_script

    program = compile_script(script, Limits(), frozenset({"ihave"}))
    assert "fileinto" not in program.requires


def test_comparators_are_capabilities():
    script = 'require ["ihave", "relational"]; if ihave "comparator-i;ascii-numeric" { discard; }'
    assert actions(script) == [{"action": "discard"}]


def test_names_must_be_constant():
    assert "constant" in problems('require ["ihave", "variables"]; set "a" "copy"; if ihave "${a}" { keep; }')[0]


def test_error_is_a_run_time_error_with_its_text():
    assert failure('require "ihave"; error "no luck";') == "1:1: error: no luck"


def test_error_text_may_have_variables():
    script = 'require ["ihave", "variables"]; set "a" "b"; error "x${a}";'
    assert failure(script).endswith("error: xb")


@pytest.mark.parametrize(("have", "wanted"), [("notify", "enotify"), ("enotify", "notify")])
def test_what_would_give_words_another_meaning_is_not_there(have, wanted):
    script = f'require ["ihave", "{have}"]; if ihave "{wanted}" {{ discard; }} else {{ keep; }}'
    assert actions(script) == [{"action": "keep", "flags": []}]


@pytest.mark.parametrize(
    ("have", "wanted"),
    [
        ("", '""'),
        ("imapsieve", '"reject"'),
        ("reject", '"imapsieve"'),
        ("", '["enotify", "notify"]'),
        ("foreverypart", '"extracttext"'),  # it needs variables too, which cannot come so late
        ("", '["foreverypart", "extracttext", "variables"]'),
    ],
)
def test_what_could_not_be_required_is_not_there(have, wanted):
    script = f'require ["ihave"{f", {chr(34)}{have}{chr(34)}" if have else ""}]; if ihave {wanted} {{ discard; }}'
    assert outcome(script).implicit_keep


def test_what_it_needs_may_come_with_it():
    script = 'require ["ihave", "variables"]; if ihave ["foreverypart", "extracttext"] { discard; }'
    assert not outcome(script).implicit_keep


def test_a_capability_is_named_exactly():
    """RFC 5463 §4: the match is `:is` by i;octet."""
    assert outcome('require "ihave"; if ihave "FILEINTO" { discard; }').implicit_keep
