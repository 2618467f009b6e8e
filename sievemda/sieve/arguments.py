"""The arguments of one command or test against its signature. RFC 5228 §2.6.

Every way in which arguments can be wrong is said here, once, for all commands and tests: unknown tag, tag given twice
or with another of its group, tag behind a positional argument, parameter of the wrong kind, wrong number of
positional arguments, positional argument of the wrong kind.

Why two steps: how many arguments there are is checked before what kind they are, because between the two come faults
in the shape of the whole command (tests, block), and a command should be blamed for its shape first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sievemda.sieve.matching import Comparator, Matching, MatchType
from sievemda.sieve.node import Context, Node, Option, Test
from sievemda.sieve.signature import Kind, Signature, Slot, signature
from sievemda.sieve.text import Text, Texts, texts
from sievemda.sieve.tree import Argument, Call, Num, Str, Strings, Tag


class Report(Protocol):
    def __call__(self, where: Argument | Call, text: str, *, code: str = "") -> None: ...


_ARTICLE = {Num: "a number", Str: "a string", Strings: "a string list", Tag: "a tag"}


class Wrong(Exception):
    """The arguments are wrong, and the problem is reported."""


class Arguments:
    """Reads the arguments of `call` for a node of class `cls`; `values` are its fields when all went well."""

    def __init__(self, call: Call, cls: type[Node], context: Context, report: Report, seen: set[str]) -> None:
        self.call = call
        self.cls = cls
        self.context = context
        self.vocabulary = context.vocabulary
        self.values: dict[str, Any] = {}
        self.options: list[Option] = []
        self.positional: Sequence[Argument] = ()
        self.node: Node | None = None  # when it was made already
        self._report = report
        self._seen = seen  # unknown tags of this command that were reported already
        self.signature: Signature = signature(cls)
        self._options = context.vocabulary.options(cls.keyword)
        self._given: set[str] = set()
        self._match: tuple[MatchType, str] | None = None
        self._comparator: Comparator | None = None
        self._match_at: Argument | Call = call

    # -- the first step: tags, and how many positional arguments there are -------------------------------------

    def take(self) -> None:
        """Tags first, then as many positional arguments as the signature wants. Raises `Wrong`."""
        arguments = self.call.arguments
        self._refuse_unknown(arguments)
        at = 0
        while at < len(arguments):
            tag = arguments[at]
            if not isinstance(tag, Tag):
                break
            following = arguments[at + 1] if at + 1 < len(arguments) else None
            at += 1 + self._take_tag(tag, following)
        self.positional = arguments[at:]
        for argument in self.positional:
            if isinstance(argument, Tag):
                text = f"unexpected tag ':{argument.name}' among the arguments of {self.title}"
                self.wrong(argument, text, "tag-place")
        self._finish_matching()
        if self.signature.required == len(self.signature.positionals):
            self._count()

    @property
    def title(self) -> str:
        return f"the {self.cls.keyword} {self.noun}"

    @property
    def noun(self) -> str:
        return "test" if issubclass(self.cls, Test) else "command"

    def wrong(self, where: Argument | Call, text: str, code: str = "argument") -> None:
        self._report(where, text, code=code)
        raise Wrong

    def tags(self) -> Mapping[str, object]:
        """Every tag that may stand here."""
        known: dict[str, object] = {**self._options, **self.signature.tags}
        if self.signature.matching:
            known.update(self.vocabulary.match_types, comparator=None)
        if self.signature.address_part:
            known.update(self.vocabulary.address_parts)
        return known

    def _refuse_unknown(self, arguments: Sequence[Argument]) -> None:
        """The first unknown tag is one fault, told once in a script; what stands behind it is not looked at."""
        for tag in arguments:
            if isinstance(tag, Tag) and not self._has(tag.name):
                if tag.name not in self._seen:
                    self._seen.add(tag.name)
                    text = f"unknown tagged argument ':{tag.name[:80]}' for {self.title} (it has no such tag)"
                    self._report(tag, text, code="unknown-tag")
                raise Wrong

    def _has(self, tag: str) -> bool:
        """Whether it is one of `tags`."""
        described, words = self.signature, self.vocabulary
        return (
            tag in described.tags
            or (described.matching is not None and (tag in words.match_types or tag == "comparator"))
            or (described.address_part is not None and tag in words.address_parts)
            or tag in self._options
        )

    def _take_tag(self, tag: Tag, following: Argument | None) -> int:
        """Note one tag; how many arguments behind it belong to it."""
        name = tag.name
        if name in self.signature.tags:
            slot = self.signature.tags[name]
            self._once(tag, name)
            self.values[slot.field], used = self._operand(tag, slot.kind, following)
        elif name in self._options:
            used = self._take_option(tag, self._options[name], following)
        elif self.signature.matching and (name == "comparator" or name in self.vocabulary.match_types):
            used = self._take_matching(tag, following)
        else:
            slot_of_part = self.signature.address_part
            assert slot_of_part is not None
            self._once(tag, "address part")
            self.values[slot_of_part.field], used = self.vocabulary.address_parts[name], 0
        return used

    def _once(self, tag: Tag, group: str) -> None:
        if group in self._given:
            what = f"':{tag.name}'" if group == tag.name else f"{group} ':{tag.name}'"
            self.wrong(tag, f"duplicate {what} for {self.title}: it may be given only once", "duplicate-tag")
        self._given.add(group)

    def _take_option(self, tag: Tag, cls: type[Option], following: Argument | None) -> int:
        self._once(tag, cls.group or tag.name)
        values: dict[str, Any] = {}
        used = 0
        for slot in signature(cls).positionals:
            values[slot.field], used = self._operand(tag, slot.kind, following)
        self.options.append(cls(line=tag.line, column=tag.column, **values))
        return used

    def _take_matching(self, tag: Tag, following: Argument | None) -> int:
        if tag.name == "comparator":
            self._once(tag, "comparator")
            self._comparator = self._find_comparator(tag, following)
            return 1
        self._once(tag, "match type")
        kind = self.vocabulary.match_types[tag.name]
        self._match_at = tag
        if not kind.operand:
            self._match = kind, ""
            return 0
        operand, _ = self._operand(tag, Kind.STRING, following)
        word = operand.source.lower()
        if word not in kind.operand:
            self.wrong(tag, f"':{kind.name}' must be followed by one of {', '.join(kind.operand)}, not {word[:80]!r}")
        self._match = kind, word
        return 1

    def _find_comparator(self, tag: Tag, following: Argument | None) -> Comparator:
        name, _ = self._operand(tag, Kind.STRING, following)
        if not name.constant:
            self.wrong(tag, "the name of a comparator must be a constant string")
        found = self.vocabulary.comparators.get(name.source)
        if found is None:
            self.wrong(tag, f"unknown comparator '{name.source[:80]}'", "unknown-comparator")
        assert found is not None
        return found

    def _finish_matching(self) -> None:
        """Match type and comparator go together only when the comparator can do what is needed. RFC 5228 §2.7.3."""
        slot = self.signature.matching
        if slot is None:
            return
        default: Matching = slot.default
        kind, operand = self._match or (default.type, default.operand)
        comparator = self._comparator or default.comparator
        if self._comparator and not kind.collates:
            self.wrong(self._match_at, f"no comparator can be given with match type ':{kind.name}'")
        if (kind.substring and not comparator.substring) or (kind.order and not comparator.order):
            self.wrong(self._match_at, f"comparator '{comparator.name}' cannot be used with match type ':{kind.name}'")
        self.values[slot.field] = Matching(kind, comparator, operand)

    def _operand(self, tag: Tag, kind: Kind, following: Argument | None) -> tuple[Any, int]:
        """What stands behind a tag, and how many arguments that is."""
        if kind is Kind.FLAG:
            return True, 0
        value = self._convert(following, kind) if following is not None else None
        if value is None:
            found = "nothing" if following is None else _ARTICLE[type(following)]
            text = f"the ':{tag.name}' tag of {self.title} expects {kind.value}, but {found} was found"
            self.wrong(tag, text, "argument-kind")
        return value, 1

    def _count(self) -> None:
        needed, most = self.signature.required, len(self.signature.positionals)
        if not needed <= len(self.positional) <= most:
            wanted = f"{needed}" if needed == most else f"{needed} to {most}"
            text = f"{self.title} requires {wanted} positional arguments, but {len(self.positional)} are specified"
            self.wrong(self.call, text, "argument-count")

    # -- the second step: what kind the positional arguments are -----------------------------------------------

    def check(self) -> None:
        """Convert the positional arguments. Raises `Wrong` at the first of the wrong kind.

        How many there are is a rule of its own where some may be left out, and looked at only here.
        """
        slots = self.signature.positionals
        self._count()
        spare = len(self.positional) - self.signature.required
        rest = iter(self.positional)
        for number, slot in enumerate(slots, 1):
            if slot.optional:
                if spare <= 0:
                    self.values[slot.field] = None
                    continue
                spare -= 1
            self._check_one(number, slot, next(rest))

    def _check_one(self, number: int, slot: Slot, argument: Argument) -> None:
        value = self._convert(argument, slot.kind)
        if value is None:
            text = f"expects {slot.kind.value} for argument {number} ({slot.role}), but {_ARTICLE[type(argument)]}"
            self.wrong(argument, f"{self.title} {text} was found", "argument-kind")
        self.values[slot.field] = value

    def _convert(self, argument: Argument, kind: Kind) -> int | Text | Texts | None:
        if kind is Kind.STRINGS:
            if isinstance(argument, Str):
                return texts((self.text(argument),))
            return texts(tuple([self.text(item) for item in argument.items])) if isinstance(argument, Strings) else None
        if kind is Kind.STRING:
            return self.text(argument) if isinstance(argument, Str) else None
        return argument.value if kind is Kind.NUMBER and isinstance(argument, Num) else None

    def text(self, string: Str) -> Text:
        """A string as the required extensions read it: encoded characters first, then variables. RFC 5229 §3.1."""
        return read_text(string, self.context, self.wrong)


def read_text(string: Str, context: Context, wrong: Callable[[Str, str], None]) -> Text:
    """`wrong` is told of a fault, and does not return."""
    source = string.value
    if "${" not in source:
        return Text(source, (), string.line, string.column)
    try:
        for decode in context.vocabulary.decoders:
            source = decode(source)
        for read in context.vocabulary.readers:
            parts = read(source, context)
            if not all(isinstance(part, str) for part in parts):
                return Text(source, parts, string.line, string.column)
    except ValueError as fault:
        wrong(string, str(fault))
    return Text(source, (), string.line, string.column)
