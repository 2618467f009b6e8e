"""The conditions of a recipe as one test. procmailrc(5), "Conditions"; procmailsc(5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sievemda.upkeep.conversion.expression import Alternatives, Group, Mark, Node, Repeat, Row, has_mark, parse_procmail
from sievemda.upkeep.conversion.procmail_source import Recipe
from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.scoring import Weighed, above
from sievemda.upkeep.conversion.script import TRUE, Check, Command, Known, Test, all_of, any_of, do, negated
from sievemda.upkeep.conversion.searching import Found, Search, holds, in_body, in_header, in_text, is_plain
from sievemda.upkeep.conversion.variables import Variables, is_open_text, literal
from sievemda.upkeep.conversion.words import words

_WEIGHT = re.compile(r"([-+]?\d*\.?\d+)\^([-+]?\d*\.?\d+)\s*")
_AREA = re.compile(r"([A-Za-z_]\w*)\s*\?\?\s*")
_SIZE = re.compile(r"([<>])\s*(\d{1,15})\s*$")
_PREFIXES = 20  # in front of one condition

_FROM = r"(((Resent-)?(From|Sender)|X-Envelope-From):|From )"
_TAIL = r"(([^).!:a-z0-9][-_a-z0-9]*)?[%@> ][^<)]*(\(.*\).*)?)?$"
_TO = r"^((Original-)?(Resent-)?(To|Cc|Bcc)|(X-Envelope|Apparently(-Resent)?)-To):"
# The forms of procmailrc(5), without `>From `, which stands in no header, and without a second line.
_MACROS = {
    "^TO_": rf"({_TO}(.*[^-a-zA-Z0-9_.])?)",
    "^TO": rf"({_TO}(.*[^a-zA-Z])?)",
    "^FROM_DAEMON": r"(^(Mailing-List:|Precedence:.*(junk|bulk|list)|To: Multiple recipients of |"
    rf"{_FROM}([^>]*[^(.%@a-z0-9])?(Post(ma?(st(e?r)?|n)|office)|(send)?Mail(er)?|daemon|m(mdf|ajordomo)|n?uucp"
    r"|LIST(SERV|proc)|NETSERV|o(wner|ps)|r(e(quest|sponse)|oot)|b(ounce|bs\.smtp)|echo|mirror"
    r"|s(erv(ices?|er)|mtp(error)?|ystem)|A(dmin(istrator)?|MMGR|utoanswer))"
    rf"{_TAIL}))",
    "^FROM_MAILER": rf"(^{_FROM}([^>]*[^(.%@a-z0-9])?(Post(ma(st(er)?|n)|office)|(send)?Mail(er)?|daemon|mmdf|n?uucp"
    r"|ops|r(esponse|oot)|(bbs\.)?smtp(error)?|s(erv(ices?|er)|ystem)|A(dmin(istrator)?|MMGR))"
    rf"{_TAIL})",
}
_MACRO = re.compile("|".join(re.escape(name) for name in ("^TO_", "^TO", "^FROM_DAEMON", "^FROM_MAILER")))
_NULL_SENDER = Check('envelope :is "from" ""', frozenset({"envelope"}))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sets` keep what a pattern has extracted, as soon as the test holds."""

    test: Test
    sets: tuple[Command, ...] = ()


@dataclass(slots=True)
class _One:
    """A condition without what stands in front of its pattern."""

    text: str
    area: str
    negative: bool = False
    weight: tuple[float, float] | None = None


def conditions(recipe: Recipe, variables: Variables, remarks: Remarks, *, match_is_used: bool) -> Verdict:
    """Raises `Impossible`."""
    area = "".join(flag for flag in "HB" if flag in recipe.flags) or "H"
    plain: list[Test] = []
    last: list[Test] = []
    sets: tuple[Command, ...] = ()
    weighed: list[Weighed] = []
    for condition in recipe.conditions:
        one = _read(condition.text, area, variables)
        reading = _Reading(one, variables, remarks, exact="D" in recipe.flags)
        if one.weight is None:
            extracts = match_is_used and not one.negative and reading.extracts
            found = reading.test(capture=extracts)
            test = negated(found) if one.negative else found
            if extracts:
                plain, last = [*plain, *last], [test]
                sets = (do('set "match" "${1}";', "variables"),)
            else:
                plain.append(test)
        else:
            weighed.append(_weighed(one, reading))
    score = [above(weighed)] if weighed else []
    return Verdict(all_of([*plain, *score, *last]), sets)


def _weighed(one: _One, reading: _Reading) -> Weighed:
    assert one.weight is not None
    weight, exponent = one.weight
    if _SIZE.match(one.text):
        raise Impossible("a score that depends on the size of the message")
    test = reading.test(capture=False)
    # What is inverted, or always so, counts once: there is nothing to find again.
    again = exponent != 0 and not one.negative and test != TRUE
    return Weighed(negated(test) if one.negative else test, weight, again)


def _read(text: str, area: str, variables: Variables) -> _One:
    one = _One(text, area)
    for _ in range(_PREFIXES):
        if weight := _WEIGHT.match(one.text):
            one.weight = float(weight[1]), float(weight[2])
            one.text = one.text[weight.end() :]
        elif one.text.startswith("!"):
            one.negative = not one.negative
            one.text = one.text[1:].lstrip()
        elif one.text.startswith("$"):
            one.text = words(one.text[1:].lstrip(), variables.get, split=False)[0].text.lstrip()
        elif named := _AREA.match(one.text):
            one.area, one.text = named[1], one.text[named.end() :]
        elif one.text.startswith("?"):
            raise Impossible("the exit code of a program cannot be asked for")
        else:
            break
    return one


class _Reading:
    """One condition as a test."""

    def __init__(self, one: _One, variables: Variables, remarks: Remarks, *, exact: bool) -> None:
        self._one = one
        self._variables = variables
        self._remarks = remarks
        self._exact = exact
        self._size = _SIZE.match(one.text)
        self._macros = set(_MACRO.findall(one.text))
        if is_open_text(one.text):
            raise Impossible("a pattern that holds text from the message")
        if not self._size:
            self._node = parse_procmail(_MACRO.sub(lambda found: _MACROS[found[0]], one.text.removeprefix("\\ ")))

    @property
    def extracts(self) -> bool:
        return not self._size and has_mark(self._node, "split")

    def test(self, *, capture: bool) -> Test:
        one = self._one
        if self._size:
            word = "under" if self._size[1] == "<" else "over"
            return Check(f"size :{word} {int(self._size[2])}")
        if one.area in {"H", "B", "HB", "BH"}:
            return self._in_message(capture=capture)
        return self._in_variable(one.area, capture=capture)

    def _in_message(self, *, capture: bool) -> Test:
        if is_plain(self._node):
            return TRUE
        node = self._node if capture else without_split(self._node)
        if capture:
            self._warn_of_extraction(node)
        search = Search(node, exact=self._exact, capture=capture)
        tests: list[Test] = []
        if "H" in self._one.area:
            tests.append(in_header(search, self._remarks).test)
            tests += [_NULL_SENDER] if any(name.startswith("^FROM") for name in self._macros) else []
        if "B" in self._one.area:
            if capture and tests:
                raise Impossible("what a pattern extracts can come from the header or from the body")
            tests.append(in_body(search, self._remarks).test)
        return any_of(tests)

    def _warn_of_extraction(self, node: Node) -> None:
        self._remarks.approximate("MATCH is the first text that fits, as long as it can be")
        items = node.items if isinstance(node, Row) else (node,)
        if Mark("split") not in items:
            raise Impossible("what MATCH is to hold begins inside a group")

    def _in_variable(self, name: str, *, capture: bool) -> Test:
        value = self._variables.get(name) or ""
        node = _without_edges(self._node if capture else without_split(self._node))
        search = Search(node, exact=self._exact, capture=capture)
        if is_open_text(value):
            return _of_variable(search, value)
        if capture:
            raise Impossible("a part of a fixed text is to be extracted")
        return Known(holds(search, value))


def _of_variable(search: Search, value: str) -> Test:
    text, _ = literal(value)
    found: Found = in_text(search, text[1:-1].replace('\\"', '"').replace("\\\\", "\\"))
    return found.test


def without_split(node: Node) -> Node:
    """The same pattern when nobody wants what it extracts."""
    match node:
        case Row(items):
            return Row(tuple(without_split(one) for one in items if one != Mark("split")))
        case Group(inner, number):
            return Group(without_split(inner), number)
        case Repeat(inner, least, most):
            return Repeat(without_split(inner), least, most)
        case Alternatives(branches):
            return Alternatives(tuple(map(without_split, branches)))
    return Row(()) if node == Mark("split") else node


def _without_edges(node: Node) -> Node:
    """Of a variable `^^` is the beginning or the end; it has one line."""
    items = node.items if isinstance(node, Row) else (node,)
    if not items:
        return node
    first = Mark("begin") if items[0] == Mark("edge") else items[0]
    rest = items[1:]
    if rest and rest[-1] == Mark("edge"):
        rest = (*rest[:-1], Mark("end"))
    return Row((first, *rest))
