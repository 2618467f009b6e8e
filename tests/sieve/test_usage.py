"""How a word of the language is written and what it does, as editors and hints tell it."""

import pytest

from sievemda.sieve.glossary import SUMMARIES
from sievemda.sieve.node import Option
from sievemda.sieve.signature import signature
from sievemda.sieve.usage import tag_usage, usage, word_usage
from sievemda.sieve.vocabulary import base_vocabulary, registry

EXTENSIONS = [e for e in registry().extensions.values() if not e.private]
NODES = [cls for e in EXTENSIONS for cls in (*e.commands, *e.tests, *e.options)]
WORDS = [f":{item.name}" for e in EXTENSIONS for item in (*e.match_types, *e.address_parts)]


def named(cls):
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def words(*names):
    return base_vocabulary().with_(names)


@pytest.mark.parametrize("cls", NODES, ids=named)
def test_a_usage_line_begins_with_the_word_and_names_every_tag(cls):
    line = usage(cls).line
    assert line.split()[0] == (f":{cls.keyword}" if issubclass(cls, Option) else cls.keyword)
    for tag in signature(cls).tags:
        assert f":{tag}" in line


@pytest.mark.parametrize("cls", NODES, ids=named)
def test_a_usage_line_has_balanced_brackets_and_no_prose(cls):
    line = usage(cls).line
    assert line.count("[") == line.count("]")
    assert line.count("<") == line.count(">")
    assert not line.endswith((",", ".", ":"))
    assert "§" not in line


@pytest.mark.parametrize("cls", NODES, ids=named)
def test_every_word_is_told_in_a_sentence_and_has_a_source(cls):
    found = usage(cls)
    assert found.summary.endswith(".")
    assert found.source
    for tag in signature(cls).tags:
        assert tag_usage(cls, tag).summary.endswith(".")


@pytest.mark.parametrize("word", sorted(set(WORDS)))
def test_match_types_and_address_parts_are_told_in_a_sentence(word):
    assert word_usage(word).summary.endswith(".")
    assert word_usage(word).line.startswith(word)


def test_the_glossary_explains_no_word_that_does_not_exist():
    known = {*WORDS, ":comparator", *(c.name for e in EXTENSIONS for c in e.comparators)}
    for cls in NODES:
        head = f":{cls.keyword}" if issubclass(cls, Option) else cls.keyword
        known |= {head, *(f"{cls.keyword} :{tag}" for tag in signature(cls).tags)}
        known |= {f":{tag}" for tag in signature(cls).tags}
        known |= {f"{owner} {head}" for owner in getattr(cls, "extends", ())}
    assert set(SUMMARIES) - known == set()


@pytest.mark.parametrize(
    ("command", "capability", "line", "source"),
    [
        ("keep", "", "keep", "RFC 5228 §4.3"),
        ("redirect", "", "redirect <address: string>", "RFC 5228 §4.2"),
        ("fileinto", "fileinto", "fileinto <mailbox: string>", "RFC 5228 §4.1"),
        ("if", "", "if <test> <block>", "RFC 5228 §3.1"),
        ("else", "", "else <block>", "RFC 5228 §3.1"),
        ("set", "variables", "set [MODIFIER] <name: string> <value: string>", "RFC 5229 §4"),
        ("foreverypart", "foreverypart", 'foreverypart [":name" string] block', "RFC 5703 §3"),
    ],
)
def test_usage_of_commands(command, capability, line, source):
    found = usage(words(*filter(None, [capability])).commands[command])
    assert (found.line, found.source, found.capability) == (line, source, capability)


@pytest.mark.parametrize(
    ("test", "capability", "line", "source"),
    [
        ("not", "", "not <test>", "RFC 5228 §5.8"),
        ("size", "", 'size <":over" / ":under"> <limit: number>', "RFC 5228 §5.9"),
        ("envelope", "envelope", "envelope [COMPARATOR] [ADDRESS-PART] [MATCH-TYPE] <envelope-part: string-list> <key-list: string-list>", "RFC 5228 §5.4"),
        ("body", "body", 'body [":raw"] [":content" <string-list>] [":text"] [COMPARATOR] [MATCH-TYPE] <key-list: string-list>', "RFC 5173 §4"),
    ],
)  # fmt: skip
def test_usage_of_tests(test, capability, line, source):
    found = usage(words(*filter(None, [capability])).tests[test])
    assert (found.line, found.source) == (line, source)


def test_a_tag_is_told_as_it_is_on_that_command():
    vacation = words("vacation").commands["vacation"]
    found = tag_usage(vacation, "days")
    assert found.line == '":days" <number>'
    assert found.summary == "How many days a sender gets no second answer."
    assert found.capability == "vacation"


def test_one_tag_may_mean_two_things():
    options = words("include").options("include")
    assert usage(options["global"]).summary == "A script of the site."


def test_a_match_type_tells_what_follows_it():
    found = word_usage(":count")
    assert found.line == ':count <"gt" / "ge" / "lt" / "le" / "eq" / "ne">'
    assert found.capability == "relational"
    assert found.source == "RFC 5231 §4.2"


def test_a_word_that_nobody_knows_is_told_as_it_is():
    assert word_usage(":nothing").line == ":nothing"
    assert word_usage(":nothing").summary == ""
