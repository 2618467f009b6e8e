import pytest

from tests.sieve.trying import outcome, problems


@pytest.mark.parametrize("other", ["reject", "ereject", "vacation", "vacation-seconds", "duplicate"])
def test_it_excludes_what_is_for_deliveries_alone(other):
    """RFC 6785 §3.11, RFC 7352 §3.4."""
    found = problems(f'require ["imapsieve", "{other}"]; keep;')
    assert found
    assert all("cannot be used together" in problem for problem in found)


EXAMPLE_1 = """require ["copy", "environment", "imapsieve"];
     if anyof (environment :is "imap.cause" "APPEND",
               environment :is "imap.cause" "COPY")  {
         if environment :is "imap.mailbox" "ActionItems" {
             redirect :copy "actionitems@example.com";
         }
     }"""
EXAMPLE_2 = """require ["enotify", "imap4flags", "variables",
              "environment", "imapsieve"];
     if environment :matches "imap.mailbox" "*" {
         set "mailbox" "${1}";
     }
     if allof (hasflag "\\\\Flagged",
               environment :contains "imap.changedflags" "\\\\Flagged") {
       notify :message "Important message in ${mailbox}"
           "mailto:tim@example.com";
     }"""


@pytest.mark.parametrize("script", [EXAMPLE_1, EXAMPLE_2])
def test_the_examples_do_nothing_at_delivery(script):
    """RFC 6785 §5; the second one notifies by a method that there is."""
    assert problems(script) == []
    found = outcome(script)
    assert found.failure is None
    assert [effect.implicit for effect in found.effects] == [True]


@pytest.mark.parametrize("item", ["imap.user", "imap.email", "imap.changedflags"])
def test_at_delivery_some_items_are_empty(item):
    """RFC 6785 §4.2, §4.5."""
    found = outcome(f'require ["environment", "imapsieve"]; if environment :is "{item}" "" {{ discard; }}')
    assert not found.implicit_keep


@pytest.mark.parametrize("item", ["imap.cause", "imap.mailbox"])
def test_at_delivery_the_others_are_unknown(item):
    found = outcome(f'require ["environment", "imapsieve"]; if environment :contains "{item}" "" {{ discard; }}')
    assert found.implicit_keep
