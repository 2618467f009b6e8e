"""How to mend what is wrong, in one line: one answer for each kind of problem.

A guess is made only where it is likely: a word is like another one, another filter calls it so, or an extension has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from sievemda.sieve.base.control import Else
from sievemda.sieve.node import Node
from sievemda.sieve.survey.lexicon import FIELDS, INSTEAD, Lexicon, owners
from sievemda.sieve.tree import Call, Str, Tag
from sievemda.sieve.usage import usage
from sievemda.sieve.vocabulary import Vocabulary, registry

_SIMILAR = 0.7


@dataclass(frozen=True, slots=True)
class Case:
    """What is known where a problem was found: `word` is the word, tag or string that is wrong.

    `cls` is the class of the command or test it is in, `required` the line of the first `require`; 0: there is none.
    """

    code: str
    text: str
    word: str
    call: Call | None
    cls: type[Node] | None
    vocabulary: Vocabulary
    allowed: frozenset[str]
    lexicon: Lexicon
    required: int = 0


def hint(case: Case) -> str:
    """How to mend it; the usage of the command or test where there is nothing better, else nothing."""
    answer = _ANSWERS.get(case.code)
    found = answer(case) if answer else ""
    return found or _usage(case)


def close(word: str, known: Iterable[str]) -> str:
    """The word that was most likely meant; empty when none is like it."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower()[:64], by_lower, 1, _SIMILAR)
    return by_lower[found[0]] if found else ""


def require(capability: str, case: Case) -> str:
    """That a capability must be required, or cannot be."""
    if capability not in case.allowed:
        return f"it needs '{capability}', which is not allowed here"
    where = f' (or "{capability}" to the list in line {case.required})' if case.required else ""
    return f'add require ["{capability}"];{where}'


def capability_of(word: str, *, test: bool) -> str:
    """The capability that brings this command or test; empty for what nobody knows or everybody has."""
    for extension in registry().extensions.values():
        nodes = extension.tests if test else extension.commands
        if not extension.private and any(cls.keyword == word for cls in nodes):
            return extension.name
    return ""


def _usage(case: Case) -> str:
    return f"usage: {usage(case.cls).line}" if case.cls is not None else ""


def _unknown_word(case: Case) -> str:
    test = case.code == "unknown-test"
    word = case.word
    instead = INSTEAD.get(word)
    if not instead and (capability := capability_of(word, test=test)):
        return require(capability, case)
    if word == "contains" or word in {"is", "matches"}:
        return f'a match type is a tag of a test: header :{word} "subject" "..."'
    if test and word in FIELDS:
        return f'write header :contains "{word}" "..."'
    if instead:
        return f"did you mean '{instead}'?"
    known = case.lexicon.tests if test else case.lexicon.commands - {"elseif", "elif"}
    found = close(word, known) or INSTEAD.get(close(word, (one for one in INSTEAD if one[0] != ":")), "")
    if not found:
        return (
            "the tests are " + _some(case.vocabulary.tests)
            if test
            else "the commands are " + _some(case.vocabulary.commands)
        )
    capability = capability_of(found, test=test)
    extra = (
        f", with {require(capability, case)}" if capability and capability not in case.vocabulary.capabilities else ""
    )
    return f"did you mean '{found}'?{extra}"


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:12]) + (", ..." if len(found) > 12 else "")


def _unknown_tag(case: Case) -> str:
    if case.cls is None:
        return ""
    known = owners(case.cls)
    capability = known.get(case.word)
    if capability:
        return require(capability, case)
    instead = INSTEAD.get(f":{case.word}", "")[1:]
    found = instead if instead in known else close(case.word, known)
    if found:
        needed = known[found]
        extra = f", with {require(needed, case)}" if needed and needed not in case.vocabulary.capabilities else ""
        return f"did you mean ':{found}'?{extra}"
    have = sorted(name for name, needed in known.items() if not needed or needed in case.vocabulary.capabilities)
    names = ", ".join(f":{name}" for name in have)
    return f"its tags are {names}" if names else "it has no tags"


def _unknown_capability(case: Case) -> str:
    if not case.word:
        return "remove it"
    former = {"comparator-": "comparator-i;ascii-numeric"}
    found = close(case.word, registry().public - {""}) or former.get(case.word, "")
    if found:
        return f"did you mean '{found}'?"
    capability = capability_of(case.word, test=False) or capability_of(case.word, test=True)
    return (
        f"it comes with '{capability}'" if capability else "remove it, or ask the administrator whether it can be had"
    )


def _tags_first(case: Case) -> str:
    call = case.call
    if call is None or case.cls is None:
        return ""
    where = [argument for argument in call.arguments if isinstance(argument, Tag)]
    strings = [argument for argument in call.arguments if isinstance(argument, Str)]
    tags = " ".join(f":{tag.name}" for tag in where)
    texts = " ".join(f'"{text.value[:40]}"' for text in strings)
    return (
        f"tags come first: {call.name} {tags} {texts}".rstrip()
        if len(call.arguments) == len(where) + len(strings)
        else (f"tags come first: {usage(case.cls).line}")
    )


def _tests(case: Case) -> str:
    call = case.call
    if call is None:
        return ""
    if call.listed and call.name in {"if", "elsif"}:
        return f"write {call.name} allof (...) or {call.name} anyof (...), or leave the parentheses out"
    if call.name in {"allof", "anyof"}:
        return f"write {call.name} (test, test)"
    return ""


def _block(case: Case) -> str:
    call = case.call
    if call is not None and call.block is None:
        return f"write the commands of '{call.name}' in braces behind it: {{ ... }}"
    return f"end '{call.name}' with ';'" if call is not None else ""


def _as_command(case: Case) -> str:
    return f"write: if {case.word} ... {{ ... }}"


def _as_test(case: Case) -> str:
    return f"'{case.word}' does something: it stands in a block or by itself, not behind 'if'"


def _comparator(case: Case) -> str:
    name = case.word
    capability = f"comparator-{name}"
    if capability in registry().public:
        return require(capability, case)
    known = [one.removeprefix("comparator-") for one in registry().public if one.startswith("comparator-")]
    found = close(name, known)
    return f"did you mean '{found}'?" if found else "known are " + _some(known)


def _kind(case: Case) -> str:
    if "expects a number, but a string " in case.text:
        return "write numbers without quotes"
    if case.text.endswith("but a number was found"):
        return f"write strings in quotes; {_usage(case)}"
    if "expects a string, but a string list" in case.text:
        return f"one string is wanted, not a list; {_usage(case)}"
    return ""


_RELATIONS = {">": "gt", ">=": "ge", "<": "lt", "<=": "le", "=": "eq", "==": "eq", "!=": "ne", "<>": "ne"}


def _named(case: Case) -> str:
    """What a problem names, in the quotes of strings."""
    found = re.search("'([^']{1,60})'", case.text)
    return f'"{found[1]}"' if found else "..."


def _argument(case: Case) -> str:
    """Of a value that is not possible."""
    if case.text.startswith("invalid address"):
        return 'an address is written "name@example.org", and each has a command of its own'
    if case.text.startswith("invalid variable name"):
        return "a name begins with a letter or _, and goes on with letters, digits and _"
    if "must be followed by one of" in case.text:
        given = case.text.rpartition(" not ")[2].strip("'")
        meant = _RELATIONS.get(given) or next((one for one in _RELATIONS.values() if given == _NAMES[one]), "")
        return f'write "{meant}"' if meant else 'a relation stands behind it, as in :value "gt"'
    if "is not allowed for the address test" in case.text:
        return f'it holds no addresses: write header :contains {_named(case)} "..."'
    if found := re.match("unknown envelope part '(.*)': known are (.*)", case.text):
        near = close(found[1], found[2].split(", ")) or {"sender": "from", "recipient": "to"}.get(found[1].lower())
        return f"did you mean '{near}'?" if near else ""
    return ""


_NAMES = {"gt": "greater", "ge": "greater or equal", "lt": "less", "le": "less or equal", "eq": "equal", "ne": "not"}


def _stray(case: Case) -> str:
    if case.cls is Else:
        return "write elsif, or leave the test out"
    return f"remove '{case.word}', or put a ';' in front of it"


_ANSWERS: dict[str, Callable[[Case], str]] = {
    "unknown-command": _unknown_word,
    "unknown-test": _unknown_word,
    "unknown-tag": _unknown_tag,
    "unknown-capability": _unknown_capability,
    "forbidden-capability": lambda _: "the administrator decides which extensions scripts may use",
    "needless-require": lambda _: "remove it",
    "missing-capability": lambda _: "add it to the require",
    "conflicting-capabilities": lambda _: "require one of them",
    "late-require": lambda _: "move it to the beginning of the script",
    "no-if": lambda case: f"'{case.word}' stands right behind the block of an 'if' or 'elsif'",
    "test-as-command": _as_command,
    "command-as-test": _as_test,
    "missing-semicolon": lambda _: "put a ';' in front of it",
    "stray-tests": _stray,
    "missing-colon": lambda case: f"write :{case.word}",
    "tests": _tests,
    "block": _block,
    "tag-place": _tags_first,
    "argument": _argument,
    "key": lambda case: "the expressions are POSIX extended ones" if "regular expression" in case.text else "",
    "argument-kind": _kind,
    "duplicate-tag": lambda _: "keep one of them",
    "unknown-comparator": _comparator,
}
