"""address, allof, anyof, exists, false, header, not, size, true. RFC 5228 §5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.mail.address import Address
from sievemda.mail.addresslist import address_list
from sievemda.mail.header import unfold
from sievemda.sieve.fields import entities, field_values, occurrences
from sievemda.sieve.matching import ALL, DEFAULT, EACH, AddressPart, Matching, match
from sievemda.sieve.node import About, Context, Fault, Option, Test, node
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.skipping import Watched
from sievemda.sieve.text import Texts
from sievemda.sieve.wording import names as named
from sievemda.sieve.wording import octets, presence

# Fields that hold addresses: RFC 5322 §3.6, then what is seen in mail. RFC 5228 §5.1 wants the test restricted to such.
ADDRESS_FIELDS = frozenset({
    "from", "sender", "reply-to", "to", "cc", "bcc", "return-path", "envelope-to", "delivered-to",
    "resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc",
    "for-approval", "for-handling", "for-comment", "apparently-to", "errors-to", "return-receipt-to", "x-admin",
    "read-receipt-to", "x-confirm-reading-to", "return-receipt-requested", "registered-mail-reply-requested-by",
    "mail-followup-to", "mail-reply-to", "abuse-reports-to", "x-complaints-to", "x-report-abuse-to", "x-beenthere",
    "x-original-from", "x-original-to", "x-envelope-to", "x-envelope-from", "x-delivered-to", "x-forwarded-to",
    "x-forwarded-for", "x-resolved-to", "disposition-notification-to",
})  # fmt: skip

_PARSING = 50  # how often an octet counts that is read as a list of addresses


@node
class AddressTest(Test):
    """address [ADDRESS-PART] [COMPARATOR] [MATCH-TYPE] <header-list: string-list> <key-list: string-list>, §5.1.

    Group names, phrases and comments are no part of an address. What is no address at all is still a value for `:all`,
    and none for a part of it (§2.7.4); an empty field is the empty value.
    """

    keyword = "address"
    matching: Matching = DEFAULT
    part: AddressPart = ALL
    header_list: Texts
    key_list: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if any(option.keyword == "mime" for option in self.options):
            return  # RFC 5703 §4.2 reads any field of a part as one of addresses, in its example Content-From
        if not context.limits.options.address_fields_only:
            return
        for name in self.header_list:
            if name.constant and name.source.lower() not in ADDRESS_FIELDS:
                yield name, f"header field '{name.source[:80]}' is not allowed for the address test"

    def holds(self, run: Run) -> bool:
        names = run.texts(self.header_list)
        if self.options:
            values, count = _values_of(addresses_in(run, names, self.options), self.part, run)
        else:
            values, count = addresses_of(run, names, self.part)
        return match(run, self.matching, values, run.texts(self.key_list), count)

    def watched(self) -> Watched | None:
        names, keys, part = self.header_list.constant, self.key_list.constant, self.part
        if self.options or names is None or keys is None:
            return None
        subject = ("address", names, part.name)
        return Watched(subject, lambda run: addresses_of(run, names, part)[0], self.matching, keys)

    def about(self, run: Run) -> About:
        fields = run.texts(self.header_list)
        there = any(run.shown.raw_values(name) for name in fields)
        part = "address" if self.part.name == ALL.name else self.part.name
        none = f"no address in {named(fields)} has a {part}" if there else _no_field(fields, self.options)
        return About(f"the {part} of {named(fields)}", none)


def addresses_of(run: Run, names: Sequence[str], part: AddressPart) -> tuple[Sequence[str], int]:
    """The values of some fields for an address part, and how many addresses there are. Worked out once a message."""
    key = (names, part.name, run.limits.recipient_delimiter)
    known: tuple[Sequence[str], int] | None = run.shown.derived.get(key)
    if known is None:
        fields = [field for name in names for field in run.shown.addresses(name)]
        known = run.shown.derived[key] = _values_of(fields, part, run)
    return known


def addresses_in(run: Run, names: Sequence[str], options: Sequence[Option]) -> list[tuple[Address, ...] | str]:
    """The fields that the tags choose, each as its addresses, or its text when it holds none."""
    fields = occurrences(run, names, options)
    run.spend_matching(_PARSING * sum(len(found.raw) for found in fields))
    texts = (unfold(found.raw) for found in fields)
    return [address_list(text) or text for text in texts]


def _values_of(fields: list[tuple[Address, ...] | str], part: AddressPart, run: Run) -> tuple[Sequence[str], int]:
    found = [address_values(field, part, run) for field in fields]
    count = sum(len(one) for one, field in zip(found, fields, strict=True) if not isinstance(field, str))
    return tuple(value for one in found for value in one), count


def address_values(field: tuple[Address, ...] | str, part: AddressPart, run: Run) -> list[str]:
    """What a field of addresses, or the text of one that holds none, is for this part."""
    if isinstance(field, str):
        return [field] if not field or part is ALL else []
    taken = [part.take(address, run.limits) for address in field]
    return [value for value in taken if value is not None]


@node
class AllOf(Test):
    """allof <tests: test-list>, RFC 5228 §5.2; tests behind the first false one are not tried (RFC 5229 §3.2)."""

    keyword = "allof"
    decided_by = False
    tests: tuple[Test, ...]

    def holds(self, run: Run) -> bool:
        return all(run.test(test) for test in self.tests)

    def refuted_by(self) -> Sequence[Test] | None:
        return self.tests[:1] or None

    def settled(self) -> bool | None:
        known = [test.settled() for test in self.tests]
        return False if False in known else None if None in known else True


@node
class AnyOf(Test):
    """anyof <tests: test-list>, RFC 5228 §5.3."""

    keyword = "anyof"
    decided_by = True
    tests: tuple[Test, ...]

    def holds(self, run: Run) -> bool:
        return any(run.test(test) for test in self.tests)

    def refuted_by(self) -> Sequence[Test] | None:
        return self.tests

    def settled(self) -> bool | None:
        known = [test.settled() for test in self.tests]
        return True if True in known else None if None in known else False


@node
class Exists(Test):
    """exists <header-names: string-list>, RFC 5228 §5.5: all of them."""

    keyword = "exists"
    header_names: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from impossible_names(self.header_names)

    def holds(self, run: Run) -> bool:
        names = run.texts(self.header_names)
        headers = entities(run, self.options) if self.options else (run.shown,)
        run.spend_matching(EACH * len(names) * len(headers))
        found = [name for name in names if any(header.raw_values(name) for header in headers)]
        run.saw(found, names)
        return len(found) == len(names)

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        there, gone = "there is a {} field in the message", "there is no {} field in the message"
        return presence(seen, result, there, gone, named)


@node
class FalseTest(Test):
    """false, RFC 5228 §5.6."""

    keyword = "false"

    def holds(self, run: Run) -> bool:
        return False

    def refuted_by(self) -> Sequence[Test] | None:
        return ()

    def settled(self) -> bool | None:
        return False


@node
class HeaderTest(Test):
    """header [COMPARATOR] [MATCH-TYPE] <header-names: string-list> <key-list: string-list>, RFC 5228 §5.7."""

    keyword = "header"
    matching: Matching = DEFAULT
    header_names: Texts
    key_list: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from impossible_names(self.header_names)

    def holds(self, run: Run) -> bool:
        names = run.texts(self.header_names)
        if self.options:
            return match(run, self.matching, field_values(run, names, self.options), run.texts(self.key_list))
        if len(names) > 1:
            run.spend_matching(EACH * len(names))
        return match(run, self.matching, _values(run, names), run.texts(self.key_list))

    def watched(self) -> Watched | None:
        names, keys = self.header_names.constant, self.key_list.constant
        if self.options or names is None or keys is None:
            return None
        extra = EACH * len(names) if len(names) > 1 else 0
        return Watched(("header", names), lambda run: _values(run, names), self.matching, keys, extra)

    def about(self, run: Run) -> About:
        names = run.texts(self.header_names)
        return About(named(names) + _tags(self.options), _no_field(names, self.options))


def _no_field(names: Sequence[str], options: Sequence[Option]) -> str:
    what = f"there is no {named(names)} field"
    return f"{what} in the message" if not options else f"{what} where{_tags(options)} looks"


def _tags(options: Sequence[Option]) -> str:
    return "".join(f" :{option.keyword}{_number(option)}" for option in options)


def _number(option: Option) -> str:
    """The number that a tag has, as `:index 2` does."""
    numbers = [getattr(option, name) for name in option.node_fields if name not in {"line", "column"}]
    return "".join(f" {number}" for number in numbers if isinstance(number, int) and not isinstance(number, bool))


def _values(run: Run, names: Sequence[str]) -> Sequence[str]:
    if len(names) == 1:  # no list has to be made, and this is what most tests are
        return run.shown.values(names[0])
    return [value for name in names for value in run.shown.values(name)]


def impossible_names(names: Texts) -> Iterator[Fault]:
    """RFC 5228 §2.4.2.2: such a name is no error, and matches nothing."""
    for name in names:
        if name.constant and impossible_name(name.source):
            yield name, f"no header field can have the name '{name.source[:80]}'"


def impossible_name(name: str) -> bool:
    return not name.isascii() or not name.isprintable() or not name or bool(set(name) & {":", " "})


@node
class Not(Test):
    """not <test>, RFC 5228 §5.8."""

    keyword = "not"
    test: Test

    def holds(self, run: Run) -> bool:
        return not run.test(self.test)

    def settled(self) -> bool | None:
        known = self.test.settled()
        return None if known is None else not known


@node
class Size(Test):
    """size <":over" / ":under"> <limit: number>, RFC 5228 §5.9: neither is true of a message of exactly that size."""

    keyword = "size"
    over: bool = False
    under: bool = False
    limit: int

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.over == self.under:
            yield "the size test needs one of ':over' and ':under'" + (", not both" if self.over else "")

    def holds(self, run: Run) -> bool:
        size = run.shown.size
        run.saw((str(size),), (str(self.limit),))
        return size > self.limit if self.over else size < self.limit

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        relation = "over" if self.over else "under"
        return f"{octets(run.shown.size)} are {'' if result else 'not '}{relation} {octets(self.limit)}"


@node
class TrueTest(Test):
    """true, RFC 5228 §5.10."""

    keyword = "true"

    def holds(self, run: Run) -> bool:
        return True

    def settled(self) -> bool | None:
        return True
