"""Patterns mean the same to every Python that the package runs on.

Python before 3.11.5 goes wrong where a possessive group fails behind a repetition inside of it: it goes on from there,
and not from where the group began.
"""

import importlib
import pkgutil
import re
from re import _constants as op
from re import _parser as parser

import pytest

import sievemda

_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}


def patterns():
    found = {}
    for module in pkgutil.walk_packages(sievemda.__path__, "sievemda."):
        if not module.name.endswith("__main__"):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    found.setdefault(value.pattern, pytest.param(value, id=f"{module.name}.{name}"))
    return found.values()


def groups(items):
    """Every sub-pattern of a possessive group, wherever it stands."""
    for kind, argument in items:
        if kind is op.POSSESSIVE_REPEAT:
            yield argument[2]
        for inner in _inside(kind, argument):
            yield from groups(inner)


def _inside(kind, argument):
    if kind in _REPEATS:
        return [argument[2]]
    if kind is op.BRANCH:
        return argument[1]
    if kind in {op.SUBPATTERN, op.ASSERT, op.ASSERT_NOT}:
        return [argument[-1]]
    return [argument] if kind is op.ATOMIC_GROUP else []


def may_fail(kind, argument):
    if kind in _REPEATS:
        return argument[0] > 0
    if kind is op.BRANCH:
        return all(any(may_fail(*item) for item in inner) for inner in argument[1])
    return kind is not op.SUBPATTERN or any(may_fail(*item) for item in argument[-1])


def fails_behind_a_repetition(items):
    repeated = False
    for kind, argument in items:
        if not may_fail(kind, argument):
            repeated = repeated or kind in _REPEATS
            continue
        if repeated or (kind in _REPEATS and argument[0] > 1):
            return True
        repeated = repeated or kind in _REPEATS
        if any(fails_behind_a_repetition(inner) for inner in _inside(kind, argument)):
            return True
    return False


@pytest.mark.parametrize("pattern", patterns())
def test_no_possessive_group_can_fail_behind_a_repetition(pattern):
    for group in groups(parser.parse(pattern.pattern, pattern.flags)):
        assert not fails_behind_a_repetition(group), pattern.pattern


@pytest.mark.parametrize(
    ("text", "wrong"),
    [(r"(?:a*b)*+", True), (r"(?:x|%[0-9]{2})++", True), (r"(?:\n[ \t][^\n]*+)*+", False), ("a++b", False)],
)
def test_the_rule_finds_such_a_group(text, wrong):
    assert any(fails_behind_a_repetition(group) for group in groups(parser.parse(text))) is wrong
