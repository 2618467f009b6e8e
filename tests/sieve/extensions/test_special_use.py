import pytest

from tests.sieve.trying import actions, failure, filed, holds, problems

WORLD = {"uses": {"Junk": {"\\Junk"}, "Old": {"\\Archive", "\\All"}}}


def there(test):
    return holds(test, require="special-use variables", world=WORLD)


def test_without_a_mailbox_each_use_may_be_that_of_another_one():
    assert there('specialuse_exists "\\\\Junk"')
    assert there('specialuse_exists ["\\\\Junk", "\\\\Archive"]')
    assert not there('specialuse_exists ["\\\\Junk", "\\\\Sent"]')


def test_with_a_mailbox_it_has_all_of_the_uses():
    assert there('specialuse_exists "Old" ["\\\\All", "\\\\Archive"]')
    assert not there('specialuse_exists "Old" ["\\\\All", "\\\\Junk"]')
    assert not there('specialuse_exists "Missing" "\\\\Junk"')


def test_uses_are_compared_without_case():
    assert there('specialuse_exists "\\\\jUNK"')


def test_a_mailbox_name_that_is_no_utf8_does_not_exist():
    assert not holds('specialuse_exists "${hex:ff}" "\\\\Junk"', require="special-use encoded-character", world=WORLD)


def test_the_use_goes_with_the_name():
    """RFC 8579 §6, first example."""
    script = 'require "fileinto"; require "special-use"; fileinto :specialuse "\\\\Junk" "Spam";'
    assert actions(script) == [filed("Spam") | {"specialuse": "\\Junk"}]


def test_create_goes_with_it():
    """RFC 8579 §6, second example."""
    script = (
        'require "fileinto"; require "special-use"; require "mailbox"; fileinto :specialuse "\\\\Junk" :create "Spam";'
    )
    assert actions(script) == [filed("Spam", create=True) | {"specialuse": "\\Junk"}]


def test_the_example_for_events_is_valid():
    """RFC 8579 §6, third example."""
    script = """require "imapsieve";
   require "special-use";
   require "environment";
   require "variables";
   if environment :contains "imap.mailbox" "*" {
       set "mailbox" "${1}";
   }
   if allof(
       environment "imap.cause" "COPY",
       specialuse_exists "${mailbox}" "\\\\Junk") {
       redirect "spam-report@example.org";
   }"""
    assert problems(script) == []


@pytest.mark.parametrize("use", ["Junk", "", "\\\\", "\\\\J unk", "\\\\J\\\\unk", "\\\\Jünk"])
@pytest.mark.parametrize("script", ['fileinto :specialuse "{}" "x";', 'if specialuse_exists "{}" {{ keep; }}'])
def test_a_literal_that_is_no_use_is_an_error_of_the_script(script, use):
    (problem,) = problems(f'require ["special-use", "fileinto"]; {script.format(use)}')
    assert "invalid special-use attribute" in problem


@pytest.mark.parametrize("script", ['fileinto :specialuse "${a}" "x";', 'if specialuse_exists "${a}" { keep; }'])
def test_one_from_a_variable_is_an_error_at_run_time(script):
    """RFC 8579 §4: as an invalid mailbox name is."""
    text = failure(f'require ["special-use", "fileinto", "variables"]; set "a" "Junk"; {script}')
    assert "invalid special-use attribute 'Junk'" in text


def test_a_use_that_nobody_knows_is_none():
    assert actions('require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Nonsense" "x";') == [
        filed("x") | {"specialuse": "\\Nonsense"}
    ]


def test_it_may_be_given_once():
    script = 'require ["fileinto", "special-use"]; fileinto :specialuse "\\\\A" :specialuse "\\\\B" "x";'
    assert "duplicate ':specialuse'" in problems(script)[0]


def test_keep_does_not_take_it():
    assert "unknown tagged argument" in problems('require "special-use"; keep :specialuse "\\\\Junk";')[0]


def test_the_copy_of_an_answer_may_go_to_a_use():
    """RFC 8580 §3.1.3."""
    script = 'require ["vacation", "fcc", "special-use"]; vacation :fcc "Sent" :specialuse "\\\\Sent" "Away";'
    assert problems(script) == []
