from dataclasses import dataclass, field

import pytest

from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.extensions.extlists import EXTENSIONS
from sievemda.sieve.listnames import DEFAULT_BOOK, normal_name
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json
from tests.sieve.trying import COYOTE, NOW, envelope, hints, problems, warnings

FRIENDS, MYLIST = "tag:example.com,2010-05-28:friends", "tag:example.com,2010-05-28:mylist"
LISTS = {
    FRIENDS: ("Coyote@Desert.Example.ORG", "bob@example.net"),
    MYLIST: ("ann@example.net", "bob@example.net", "coyote@desert.example.org"),
    "tag:example.com,2011-01-01:localHolidays": ("2026-03-01",),
    "tag:example.com,2011-04-10:DisallowedIPs": ("192.0.2.7",),
    "tag:example.com,2011-04-10:BadFileNameExts": ("virus.exe",),
    "tag:example.com,2026:empty": (),
    "tag:example.com,2026:patterns": ("sz*@example.com",),
    "tag:example.com,2026:locals": ("fred",),
    DEFAULT_BOOK: ("coyote@desert.example.org",),
}


@dataclass(frozen=True)
class Asked(Imagined):
    """Facts that keep account of the questions to lists."""

    questions: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def in_list(self, name, values):
        self.questions.append((name, tuple(values)))
        return super().in_list(name, values)


def outcome(script, message=COYOTE, limits=None, lists=LISTS, facts=None, **of_envelope):
    limits = limits or Limits()
    facts = facts or Asked(NOW, lists=lists)
    return run(compile_script(script, limits), message_of(message), envelope(**of_envelope), facts, limits)


def actions(script, message=COYOTE, **options):
    found = outcome(script, message, **options)
    assert found.failure is None, found.failure
    return [to_json(effect) for effect in found.effects]


def holds(test, require="", message=COYOTE, **options):
    names = "".join(f', "{name}"' for name in require.split())
    found = outcome(f'require ["extlists"{names}];\nif {test} {{ discard; }}', message, **options)
    assert found.failure is None, found.failure
    return not found.implicit_keep


# -- names, RFC 6134 §2.5 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [":addrbook:default", ":ADDRBOOK:DEFAULT", ":aDdRbOOk:DeFauLt", ":AddrBook:%44%65%66ault",
     "urn:ietf:params:sieve:addrbook:default", "URN:IETF:params:SIEVE:AddrBook:Default"],
)  # fmt: skip
def test_the_default_address_book_has_one_normal_form(name):
    assert normal_name(name) == DEFAULT_BOOK


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        (":addrbook:Family", "urn:ietf:params:sieve:addrbook:Family"),
        (":addrbook:my%20Friends", "urn:ietf:params:sieve:addrbook:my Friends"),
        (":addrbook:personal?label=Family", "urn:ietf:params:sieve:addrbook:personal?label=Family"),
        (":incomingdefaults:inbox", "urn:ietf:params:sieve:incomingdefaults:inbox"),
        ("TAG:example.com,2010:My-List", "tag:example.com,2010:My-List"),
        ("ldap://ldap.example.com/o=x?mail?sub", "ldap://ldap.example.com/o=x?mail?sub"),
    ],
)
def test_other_names_keep_their_case(name, normal):
    assert normal_name(name) == normal


@pytest.mark.parametrize(
    "name",
    ["", "friends", "my friends", ":", "1x:y", "tag:", "tag:a b", "tag:x%2", "tag:x%zz", "tag:x#part", "tag:é",
     ":addrbook:", ":addrbook", "urn:ietf:params:sieve:addrbook", ":addrbook:a/b", "x" * 2000 + ":y"],
)  # fmt: skip
def test_what_is_no_absolute_uri_is_no_name(name):
    assert normal_name(name) is None


def test_a_long_hostile_name_is_read_once():
    assert normal_name("a:" + "%41" * 300 + "%") is None


# -- :list, RFC 6134 §2.2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "require"),
    [
        (f'header :list "from" "{FRIENDS}"', ""),
        (f'address :list ["to", "from"] "{FRIENDS}"', ""),
        (f'address :localpart :list "to" ["{FRIENDS}", "tag:example.com,2026:locals"]', ""),
        (f'envelope :list "from" "{FRIENDS}"', "envelope"),
        (f'string :list ["x", " bob@example.net "] "{FRIENDS}"', "variables"),
        ('header :list "from" ":addrbook:default"', ""),
        ('header :list "from" ":aDdRbOOk:DeFauLt"', ""),
    ],
)
def test_list_compares_with_the_members(test, require):
    message = COYOTE.replace(b"roadrunner@", b"fred@")
    assert holds(test, require, message)


def test_blanks_around_a_value_do_not_count():
    assert holds(f'string :list "  bob@example.net\t" "{FRIENDS}"', "variables")


def test_who_is_in_no_list_is_found_in_none():
    assert not holds(f'header :list "to" ["{FRIENDS}", "{MYLIST}"]')


def test_an_empty_value_is_not_even_asked_for():
    facts = Asked(NOW, lists=LISTS)
    assert not holds(f'string :list ["", "  "] "{FRIENDS}"', "variables", facts=facts)
    assert facts.questions == []


def test_the_whole_of_a_match_is_the_member_as_the_list_has_it():
    script = f'require ["extlists", "variables", "fileinto"];\nif header :list "from" "{FRIENDS}" {{ fileinto "${{0}}${{1}}"; }}'
    assert actions(script)[0]["mailbox"] == "Coyote@Desert.Example.ORG"


def test_a_failed_match_leaves_the_match_variables():
    script = (
        'require ["extlists", "variables", "fileinto"];\nif header :matches "subject" "I *" {}'
        f'if header :list "to" "{FRIENDS}" {{}} fileinto "${{1}}";'
    )
    assert actions(script)[0]["mailbox"] == "have a present for you"


@pytest.mark.parametrize("order", [':list :comparator "i;octet"', ':comparator "i;ascii-casemap" :list'])
def test_a_comparator_beside_list_is_an_error(order):
    (problem,) = problems(f'require "extlists"; if header {order} "from" "{FRIENDS}" {{ keep; }}')
    assert "no comparator can be given with match type ':list'" in problem


def test_list_is_a_match_type_and_excludes_others():
    assert "duplicate" in problems(f'require "extlists"; if header :list :is "from" "{FRIENDS}" {{ keep; }}')[0]


def test_list_needs_its_require():
    assert 'require ["extlists"]' in hints(f'if header :list "from" "{FRIENDS}" {{ keep; }}')[0]


def test_a_name_that_is_no_uri_is_found_when_compiling():
    assert "absolute URI" in problems('require "extlists"; if header :list "from" "friends" { keep; }')[0]


def test_a_name_from_a_variable_is_looked_at_when_it_is_used():
    script = 'require ["extlists", "variables"]; set "n" "friends"; if header :list "from" "${n}" { discard; }'
    assert "absolute URI" in str(outcome(script).failure)


def test_a_list_that_there_is_not_is_a_run_time_error():
    found = outcome('require "extlists"; if not header :list "from" "tag:nobody,2026:x" { discard; }')
    assert "there is no external list" in str(found.failure)
    assert found.implicit_keep


# -- questions -----------------------------------------------------------------------------------------------------


def test_all_values_of_a_test_are_one_question():
    facts = Asked(NOW, lists=LISTS)
    assert holds(f'address :list ["to", "from", "to"] "{FRIENDS}"', facts=facts)
    assert facts.questions == [(FRIENDS, ("roadrunner@acme.example.com", "coyote@desert.example.org"))]


def test_what_is_known_is_not_asked_again():
    facts = Asked(NOW, lists=LISTS)
    test = f'header :list "to" "{FRIENDS}"'
    both = f'header :list ["to", "from"] "{FRIENDS}"'
    assert holds(f"anyof ({test}, {test}, {both}, false)", facts=facts)
    assert [values for _, values in facts.questions] == [
        ("roadrunner@acme.example.com",),
        ("coyote@desert.example.org",),
    ]


def test_questions_have_a_limit():
    tests = ", ".join(f'string :list "v{number}" "{FRIENDS}"' for number in range(4))
    found = outcome(
        f'require ["extlists", "variables"]; if anyof ({tests}) {{ discard; }}', limits=Limits(list_lookups=3)
    )
    assert "too many questions to lists: the limit is 3" in str(found.failure)


def test_values_of_one_question_have_a_limit():
    message = b"To: " + b", ".join(b"u%d@example.org" % n for n in range(30)) + b"\n\nx\n"
    found = outcome(f'require "extlists"; if address :list "to" "{FRIENDS}" {{}}', message, Limits(list_values=20))
    assert "too many values to look up in a list: 30 > 20" in str(found.failure)


# -- redirect :list, RFC 6134 §2.3 ---------------------------------------------------------------------------------


def test_redirect_goes_to_every_member():
    (action,) = actions(f'require "extlists"; redirect :list "{MYLIST}";')
    assert action["address"] == MYLIST
    assert action["members"] == ["ann@example.net", "bob@example.net", "coyote@desert.example.org"]


def test_redirect_to_a_list_is_one_action_of_the_limit():
    assert (
        len(
            actions(
                f'require "extlists"; redirect :list "{MYLIST}"; redirect "x@y.example";', limits=Limits(redirects=2)
            )
        )
        == 2
    )


def test_redirect_to_a_list_cancels_the_implicit_keep_unless_it_copies():
    assert not outcome(f'require "extlists"; redirect :list "{MYLIST}";').implicit_keep
    assert outcome(f'require ["extlists", "copy"]; redirect :copy :list "{MYLIST}";').implicit_keep


def test_redirect_to_an_empty_list_loses_nothing():
    found = outcome('require "extlists"; redirect :list "tag:example.com,2026:empty";')
    assert found.implicit_keep
    assert "has no members" in found.notes[0].text


@pytest.mark.parametrize("name", ["tag:example.com,2026:patterns", "tag:example.com,2026:locals"])
def test_a_list_of_something_else_than_addresses_is_a_run_time_error(name):
    found = outcome(f'require "extlists"; redirect :list "{name}";')
    assert "is no list of addresses" in str(found.failure)


def test_members_have_a_limit():
    found = outcome(f'require "extlists"; redirect :list "{MYLIST}";', limits=Limits(list_recipients=2))
    assert "the list has 3 members: the limit is 2" in str(found.failure)


def test_no_members_allowed_forbids_the_tag():
    script = f'require "extlists"; redirect :list "{MYLIST}";'
    assert "local policy prohibits" in problems(script, limits=Limits(list_recipients=0))[0]


def test_redirect_to_an_address_book_is_warned_of():
    assert "everybody" in warnings('require "extlists"; redirect :list ":addrbook:default";')[0]


def test_redirect_without_the_tag_is_as_ever():
    assert actions('require "extlists"; redirect "a@b.example";') == [{"action": "redirect", "address": "a@b.example"}]
    assert "invalid address" in problems('require "extlists"; redirect "tag:x,2010:y";')[0]


def test_redirect_to_no_name_is_found_when_compiling():
    assert "absolute URI" in problems('require "extlists"; redirect :list "bob@example.net";')[0]


# -- valid_ext_list, RFC 6134 §2.7 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "result"),
    [
        (f'"{FRIENDS}"', True),
        (f'["{FRIENDS}", ":addrbook:default"]', True),
        (f'["{FRIENDS}", "tag:nobody,2026:x"]', False),
        ('"friends"', False),
        ('":addrbook:default?name.contains=fred"', False),
    ],
)
def test_valid_ext_list_wants_every_name_to_be_one_of_a_list(names, result):
    assert holds(f"valid_ext_list {names}") is result


def test_the_default_address_book_is_there_without_any_setting():
    assert holds('valid_ext_list ":addrbook:default"', lists={})
    assert not holds('header :list "from" ":addrbook:default"', lists={})


def test_the_capability_says_what_defines_it():
    assert [(extension.name, extension.rfc, extension.default) for extension in EXTENSIONS] == [
        ("extlists", "RFC 6134", True)
    ]


# -- the examples of §2.9 ------------------------------------------------------------------------------------------


def test_example_3_members_write_to_all_members():
    script = f"""require ["extlists", "envelope", "subaddress"];
    if allof (envelope :detail "to" "mylist", header :list "from" "{MYLIST}") {{ redirect :list "{MYLIST}"; }}"""
    assert actions(script, recipient="alexey+mylist@example.com")[0]["action"] == "redirect"
    assert actions(script, recipient="alexey@example.com")[0]["action"] == "keep"
