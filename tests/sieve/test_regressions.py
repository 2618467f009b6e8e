"""Faults that other programs of this kind have shipped: each is a test here."""

import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import actions, filed, holds, outcome, problems


def folder(script, message, **options):
    """The mailbox that a script with variables files into."""
    names = '["variables", "fileinto", "editheader", "enotify", "imap4flags", "mime", "include", "date", "body"]'
    return actions(f"require {names};\n{script}", message, **options)[0]["mailbox"]


@pytest.mark.parametrize("size", range(16_380, 16_390))
def test_a_value_is_never_cut_inside_a_character(size):
    script = 'if header :matches "subject" "*" { set "a" "${1}"; } set :length "n" "${a}"; fileinto "${n}";'
    value = "x" * (size - 4) + "üü"
    kept = value.encode()[:16_384].decode(errors="ignore")
    assert folder(script, f"Subject: {value}\n\n".encode()) == str(len(kept))


def test_an_encoded_url_is_never_cut_inside_one_character():
    script = 'if header :matches "subject" "*" { set :encodeurl "a" "${1}"; } fileinto "${a}";'
    value = folder(script, b"Subject: " + "ü".encode() * 9_000 + b"\n\n")
    assert value
    assert value.replace("%C3%BC", "") == ""


def test_the_length_of_nothing_is_zero():
    assert folder('set :length "n" ""; fileinto "n${n}";', b"\n") == "n0"


def test_a_match_variable_can_be_set_from_itself():
    script = (
        'if header :matches "subject" "*-*" { if string :matches "${1}" "*" { set "a" "${1}${1}"; } } fileinto "${a}";'
    )
    assert folder(script, b"Subject: x-y\n\n") == "xx"


@pytest.mark.parametrize("message", [b"X: 1\nSubject: a", b"X: 1\nSubject: a\n", b"X: 1", b"Subject: a\nX: 1\n"])
def test_a_field_can_be_deleted_from_a_message_without_an_empty_line(message):
    assert folder('deleteheader "X"; if not exists "X" { fileinto "gone"; }', message) == "gone"


def test_a_large_header_is_edited_within_the_budget():
    header = b"".join(b"X-%d: value\n" % number for number in range(50_000))
    script = 'deleteheader "X-4"; addheader "A" "b"; if not exists "X-4" { fileinto "a"; }'
    assert folder(script, header + b"\n", limits=Limits(matching=20_000_000)) == "a"


@pytest.mark.parametrize(
    "action",
    [
        'vacation :subject "${s}" :from "k@x.example" "${s}";',
        'notify :message "${s}" "mailto:a@b.example";',
        'addheader "X-A" "${s}"; fileinto "x";',
        'addflag "${s}"; fileinto :flags "${s}" "x";',
        'set :encodeurl "u" "${s}"; set :quotewildcard :lower "v" "${s}"; keep;',
    ],
)
def test_octets_that_are_no_utf8_go_through_every_action(action):
    names = '"variables", "vacation", "enotify", "editheader", "fileinto", "imap4flags"'
    script = f'require [{names}]; if header :matches "subject" "*" {{ set "s" "${{1}}"; }} {action}'
    message = b"To: k@x.example\nSubject: \xff\xfe\x80 =?utf-8?q?=FF?= \xc3\n\n"
    assert outcome(script, message, recipient="k@x.example").failure is None


def test_a_local_part_in_utf8_is_part_of_an_address():
    assert holds('address :localpart "from" "jörg"', "From: jörg@x.example\n\n".encode())


def test_own_addresses_are_compared_without_case():
    script = 'require "vacation"; vacation :addresses "KIM@example.org" "gone";'
    (reply, _) = actions(script, b"To: kim@EXAMPLE.org\n\n", recipient="other@example.org")
    assert "suppressed" not in reply


def test_a_subject_is_cut_in_characters():
    script = 'require "vacation"; vacation "gone";'
    message = "To: k@x.example\nSubject: " + "ü" * 300 + "\n\n"
    (reply, _) = actions(script, message.encode(), recipient="k@x.example")
    assert len(reply["subject"]) == 256
    assert reply["subject"].endswith("ü…")


def test_a_folded_message_id_and_very_long_references_are_answered():
    references = b"".join(b"\n <%d@x.example>" % number for number in range(2_000))
    message = b"To: k@x.example\nMessage-ID:\n <1@x.example>\nReferences:" + references + b"\n\n"
    (reply, _) = outcome('require "vacation"; vacation "gone";', message, recipient="k@x.example").effects
    assert b"In-Reply-To: <1@x.example>" in reply.text.replace(b"\n ", b" ")
    assert len(reply.text) < 4_000


def test_copy_needs_no_fileinto():
    assert problems('require "copy"; redirect :copy "a@b.example";') == []


def test_a_list_of_flags_can_come_from_a_variable():
    script = 'require ["imap4flags", "variables"]; set "f" "\\\\Seen a b"; addflag "${f}"; removeflag "a b"; keep;'
    assert actions(script) == [{"action": "keep", "flags": ["\\Seen"]}]


def test_all_flags_can_be_removed():
    assert actions('require "imap4flags"; setflag ["a", "b"]; removeflag ["a b"]; keep;') == [
        {"action": "keep", "flags": []}
    ]


def test_flags_survive_where_equal_actions_are_one():
    script = 'require ["imap4flags", "fileinto"]; addflag "a"; fileinto "x"; fileinto "x";'
    assert actions(script) == [filed("x", "a")]


def test_every_filing_action_that_is_due_is_carried_out():
    script = 'require "fileinto"; fileinto "a"; keep; fileinto "b"; redirect "c@d.example"; fileinto "e";'
    assert len(outcome(script).carried_out) == 5


@pytest.mark.parametrize(
    "message",
    [
        b"Content-Type: text/plain; charset=utf-8\n\n",
        b"Content-Type: text/plain; charset=nonsense\n\n\xff",
        b"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n====",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--\n",
        b"Content-Type: multipart/mixed\n\n--b\n\n--b--\n",
        b"Content-Type: " + b"; ".join(b"a*%d=x" % number for number in range(20_000)) + b"\n\n",
    ],
)
def test_empty_and_broken_parts_are_looked_at_outside_of_loops(message):
    names = '["mime", "body", "fileinto"]'
    script = f'require {names}; if header :mime :anychild :param "a" :contains "content-type" "" {{ keep; }} '
    assert outcome(script + 'if body :text :contains "x" { fileinto "x"; }', message).failure is None


def test_global_needs_an_argument():
    (problem,) = problems('require ["include", "variables"]; global;')
    assert "requires 1 positional arguments" in problem


@pytest.mark.parametrize("tag", [":index 0", ":last"])
@pytest.mark.parametrize("test", ['header {} "a" "b"', 'address {} "from" "b"', 'date {} "date" "hour" "1"'])
def test_an_index_counts_from_one_and_last_needs_one(test, tag):
    assert len(problems(f'require ["index", "date"]; if {test.format(tag)} {{}}')) == 1


def test_two_scripts_that_are_compiled_one_after_the_other_share_nothing():
    assert problems('require ["fileinto", "variables"]; set "a" "b"; fileinto "x";') == []
    assert len(problems('fileinto "x"; set "a" "b";')) == 2
