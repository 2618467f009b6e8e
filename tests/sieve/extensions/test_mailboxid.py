import pytest

from tests.sieve.trying import actions, filed, holds, problems

ID = "F6352ae03-b7f5-463c-896f-d8b48ee3"


def test_mailboxidexists_wants_every_identifier():
    assert holds(f'mailboxidexists "{ID}"', require="mailboxid", world={"ids": {ID}})
    assert not holds(f'mailboxidexists ["{ID}", "other"]', require="mailboxid", world={"ids": {ID}})
    assert not holds(f'mailboxidexists "{ID}"', require="mailboxid")


def test_an_identifier_that_is_no_utf8_or_empty_does_not_exist():
    world = {"ids": {"", "\udcff"}}
    assert not holds('mailboxidexists ""', require="mailboxid", world=world)
    assert not holds('mailboxidexists "${hex:ff}"', require="mailboxid encoded-character", world=world)


def test_the_identifier_goes_with_the_name():
    """Draft §4."""
    script = (
        'require "fileinto"; require "mailboxid"; if header :contains ["from"] "coyote" {'
        f' fileinto :mailboxid "{ID}" "INBOX.harassment"; }}'
    )
    assert actions(script) == [filed("INBOX.harassment") | {"mailboxid": ID}]


def test_create_goes_with_it():
    """Draft §4.1."""
    script = (
        'require "fileinto"; require "mailboxid"; require "mailbox";'
        'fileinto :mailboxid "Fnosuch" :create "INBOX.no-such-folder";'
    )
    assert actions(script) == [filed("INBOX.no-such-folder", create=True) | {"mailboxid": "Fnosuch"}]


def test_the_example_of_the_test_uses_the_mailbox_that_is_there():
    """Draft §6."""
    script = f"""require "fileinto";
    require "mailboxid";
    if header :contains ["from"] "coyote" {{
        if mailboxidexists "{ID}" {{
            fileinto :mailboxid "{ID}" "INBOX.name.will.not.be.used";
        }} else {{
            fileinto "INBOX.harassment";
        }}
    }}"""
    assert actions(script) == [filed("INBOX.harassment")]
    assert actions(script, world={"ids": {ID}}) == [filed("INBOX.name.will.not.be.used") | {"mailboxid": ID}]


def test_an_identifier_may_hold_variables():
    script = 'require ["fileinto", "mailboxid", "variables"]; set "id" "F1"; fileinto :mailboxid "${id}" "x";'
    assert actions(script) == [filed("x") | {"mailboxid": "F1"}]


@pytest.mark.parametrize("tags", [':mailboxid "F" :specialuse "\\\\Junk"', ':specialuse "\\\\Junk" :mailboxid "F"'])
def test_an_identifier_and_a_special_use_exclude_each_other(tags):
    """Draft §4.2."""
    (problem,) = problems(f'require ["fileinto", "mailboxid", "special-use"]; fileinto {tags} "x";')
    assert "cannot be used together" in problem


def test_the_copy_of_an_answer_may_go_to_an_identifier():
    """Draft §5."""
    script = 'require ["vacation", "fcc", "mailboxid"]; vacation :fcc "INBOX.Sent" :mailboxid "F6" "Away";'
    assert problems(script) == []
    assert problems('require ["vacation", "fcc", "mailboxid"]; vacation :mailboxid "F6" "Away";') != []


@pytest.mark.parametrize("command", ["keep", "discard", 'redirect "a@example.org"'])
def test_it_is_no_tag_of_other_actions(command):
    assert (
        "unknown tagged argument"
        in problems(
            f'require "mailboxid"; {command.replace(" ", " :mailboxid {0} ", 1)};'.format('"F"')
            if " " in command
            else f'require "mailboxid"; {command} :mailboxid "F";'
        )[0]
    )
