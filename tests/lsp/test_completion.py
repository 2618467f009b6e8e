"""What is offered at the cursor, and what the script is when it was accepted."""

import pytest
from lsprotocol.types import InsertTextFormat

from sievemda.lsp.completion import Taste, completion
from tests.lsp.scripts import applied, at_cursor, document


def labels(text, **changes):
    found, position = at_cursor(text, **changes)
    return [item.label for item in completion(found, position, Taste())]


def accepted(text, label, taste=None, **changes):
    """The text after one of the offers was taken with all its edits."""
    found, position = at_cursor(text, **changes)
    (item,) = (item for item in completion(found, position, taste or Taste()) if item.label == label)
    return applied(found.text, item.text_edit, *(item.additional_text_edits or ()))


# -- commands and tests ----------------------------------------------------------------------------------------


def test_commands_are_offered_where_a_command_may_stand():
    found = labels("kee|")
    assert {"require", "if", "stop", "keep", "discard", "redirect", "fileinto", "vacation"} <= set(found)
    assert not {"header", "allof", "else", "test_fail"} & set(found)


@pytest.mark.parametrize(
    "text", ["if |", "if not |", "if allof(|", "if allof(true, |", "if anyof(not |", "if he|", "elsif |"]
)
def test_tests_are_offered_where_a_test_may_stand(text):
    found = labels(text)
    assert {"header", "address", "size", "allof", "not", "envelope"} <= set(found)
    assert not {"keep", "fileinto"} & set(found)


@pytest.mark.parametrize("text", ["if true {} |", "if true { keep; }\nels|", "if true {} elsif true {} |"])
def test_a_branch_is_offered_behind_the_branch_it_continues(text):
    assert {"else", "elsif"} <= set(labels(text))


@pytest.mark.parametrize("text", ["|", "keep; |", "if true { |", "if true {} else {} |", "if true {} keep; |"])
def test_a_branch_is_offered_nowhere_else(text):
    assert not {"else", "elsif"} & set(labels(text))


@pytest.mark.parametrize("text", ["|", 'require "copy"; |', "# head\n|"])
def test_require_is_offered_at_the_beginning(text):
    assert "require" in labels(text)


@pytest.mark.parametrize("text", ["keep; |", "if true { |", 'require "copy"; keep; |'])
def test_require_is_offered_nowhere_else(text):
    assert "require" not in labels(text)


@pytest.mark.parametrize("text", ["# |", "keep; # kee|", "/* |", "/* | */ keep;"])
def test_nothing_is_offered_in_a_comment(text):
    assert labels(text) == []


def test_commands_are_offered_again_behind_a_comment():
    assert "keep" in labels("# x\n|")
    assert "keep" in labels("/* x */|")


def test_words_of_required_extensions_come_first():
    found, position = at_cursor('require "vacation"; |')
    items = {item.label: item.sort_text for item in completion(found, position, Taste())}
    assert items["vacation"] < items["fileinto"]
    assert items["keep"] < items["fileinto"]


# -- require ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("filei|", 'require ["fileinto"];\nfileinto'),
        ('require "copy";\nfilei|', 'require ["copy", "fileinto"];\nfileinto'),
        ('require ["copy"];\nfilei|', 'require ["copy", "fileinto"];\nfileinto'),
        ('require ["copy",\n  "envelope"]; # x\nfilei|', 'require ["copy",\n  "envelope", "fileinto"]; # x\nfileinto'),
        (
            'require "copy";\nrequire "envelope";\nfilei|',
            'require "copy";\nrequire ["envelope", "fileinto"];\nfileinto',
        ),
        ("# head\n\n# rule:[a]\nfilei|", '# head\n\nrequire ["fileinto"];\n# rule:[a]\nfileinto'),
        ("# rule:[a]\nfilei|", 'require ["fileinto"];\n# rule:[a]\nfileinto'),
        ("/* a\n b */\nfilei|", 'require ["fileinto"];\n/* a\n b */\nfileinto'),
        ("keep;\r\nfilei|", 'require ["fileinto"];\r\nkeep;\r\nfileinto'),
        ("\ufefffilei|", '\ufeffrequire ["fileinto"];\nfileinto'),
        ("if true {\n    filei|\n}", 'require ["fileinto"];\nif true {\n    fileinto\n}'),
    ],
)
def test_a_word_brings_its_require_along(before, after):
    assert accepted(before, "fileinto") == after


def test_a_word_that_is_required_already_brings_nothing():
    assert accepted('require "fileinto";\nfilei|', "fileinto") == 'require "fileinto";\nfileinto'


def test_a_tag_brings_what_it_and_its_command_need():
    assert accepted("fileinto :cr|", ":create") == 'require ["fileinto", "mailbox"];\nfileinto :create'


def test_a_match_type_brings_its_require_along():
    text = "if header :cou|"
    assert accepted(text, ":count") == 'require ["relational"];\nif header :count'


def test_a_comparator_brings_its_require_along():
    text = 'if header :comparator "|"'
    after = 'require ["comparator-i;ascii-numeric"];\nif header :comparator "i;ascii-numeric"'
    assert accepted(text, "i;ascii-numeric") == after


def test_the_word_of_the_rfc_is_meant_and_not_that_of_the_draft_before_it():
    assert accepted("setfl|", "setflag") == 'require ["imap4flags"];\nsetflag'
    assert accepted("notif|", "notify") == 'require ["enotify"];\nnotify'


def test_what_the_server_does_not_allow_is_not_offered():
    found = labels("|", available=frozenset({"fileinto"}))
    assert "fileinto" in found
    assert "vacation" not in found


# -- tags ------------------------------------------------------------------------------------------------------


def test_tags_are_those_of_the_command():
    assert set(labels('require "vacation"; vacation :|')) >= {
        ":days",
        ":subject",
        ":from",
        ":addresses",
        ":mime",
        ":handle",
    }
    assert ":days" not in labels("redirect :|")


def test_a_tag_is_offered_once():
    assert ":days" not in labels('require "vacation"; vacation :days 3 :|')


@pytest.mark.parametrize("text", ["if header :is :|", "if header :contains |"])
def test_only_one_match_type_is_offered(text):
    found = set(labels(text))
    assert not {":is", ":contains", ":matches", ":regex"} & found
    assert ":comparator" in found


def test_only_one_address_part_is_offered():
    found = set(labels("if address :domain :|"))
    assert not {":all", ":localpart", ":user"} & found
    assert ":is" in found


@pytest.mark.parametrize("text", ['if header :is "Subject" |', 'if header "Subject" :|', 'vacation "x" :|'])
def test_no_tag_is_offered_behind_an_argument(text):
    assert not [label for label in labels(text) if label.startswith(":")]


def test_no_tag_is_offered_where_one_waits_for_its_value():
    assert not [label for label in labels('require "vacation"; vacation :days |') if label.startswith(":")]


def test_the_colon_that_was_typed_is_part_of_what_is_replaced():
    assert accepted("if header :con|", ":contains") == "if header :contains"
    assert accepted("if header :|", ":contains") == "if header :contains"
    assert accepted("if header |", ":contains") == "if header :contains"


# -- strings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ['require "|', 'require ["|', 'require ["copy", "|"];', 'require "fi|";', "require [|"]
)
def test_capabilities_are_offered_in_require(text):
    found = labels(text)
    assert {"fileinto", "vacation", "variables"} <= set(found)
    assert "vnd.dovecot.testsuite" not in found


def test_a_capability_that_is_in_the_list_is_not_offered_again():
    assert "copy" not in labels('require ["copy", "|"];')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('require "fi|', 'require "fileinto"'),
        ('require "fi|"', 'require "fileinto"'),
        ('require "fi|";', 'require "fileinto";'),
        ('require ["fi|"];', 'require ["fileinto"];'),
        ('require "|nto";', 'require "fileinto";'),
        ("require |", 'require "fileinto"'),
        ("require [fi|", 'require ["fileinto"'),
        ('require "fi|\nif header "Subject" "x" {}', 'require "fileinto"\nif header "Subject" "x" {}'),
    ],
)
def test_a_string_is_completed_with_the_quotes_that_it_lacks(before, after):
    assert accepted(before, "fileinto") == after


@pytest.mark.parametrize(
    "text",
    [
        'if header "|',
        'if header :contains ["|',
        "if exists [|",
        'if not exists "X-|"',
        'addheader "|',
        'if header :count "gt" "|',
    ],
)
def test_header_names_are_offered_where_a_header_is_named(text):
    assert {"Subject", "From", "List-Id"} <= set(labels(text))


def test_address_tests_are_offered_fields_with_addresses():
    found = labels('if address "|')
    assert "From" in found
    assert "Subject" not in found


def test_keys_are_not_guessed():
    assert labels('if header "Subject" "|') == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('if header :comparator "|', "i;octet"),
        ('require "relational"; if header :value "|', "ge"),
        ('require "envelope"; if envelope "|', "from"),
        ('require "date"; if currentdate "|', "weekday"),
        ('require "date"; if date "|', "Received"),
        ('require "imap4flags"; addflag "|', "\\Seen"),
        ('require "imap4flags"; keep :flags "|', "\\Flagged"),
        ('require "special-use"; fileinto :specialuse "|', "\\Junk"),
        ('require "environment"; if environment "|', "domain"),
        ('require "enotify"; notify :importance "|', "1"),
        ('fileinto "A"; fileinto "|', "A"),
        ('fileinto "|', "INBOX"),
        ('require "fcc"; vacation :fcc "|', "INBOX"),
        ('require "mailbox"; if mailboxexists ["|', "INBOX"),
    ],
)  # fmt: skip
def test_strings_are_offered_by_the_argument_they_are(text, expected):
    assert expected in labels(text)


def test_mailboxes_that_are_known_are_offered():
    assert "Lists/Dev" in labels('fileinto "|', mailboxes=("Lists/Dev",))


def test_a_backslash_is_doubled_as_strings_want_it():
    after = accepted('require "imap4flags"; addflag "|"', "\\Seen")
    assert after == 'require "imap4flags"; addflag "\\\\Seen"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('fileinto "a${|";', 'fileinto "a${who}";'),
        ('fileinto "a${w|}b";', 'fileinto "a${who}b";'),
        ('fileinto "${|', 'fileinto "${who}'),
    ],
)
def test_variables_are_offered_in_a_reference(before, after):
    head = 'require ["variables", "fileinto"]; set "who" "x"; '
    assert accepted(head + before, "${who}") == head + after


def test_names_of_variables_are_offered_where_one_is_set():
    assert "who" in labels('require "variables"; set "who" "x"; set "|')


def test_scripts_beside_the_script_are_offered_to_include(tmp_path):
    (tmp_path / "lists.sieve").write_text("keep;")
    (tmp_path / "included-global").mkdir()
    (tmp_path / "included-global" / "spam.sieve").write_text("keep;")
    file = tmp_path / "mine.sieve"
    assert labels('require "include"; include "|', uri=file) == ["lists"]
    assert labels('require "include"; include :global "|', uri=file) == ["lists", "spam"]


def test_words_of_the_test_language_are_offered_in_a_test_file(tmp_path):
    (tmp_path / "work.sieve").write_text("keep;")
    head = 'require "vnd.dovecot.testsuite"; '
    assert "test_fail" in labels(head + "|", testing=True)
    assert "test_script_run" in labels(head + "if |", testing=True)
    assert "work.sieve" in labels(head + 'if test_script_compile "|', uri=tmp_path / "a.svtest", testing=True)


# -- how it is offered -----------------------------------------------------------------------------------------


def test_an_offer_tells_its_usage_its_source_and_what_it_does():
    found, position = at_cursor("|")
    items = {item.label: item for item in completion(found, position, Taste())}
    assert items["fileinto"].detail == "fileinto <mailbox: string>"
    assert "RFC 5228 §4.1" in items["fileinto"].documentation.value
    assert items["fileinto"].label_details.description == "fileinto"


@pytest.mark.parametrize(
    ("text", "label", "after"),
    [
        ("|", "if", "if ${1:test} {\n    $0\n}"),
        ("|", "keep", "keep;"),
        ("|", "redirect", 'redirect "${1:address}";'),
        ("if |", "size", "if size :${1:over} ${2:100K}"),
        ("if |", "header", 'if header :${1:is} "${2:header-names}" "${3:key-list}"'),
        ("if |", "allof", "if allof (${1:test}, ${2:test})"),
        ('require "vacation"; vacation |', ":days", 'require "vacation"; vacation :days ${1:1}'),
    ],
)
def test_snippets_have_room_for_what_must_follow(text, label, after):
    assert accepted(text, label, Taste(snippets=True)) == after


def test_without_snippets_only_the_word_is_inserted():
    found, position = at_cursor("|")
    for item in completion(found, position, Taste()):
        assert item.insert_text_format == InsertTextFormat.PlainText
        assert "$" not in item.text_edit.new_text


def test_edits_are_right_behind_characters_of_any_width():
    text = 'fileinto "📫"; filei|'
    assert accepted(text, "fileinto") == 'require ["fileinto"];\nfileinto "📫"; fileinto'
    assert accepted(text, "fileinto", encoding="utf-16") == 'require ["fileinto"];\nfileinto "📫"; fileinto'


def test_a_text_beyond_the_limit_is_not_read():
    text = "keep; " * 200_000
    found = document(text)
    assert found.words == ()
    assert completion(found, found.lines.position(len(text)), Taste())  # commands, as in an empty text
