import pytest

from tests.sieve.trying import actions, failure, filed, holds, problems


def test_mailboxexists_wants_every_mailbox():
    assert holds('mailboxexists "Partners"', require="mailbox", mailboxes=("Partners",))
    assert holds('mailboxexists ["Partners", "Lists"]', require="mailbox", mailboxes=("Partners", "Lists"))
    assert not holds('mailboxexists ["Partners", "Lists"]', require="mailbox", mailboxes=("Partners",))
    assert not holds('mailboxexists "Partners"', require="mailbox")


def test_mailboxexists_takes_names_that_a_run_fills_in():
    test = 'mailboxexists "${1}"'
    script = f'require ["mailbox", "variables"]; if header :matches "subject" "* *" {{}} if {test} {{ discard; }}'
    assert actions(script, mailboxes=("I",)) == [{"action": "discard"}]


def test_a_name_that_is_no_utf8_does_not_exist():
    assert not holds('mailboxexists "${hex:ff}"', require="mailbox encoded-character", mailboxes=("\udcff",))


def test_create_is_carried_by_the_action():
    script = 'require ["mailbox", "fileinto"]; fileinto :create "New";'
    assert actions(script) == [filed("New", create=True)]


def test_create_needs_its_require():
    assert problems('require "fileinto"; fileinto :create "New";') == [
        "1:30: error: unknown tagged argument ':create' for the fileinto command (it has no such tag)"
    ]


@pytest.mark.parametrize(
    "test",
    [
        "mailboxexists [{}]",
        "mailboxidexists [{}]",
        'metadataexists "INBOX" [{}]',
        "servermetadataexists [{}]",
        "specialuse_exists [{}]",
    ],
)
def test_questions_to_the_store_are_bounded(test):
    asked = ", ".join('"\\\\Junk"' if "special" in test else '"/shared/x"' for _ in range(5_000))
    script = 'require ["mailbox", "mailboxid", "mboxmetadata", "servermetadata", "special-use"];'
    assert "too much text to compare" in failure(f"{script} if {test.format(asked)} {{ discard; }}")
