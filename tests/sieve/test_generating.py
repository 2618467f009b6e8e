"""What makes scripts for other tests makes all that there is, and nothing that is wrong."""

from random import Random

import pytest

from sievemda.sieve.lalr import read
from sievemda.sieve.signature import signature
from tests.sieve.generating import CHAIN, DIALECTS, LOOP, Maker
from tests.sieve.trying import problems

IN_LOOPS = {"break", "extracttext"}
OF_THE_OTHER_NOTIFY = {"fcc", "create", "flags", "mailboxid", "specialuse"}  # the old one has a name in common with it


def uses(vocabulary, cls):
    """A word alone and with each of its tags."""
    described = signature(cls)
    return [
        None,
        *described.tags,
        *vocabulary.options(cls.keyword),
        *((*vocabulary.match_types, "comparator") if described.matching else ()),
        *(vocabulary.address_parts if described.address_part else ()),
    ]


def found(name, tag, make):
    """Whether one of some seeds gives this word with that tag."""
    return any(
        words[0] == name and (tag is None or f":{tag}" in words) for words in (make(Random(seed)) for seed in range(8))
    )


@pytest.mark.parametrize("spoken", DIALECTS, ids=["mail", "events", "former"])
def test_every_command_of_every_extension_is_made_with_each_of_its_tags(spoken):
    words = spoken.vocabulary
    for name in spoken.commands:
        for tag in uses(words, words.commands[name]):
            if name == "notify" and "notify" in spoken.names and tag in OF_THE_OTHER_NOTIFY:
                continue
            made = lambda random: Maker(random, spoken).command(name, tag, loop=name in IN_LOOPS)  # noqa: B023, E731
            assert found(name, tag, made), (name, tag)


@pytest.mark.parametrize("spoken", DIALECTS, ids=["mail", "events", "former"])
def test_every_test_of_every_extension_is_made_with_each_of_its_tags(spoken):
    words = spoken.vocabulary
    for name in spoken.tests:
        for tag in uses(words, words.tests[name]):
            made = lambda random: Maker(random, spoken).test(0, name, tag)  # noqa: B023, E731
            assert found(name, tag, made), (name, tag)


def test_scripts_of_several_commands_compile():
    for seed in range(40):
        maker = Maker(Random(seed), DIALECTS[seed % 3])
        script = maker.laid_out(maker.script())
        assert problems(script) == []


def test_what_follows_the_grammar_alone_parses():
    for seed in range(200):
        maker = Maker(Random(seed))
        script = maker.laid_out(maker.any_script())
        assert read(script) is not None, script


def test_chains_and_loops_are_made():
    made = {word for seed in range(60) for word in Maker(Random(seed)).script()}
    assert made >= {*CHAIN, LOOP, "anyof", "allof", "not", "break"}
