import pytest

from tests.sieve.trying import actions, failure, filed, outcome, problems

HEAD = 'require ["vnd.cyrus.implicit_keep_target", "fileinto", "copy", "special-use", "mailboxid", "mailbox"];'


def test_the_implicit_keep_goes_there():
    assert actions(HEAD + 'implicit_keep_target "Later";') == [
        {"action": "keep", "flags": [], "implicit": True, "mailbox": "Later"}
    ]


def test_the_last_target_counts():
    (action,) = actions(HEAD + 'implicit_keep_target "A"; implicit_keep_target "B";')
    assert action["mailbox"] == "B"


def test_an_explicit_keep_does_not_go_there():
    assert actions(HEAD + 'implicit_keep_target "A"; keep;') == [{"action": "keep", "flags": []}]


def test_it_cancels_nothing_and_is_not_carried_out_when_nothing_is_kept():
    assert actions(HEAD + 'implicit_keep_target "A"; fileinto "B";') == [filed("B")]
    assert actions(HEAD + 'implicit_keep_target "A"; discard;') == [{"action": "discard"}]
    both = actions(HEAD + 'implicit_keep_target "A"; fileinto :copy "B";')
    assert [action["mailbox"] for action in both] == ["B", "A"]


def test_the_tags_of_fileinto_say_more_of_the_place():
    (action,) = actions(HEAD + 'implicit_keep_target :specialuse "\\\\Junk" :create "Spam";')
    assert action == {
        "action": "keep", "flags": [], "implicit": True, "specialuse": "\\Junk", "mailbox": "Spam", "create": True,
    }  # fmt: skip
    (action,) = actions(HEAD + 'implicit_keep_target :mailboxid "F1" "Spam";')
    assert action["mailboxid"] == "F1"


def test_flags_and_the_line_of_the_command_go_with_it():
    found = outcome('require ["vnd.cyrus.implicit_keep_target", "imap4flags"];\nimplicit_keep_target "A"; addflag "x";')
    assert found.effects[0].flags == ("x",)
    assert found.implicit_keep


def test_after_an_error_the_message_goes_where_it_always_went():
    found = outcome(HEAD + 'implicit_keep_target "A"; fileinto "";')
    assert found.carried_out[0].mailbox is None


@pytest.mark.parametrize("name", ["", "\\\\Junk\\\\"])
def test_a_name_may_come_from_a_variable(name):
    script = HEAD + f'require "variables"; set "n" "{name}"; implicit_keep_target "${{n}}";'
    if name:
        assert actions(script)[0]["mailbox"] == name.replace("\\\\", "\\")
    else:
        assert "empty" in failure(script)


def test_it_needs_its_require():
    assert "implicit_keep_target" in problems('implicit_keep_target "x";')[0]
