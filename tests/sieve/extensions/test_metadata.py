import pytest

from sievemda.mail.annotation import fault
from tests.sieve.trying import actions, holds, outcome, problems, warnings

REQUIRE = "mboxmetadata servermetadata variables relational comparator-i;ascii-numeric encoded-character"
ENTRY = "/private/vendor/vendor.isode/auto-replies"
WORLD = {
    "annotations": {
        ("INBOX", ENTRY): "on",
        ("INBOX", "/shared/comment"): "",
        ("", "/private/vendor/vendor.isode/notification-uri"): "mailto:x@example.org",
    }
}


def true(test):
    return holds(test, require=REQUIRE, world=WORLD)


def test_the_value_of_an_annotation_is_compared():
    assert true(f'metadata :is "INBOX" "{ENTRY}" "on"')
    assert true(f'metadata "INBOX" "{ENTRY}" ["off", "ON"]')
    assert not true(f'metadata :is "INBOX" "{ENTRY}" "off"')


def test_an_annotation_that_is_not_there_matches_nothing():
    assert not true('metadata :contains "INBOX" "/private/comment" ""')
    assert not true(f'metadata :contains "Lists" "{ENTRY}" ""')
    assert not true('servermetadata :matches "/shared/admin" "*"')


def test_an_empty_value_is_a_value():
    assert true('metadata :is "INBOX" "/shared/comment" ""')
    assert true('metadataexists "INBOX" "/shared/comment"')


def test_names_of_entries_are_compared_without_case():
    assert true(f'metadata "INBOX" "{ENTRY.upper()}" "on"')


def test_metadataexists_wants_every_annotation():
    assert true(f'metadataexists "INBOX" ["{ENTRY}", "/shared/comment"]')
    assert not true(f'metadataexists "INBOX" ["{ENTRY}", "/private/comment"]')


def test_annotations_of_the_server_are_others_than_those_of_a_mailbox():
    assert true('servermetadataexists "/private/vendor/vendor.isode/notification-uri"')
    assert not true(f'servermetadataexists "{ENTRY}"')


def test_annotations_are_counted():
    assert true('metadata :count "eq" :comparator "i;ascii-numeric" "INBOX" "/shared/comment" "1"')


@pytest.mark.parametrize("test", ["servermetadata", 'metadata "INBOX"'])
def test_an_annotation_that_does_not_exist_matches_nothing_not_even_a_count_of_none(test):
    """RFC 5490 §3.3, §4.1: true "if the annotation exists and ..."."""
    name, *mailbox = test.split(" ")
    where = " ".join([*mailbox, '"/private/none"'])
    for count in ('"eq"', '"ge"'):
        assert not true(f'{name} :count {count} :comparator "i;ascii-numeric" {where} "0"')
    assert not true(f'{name} :matches {where} "*"')


def test_the_inbox_is_meant_in_any_case_of_letters():
    assert true(f'metadataexists "inbox" "{ENTRY}"')


def test_the_example_of_the_rfc_for_a_mailbox():
    """RFC 5490 §3.3."""
    script = f"""require ["mboxmetadata", "vacation"];
    if metadata :is "INBOX"
       "{ENTRY}" "on" {{
        vacation text:
I'm away on holidays till March 2009.
Expect a delay.
.
    }}"""
    assert problems(script) != []  # the RFC forgot the semicolon
    script = script.replace("\n.\n    }", "\n.\n;\n    }")
    assert [action["action"] for action in actions(script, world=WORLD)] == ["vacation", "keep"]
    assert [action["action"] for action in actions(script)] == ["keep"]


def test_matches_takes_the_value_into_variables():
    """RFC 5490 §4.1: the beginning of its example."""
    script = """require ["servermetadata", "variables", "fileinto"];
    if servermetadata :matches "/private/vendor/vendor.isode/notification-uri" "*" { set "uri" "${0}"; }
    fileinto "${uri}";"""
    assert actions(script, world=WORLD)[0]["mailbox"] == "mailto:x@example.org"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("/foo", "must begin with"),
        ("/sharedx/y", "must begin with"),
        ("/shared", "must begin with"),
        ("/shared/a*", "an asterisk"),
        ("/private/a%b", "a percent sign"),
        ("/private//x", "two slashes"),
        ("/private/x/", "ends with a slash"),
        ("/private/ä", "printable ASCII"),
        ("/private/a\tb", "printable ASCII"),
        ("/shared/vendor/x", "at least four parts"),
        ("/shared/" + "x" * 1000, "too long"),
    ],
)
def test_a_name_that_cannot_be_is_warned_about_and_names_nothing(entry, why):
    """svtest §7.8; RFC 5464 §3.2."""
    assert why in fault(entry)
    tests = (
        f'metadata "INBOX" "{entry}" "x"',
        f'metadataexists "INBOX" "{entry}"',
        f'servermetadata "{entry}" "x"',
        f'servermetadataexists "{entry}"',
    )
    for test in tests:
        script = f'require ["mboxmetadata", "servermetadata"]; if {test} {{ discard; }}'
        (warning,) = warnings(script)
        assert "invalid annotation name" in warning
        assert why in warning
        found = outcome(script)
        assert found.failure is None
        assert found.implicit_keep
        assert why in found.notes[0].text


def test_a_mailbox_name_that_is_no_utf8_is_false():
    assert not true('metadata :contains "${hex:ff}" "/shared/comment" ""')
    assert not true('metadataexists "${hex:ff}" "/shared/comment"')


@pytest.mark.parametrize("entry", ["/shared/comment", "/private/vendor/x/y", "/PRIVATE/a.b/c-d_e"])
def test_ordinary_names_are_right(entry):
    assert fault(entry) == ""


def test_each_has_its_own_require():
    assert problems('require "mboxmetadata"; if servermetadataexists "/shared/x" { keep; }') != []
    assert problems('require "servermetadata"; if metadataexists "INBOX" "/shared/x" { keep; }') != []
