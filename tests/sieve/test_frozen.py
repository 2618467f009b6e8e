"""Node classes are values."""

from typing import ClassVar

import pytest

from sievemda.sieve.base.actions import DiscardCommand, Keep
from sievemda.sieve.node import Command, node


@node
class Inner(Command):
    """A command for these tests."""

    keyword: ClassVar[str] = "inner"
    number: int
    word: str = "a"


@node
class Outer(Inner):
    word: str = "b"
    more: int = 7


def test_fields_are_given_by_name_and_have_defaults():
    made = Outer(number=3, line=2)
    assert (made.number, made.word, made.more, made.line, made.options) == (3, "b", 7, 2, ())
    assert list(Outer.node_fields) == ["line", "column", "options", "number", "word", "more"]


@pytest.mark.parametrize("given", [{}, {"number": 1, "other": 2}, {"word": "x"}])
def test_a_field_that_is_missing_or_unknown_is_an_error(given):
    with pytest.raises(TypeError, match="Inner: unknown or missing fields: "):
        Inner(**given)


def test_nodes_are_equal_by_class_and_fields():
    assert Inner(number=1) == Inner(number=1)
    assert hash(Inner(number=1)) == hash(Inner(number=1))
    assert Inner(number=1) != Inner(number=2)
    assert Keep() != DiscardCommand()


def test_nodes_cannot_be_changed():
    made = Inner(number=1)
    with pytest.raises(AttributeError):
        made.number = 2
    with pytest.raises(AttributeError):
        del made.number
    assert not hasattr(made, "__dict__")


def test_nodes_say_what_they_are():
    assert repr(Inner(number=1)) == "Inner(line=0, column=0, options=(), number=1, word='a')"
