"""Command, Test and Option: the three things a script is made of.

A node class is signature and compiled form in one: a frozen data class whose fields the binder fills. A field without
default is a positional argument, in order (`X | None` may be left out); a field with a default is the tag of that
name (a trailing `_` is dropped, so `from_` is `:from`). Its type says what stands there:

    bool         a bare tag                      Text, Texts    a string, a string list
    int          a number                        Test, Tests    one test, a list of tests
    Matching     MATCH-TYPE and COMPARATOR       Block          a block of commands
    AddressPart  ADDRESS-PART

Nodes hold no state of a run, so one program may run in many threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar, dataclass_transform

from sievemda.sieve.effects import Notify, Respond, Store
from sievemda.sieve.frozen import Frozen, frozen

if TYPE_CHECKING:
    from sievemda.mail.message import Message
    from sievemda.sieve.effects import Effect
    from sievemda.sieve.fields import Occurrence
    from sievemda.sieve.limits import Limits
    from sievemda.sieve.run import Compared, Run
    from sievemda.sieve.skipping import Watched
    from sievemda.sieve.text import Text
    from sievemda.sieve.vocabulary import Vocabulary

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def node(cls: type[T]) -> type[T]:
    """Make a node class of it."""
    return frozen(cls)


@dataclass(frozen=True, slots=True)
class Context:
    """What a node may ask when its literals are checked.

    `declared` are the names of the variables that the script sets, as far as it has been read; `allowed` the
    capabilities that it may have; `enclosing` the commands in whose blocks it stands, outermost first, without what
    is in them.
    """

    limits: Limits
    vocabulary: Vocabulary
    declared: set[str]
    allowed: frozenset[str] = frozenset()
    enclosing: tuple[Command, ...] = ()


Fault = str | tuple["Text", str]  # a fault of the node, or of one of its strings


@node
class Node(Frozen):
    keyword: ClassVar[str] = ""
    line: int = 0
    column: int = 0

    def problems(self, context: Context) -> Iterator[Fault]:
        """Rules of its own that a signature cannot say, for literals. RFC 5228 §2.10.6."""
        yield from ()

    def warnings(self, context: Context) -> Iterator[Fault]:
        """What is allowed and yet hardly meant."""
        yield from ()


@node
class Option(Node):
    """A tag that an extension adds to nodes of others; at most one positional field, what follows the tag.

    It acts by one of its hooks: `amend` on actions; `entities`, `pick`, `extract` on tests of header fields (see
    `fields`).
    """

    extends: ClassVar[tuple[str, ...]] = ()  # keywords of the commands or tests; ":fcc": whatever takes that tag
    group: ClassVar[str] = ""  # options of one group exclude each other

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        """What is wrong with this tag on this command or test, given with those other tags (`owner.options`)."""
        yield from ()

    def amend(self, effect: Effect, run: Run) -> Effect:
        """The effect as this tag wants it."""
        return effect

    def entities(self, run: Run, found: Sequence[Message], options: Sequence[Option]) -> Sequence[Message]:
        """Whose header is looked at: the message as it stands, unless a tag says otherwise."""
        return found

    def pick(self, found: Sequence[Occurrence], options: Sequence[Option]) -> Sequence[Occurrence]:
        """Which of the fields are looked at."""
        return found

    def extract(self, run: Run, found: Occurrence) -> Sequence[str] | None:
        """What the values of a field are for this tag; `None`: the tag has no say in that."""
        return None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a script includes another one. RFC 6609 §3.2."""

    location: str  # "personal" or "global"
    name: str
    once: bool = False
    optional: bool = False
    line: int = 0
    column: int = 0


@node
class Command(Node):
    """An action or control. One that `follows` others continues the command of that name just before it."""

    follows: ClassVar[tuple[str, ...]] = ()
    ends: ClassVar[bool] = False  # nothing behind it in its block is reached
    options: tuple[Option, ...] = ()

    def execute(self, run: Run) -> None:
        """Do it. A command that only the binder acts on leaves nothing to do."""

    def inclusion(self) -> Inclusion | None:
        """The script that it includes, if it is for that."""
        return None

    def attempts(self) -> Sequence[Test] | None:
        """The tests that it tries in turn, when all it does is to do nothing where none of them holds."""
        return None

    def amended(self, effect: Effect, run: Run) -> Effect:
        """The effect as the tags on this command want it.

        A tag that this command has because it takes another one (`:create` with `:fcc`) is about the copy that is
        kept, wherever it stands among the tags: RFC 8580 §3.2.
        """
        for option in self.options:
            if self.keyword in option.extends:
                effect = option.amend(effect, run)
        if isinstance(effect, Respond | Notify) and effect.fcc is not None:
            copy: Effect = effect.fcc
            for option in self.options:
                if self.keyword not in option.extends:
                    copy = option.amend(copy, run)
            assert isinstance(copy, Store)
            effect = replace(effect, fcc=copy)
        return effect


class About(NamedTuple):
    """What a test looks at, in words for the user: what to call its values, and how to say that there are none."""

    values: str
    none: str = ""


@node
class Test(Node, ABC):
    decided_by: ClassVar[bool | None] = None  # a result of one of its tests behind which none is tried
    options: tuple[Option, ...] = ()

    def resolved(self, context: Context) -> tuple[Test, frozenset[str]]:
        """What stands in its place in the program, and the capabilities that the script has from here on."""
        return self, frozenset()

    @abstractmethod
    def holds(self, run: Run) -> bool:
        """Whether it is true of this message."""

    def watched(self) -> Watched | None:
        """What it compares with what constant keys, when that is all it does: then it may be looked up."""
        return None

    def refuted_by(self) -> Sequence[Test] | None:
        """Tests of its own: when all of them are false so is it, and has tried these and no others."""
        return None

    def settled(self) -> bool | None:
        """What it comes to whatever the message is; `None` when that depends. A block never run is not checked."""
        return None

    def about(self, run: Run) -> About:
        """What it looks at. Asked right after it was tried, and only when a run is to be explained."""
        return About(self.keyword)

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        """Why it came out so, for a test that does not compare values with keys; asked as `about` is."""
        return ""


Tests = tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Block:
    commands: tuple[Command, ...] = ()
