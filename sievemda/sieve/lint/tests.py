"""Tests that can never be true, or always are, whatever the message is.

What is compared is known in part: the value of a header field has no line end and no white space around it, an address
has one `@` with a local part before it and a domain behind. A key that no such value can match is told at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sievemda.sieve.base.tests import ADDRESS_FIELDS, AllOf, AnyOf, FalseTest, Not, Size, TrueTest
from sievemda.sieve.extensions.date import CurrentDate, DateTest
from sievemda.sieve.lint.telling import deep, every, meaning, tests_of, warning
from sievemda.sieve.matching import AddressPart, Matching
from sievemda.sieve.node import Command, Test
from sievemda.sieve.problems import Problem
from sievemda.sieve.text import Text, Texts

_FIELDS = frozenset({"header", "address", "envelope"})
_ORDERED = frozenset({"gt", "ge", "lt", "le"})
_NO_AT = {"domain": "the domain is what stands behind the '@'", "localpart": "the local part stands before the '@'",
          "user": "the user stands before the '@'", "detail": "the detail stands before the '@'"}  # fmt: skip

# How RFC 5260 §4.2 writes the parts of a date, and an example of each.
_PARTS = {
    "year": ("[0-9]{4}", "2026"), "month": ("0[1-9]|1[0-2]", "03"), "day": ("0[1-9]|[12][0-9]|3[01]", "09"),
    "date": ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-03-09"), "hour": ("[01][0-9]|2[0-3]", "08"),
    "minute": ("[0-5][0-9]", "05"), "second": ("[0-5][0-9]|60", "05"),
    "time": ("[0-9]{2}:[0-9]{2}:[0-9]{2}", "08:05:00"), "weekday": ("[0-6]", "0"),
}  # fmt: skip


def odd_tests(commands: tuple[Command, ...]) -> Iterator[Problem]:
    for command in every(commands):
        for test in tests_of(command):
            for one in deep(test):
                yield from _odd(one)


def _odd(test: Test) -> Iterator[Problem]:
    if isinstance(test, AllOf | AnyOf):
        yield from _together(test)
    elif isinstance(test, Size):
        yield from _size(test)
    matching = getattr(test, "matching", None)
    keys = getattr(test, "key_list", None)
    if isinstance(matching, Matching) and isinstance(keys, Texts):
        for key in keys:
            if key.constant:
                yield from _key(test, matching, key)


def _size(test: Size) -> Iterator[Problem]:
    if test.under and test.limit <= 1:
        yield warning(test, "never-true", "no message is that small: this is never true", "size counts octets; 10K, 1M")
    elif test.over and not test.limit:
        yield warning(
            test, "always-true", "every message is larger than 0: this is always true", "size counts octets; 10K, 1M"
        )


def _together(test: AllOf | AnyOf) -> Iterator[Problem]:
    decides, word = (FalseTest, "false") if isinstance(test, AllOf) else (TrueTest, "true")
    code = "never-true" if word == "false" else "always-true"
    if len(test.tests) > 1 and any(isinstance(one, decides) for one in test.tests):
        yield warning(test, code, f"with '{word}' in it this is always {word}", f"remove the '{word}'")
    said = {meaning(one) for one in test.tests}
    for one in test.tests:
        if isinstance(one, Not) and meaning(one.test) in said:
            text = f"a test and its opposite: this is {'never' if word == 'false' else 'always'} true"
            yield warning(one, code, text, "remove one of them")
    yield from _sizes(test, code)


def _sizes(test: AllOf | AnyOf, code: str) -> Iterator[Problem]:
    sizes = [one for one in test.tests if isinstance(one, Size)]
    over, under = [s for s in sizes if s.over], [s for s in sizes if s.under]
    if not over or not under:
        return
    if isinstance(test, AllOf):
        least, most = max(s.limit for s in over), min(s.limit for s in under)
        if most <= least + 1:
            yield warning(under[0], code, f"no size is over {least} and under {most}: this is never true", "swap them")
    elif max(s.limit for s in under) > min(s.limit for s in over):
        yield warning(under[0], code, "every size is one of these: this is always true", "change one of them")


def _key(test: Test, matching: Matching, key: Text) -> Iterator[Problem]:
    kind, value = matching.type.name, key.source
    numeric = "numeric" in matching.comparator.name
    if isinstance(test, DateTest | CurrentDate) and not numeric and kind != "count":
        yield from _date_key(test, kind, key)
        return
    if matching.operand in _ORDERED and value.isdigit() and not numeric:
        text = f"'{matching.comparator.name}' compares {value[:20]!r} as text: 10 comes before 9"
        yield warning(key, "text-order", text, 'add :comparator "i;ascii-numeric", and require it')
        return
    if numeric and value and not (value.isascii() and value.isdigit()):
        digits = "".join(re.findall(r"\A[0-9]+", value))
        text = f"{value[:40]!r} is no whole number: i;ascii-numeric takes it for {digits or 'more than every number'}"
        yield warning(key, "odd-number", text, "a number of i;ascii-numeric is digits alone, without sign or point")
        return
    if kind not in {"is", "contains", "matches"} or test.keyword not in _FIELDS:
        return
    why, hint = _impossible(test, kind, value)
    if why:
        yield warning(key, "never-true", f"nothing can match {value[:60]!r}: {why}", hint)
    elif kind in {"is", "contains"} and len(value) > 1 and (value.startswith("*") or value.endswith("*")):
        yield warning(key, "literal-star", f"'*' is an ordinary character for ':{kind}'", "write :matches")
    elif test.keyword == "header" and kind == "is" and _is_address(value) and _holds_addresses(test):
        text = f"this is true only where the field is {value[:60]!r} and nothing else, no name beside it"
        yield warning(key, "address-as-header", text, "use the address test")


def _date_key(test: DateTest | CurrentDate, kind: str, key: Text) -> Iterator[Problem]:
    """A number in a date has always as many digits, so that texts are in the order of time; other keys are not."""
    part = test.date_part.source.lower() if test.date_part.constant else ""
    pattern, example = _PARTS.get(part, ("", ""))
    value = key.source
    if kind == "is" and pattern and not re.fullmatch(pattern, value):
        text = f"nothing can match {value[:40]!r}: the {part} of a date is written as in '{example}'"
        yield warning(key, "never-true", text, f'write it as in "{example}"')
    elif kind == "value" and value.isdigit() and example.isdigit() and len(value) != len(example):
        text = f"{value[:40]!r} is compared as text: the {part} of a date is written as in '{example}'"
        yield warning(key, "text-order", text, f'write it as in "{example}"')


def _impossible(test: Test, kind: str, value: str) -> tuple[str, str]:
    """Why no value can match a key, and what was probably meant."""
    if "\n" in value:
        return "no value holds a line end", "write it on one line"
    if kind == "is" and value != value.strip():
        return "values have no white space around them", "remove the blanks"
    part = getattr(test, "part", None)
    if not isinstance(part, AddressPart):
        return "", ""
    if "@" in value and part.name in _NO_AT and '"' not in value:
        return _NO_AT[part.name], "leave the part with the '@' out, or use :all"
    if part.name == "all" and kind == "is" and re.search("[^<]*[ \t][^<]*<[^>]*@[^>]*>", value):
        return "the name beside an address is no part of it", "write the address alone"
    if part.name == "all" and kind == "is" and value and "@" not in value and test.keyword == "address":
        return "an address has an '@'", "write :localpart, :domain or :contains"
    return "", ""


def _is_address(value: str) -> bool:
    local, at, domain = value.partition("@")
    return bool(at and local and domain) and not set(value) & set(' <>,"')


def _holds_addresses(test: Test) -> bool:
    names = getattr(test, "header_names", ())
    return any(name.constant and name.source.lower() in ADDRESS_FIELDS for name in names)
