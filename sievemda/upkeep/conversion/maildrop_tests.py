"""Expressions of maildrop as tests and texts. maildropfilter(7), "Expressions", "Patterns"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sievemda.mail.address import parse_address
from sievemda.upkeep.conversion.expression import parse_perl
from sievemda.upkeep.conversion.maildrop_source import Binary, Call, Expression, Pattern, Text, Unary
from sievemda.upkeep.conversion.maildrop_tokens import Token
from sievemda.upkeep.conversion.programs import Reader
from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.scoring import Weighed, above
from sievemda.upkeep.conversion.script import Check, Command, Known, Test, all_of, any_of, do, negated, quote
from sievemda.upkeep.conversion.searching import Found, Search, holds, in_envelope, in_header, in_text, in_text_parts
from sievemda.upkeep.conversion.variables import Variables, is_open_text, literal, reference

_VARIABLE = re.compile(r"\\(\$)|\$\{([^}]*)\}|\$([A-Za-z_]\w*)")
_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d*)?)")
_OF_MESSAGE = {"SIZE", "LINES", "RETURNCODE", "FROM"}
_NUMERIC = {"<", "<=", ">", ">=", "==", "!="}
_TEXTUAL = {"lt", "le", "gt", "ge", "eq", "ne"}
_LONGEST = 16_384  # characters of one value
_LOOKED_UP = 200  # patterns of one file
_SPECIAL = "|!$()[]\\+*?.&;`'-~<>^{}\""
_SENDER = "\x03FROM"  # what stands for $FROM as a whole


@dataclass(slots=True)
class Tests:
    """`used` are the match variables that the filter mentions; `sets` keep what the last pattern extracted."""

    variables: Variables
    read: Reader
    used: frozenset[int]
    sets: list[Command] = field(default_factory=list)

    def holds(self, expression: Expression, remarks: Remarks, *, capture: bool = True) -> Test:
        """Whether it is true. Raises `Impossible`."""
        match expression:
            case Pattern(token):
                return self._pattern(token, remarks, capture=capture)
            case Unary("!", operand):
                return negated(self.holds(operand, remarks, capture=False))
            case Binary("&&", left, right):
                return all_of([self.holds(left, remarks, capture=False), self.holds(right, remarks, capture=capture)])
            case Binary("||", left, right):
                return any_of(self.holds(one, remarks, capture=False) for one in (left, right))
            case Binary("=~", left, Pattern(token)):
                return self._search(left, self._searching(token, capture=capture and bool(self.used)), remarks)
            case Binary(sign) if sign in _NUMERIC | _TEXTUAL:
                return self._comparison(expression, remarks)
            case Call("hasaddr" | "lookup"):
                return self._function(expression, remarks)
        value = self.text(expression)
        if is_open_text(value):
            return negated(Check(f'string :is {literal(value)[0]} ["", "0"]', frozenset({"variables"})))
        return Known(value not in {"", "0"})

    # -- patterns ------------------------------------------------------------------------------------------------------

    def _pattern(self, token: Token, remarks: Remarks, *, capture: bool) -> Test:
        if token.weights[:1] == (0.0,):
            return Known(False)
        capture = capture and bool(self.used)
        search = self._searching(token, capture=capture)
        header, body = "h" in token.options or "b" not in token.options, "b" in token.options
        found = [in_header(search, remarks)] if header else []
        if body:
            found.append(in_text_parts(search, remarks))
        if capture and len(found) == 1:
            self._keep(found[0], remarks)
        return any_of(one.test for one in found)

    def _searching(self, token: Token, *, capture: bool) -> Search:
        if "w" in token.options:
            raise Impossible("the pattern option w has no counterpart")
        text = self.expanded(token.text, in_pattern=True)
        if is_open_text(text):
            raise Impossible("a pattern that holds text from the message")
        wanted = capture and "(" in text
        return Search(parse_perl(text), exact="D" in token.options, capture=wanted)

    def _keep(self, found: Found, remarks: Remarks) -> None:
        self.sets = []
        for at, number in enumerate(found.groups, 1):
            if number in self.used:
                self.sets.append(do(f'set "match{number}" "${{{at}}}";', "variables"))
        if self.sets:
            remarks.approximate("what a pattern extracts is the longest text that fits")

    def _search(self, left: Expression, search: Search, remarks: Remarks) -> Test:
        """A pattern in a text."""
        value = self.text(left, whole=True)
        if value == _SENDER:
            found = in_envelope(search)
        elif is_open_text(value):
            found = in_text(search, literal(value)[0][1:-1].replace('\\"', '"').replace("\\\\", "\\"))
        elif search.capture and holds(search, value):
            raise Impossible("a part of a fixed text is to be extracted")
        else:
            return Known(holds(search, value))
        if search.capture:
            self._keep(found, remarks)
        return found.test

    def _function(self, call: Call, remarks: Remarks) -> Test:
        """Those that only say yes or no."""
        if call.name == "hasaddr":
            return _has_address("".join(self.text(one) for one in call.arguments))
        if len(call.arguments) < 2:
            raise Impossible("lookup() names no file")
        file, *options = (self.text(one) for one in call.arguments[1:])
        text = self.read(file)
        if text is None:
            raise Impossible(f"the file {file} was not there to be read")
        lines = [line.lstrip() for line in text.split("\n")]
        patterns = [line for line in lines if line and not line.startswith("#")]
        if len(patterns) > _LOOKED_UP:
            raise Impossible(f"a file of more than {_LOOKED_UP} patterns")
        remarks.approximate("the list as it is now; what is added to it later is not heard of")
        exact = "D" in "".join(options)
        searches = [Search(parse_perl(line), exact=exact) for line in patterns]
        return any_of(self._search(call.arguments[0], one, remarks) for one in searches)

    # -- comparisons ---------------------------------------------------------------------------------------------------

    def _comparison(self, expression: Binary, remarks: Remarks) -> Test:
        if expression.sign in _NUMERIC:
            return self._numeric(expression.sign, expression.left, expression.right, remarks)
        return self._textual(expression.sign, expression.left, expression.right)

    def _numeric(self, sign: str, left: Expression, right: Expression, remarks: Remarks) -> Test:
        if self._is_variable(right, "SIZE"):
            flipped = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
            return self._numeric(flipped.get(sign, sign), right, left, remarks)
        bound = _number(self.text(right))
        if self._is_variable(left, "SIZE"):
            return _size(sign, int(bound))
        if score := self._score(left, remarks):
            found = _scored(sign, score, bound)
            # The manual says that a pattern without a weight counts 1, and maildrop 2.9 counts 2.
            if found != _scored(sign, self._score(left, remarks, unweighted=2.0), bound):
                raise Impossible("what a pattern without a weight counts in a sum depends on the version of maildrop")
            return found
        return Known(_compared(sign, _number(self.text(left)), bound))

    def _score(self, expression: Expression, remarks: Remarks, unweighted: float = 1.0) -> list[Weighed]:
        """The patterns that are summed; none when it is no sum of patterns."""
        match expression:
            case Binary("+", left, right):
                one, other = (self._score(part, remarks, unweighted) for part in (left, right))
                if bool(one) != bool(other):
                    raise Impossible("a sum of patterns and other values")
                return one + other
            case Pattern(token):
                weight, again = (*token.weights, 1.0, 1.0)[:2] if token.weights else (unweighted, 0.0)
                test = self._pattern(token, remarks, capture=False)
                return [Weighed(test, weight, again=bool(token.weights) and again != 0)]
        return []

    def _textual(self, sign: str, left: Expression, right: Expression) -> Test:
        one, other = self.text(left, whole=True), self.text(right, whole=True)
        if other == _SENDER:
            one, other = other, one
        if one == _SENDER and sign in {"eq", "ne"} and not is_open_text(other):
            test: Test = Check(f'envelope :comparator "i;octet" :is "from" {quote(other)}', frozenset({"envelope"}))
        elif is_open_text(one + other) and sign in {"eq", "ne"}:
            texts = f"{literal(one)[0]} {literal(other)[0]}"
            test = Check(f'string :comparator "i;octet" :is {texts}', frozenset({"variables"}))
        elif _SENDER in {one, other} or is_open_text(one + other):
            raise Impossible(f"'{sign}' for what only a message tells")
        else:
            return Known(_compared(sign, one, other))
        return negated(test) if sign == "ne" else test

    def _is_variable(self, expression: Expression, name: str) -> bool:
        return isinstance(expression, Text) and [part.text for part in expression.parts] in (
            [f"${name}"],
            [f"${{{name}}}"],
        )

    # -- texts ---------------------------------------------------------------------------------------------------------

    def text(self, expression: Expression, *, whole: bool = False) -> str:
        """What it holds, with references to what a message decides; `whole`: $FROM alone is a mark for the sender.

        Raises `Impossible`.
        """
        handed = "SENDER" in self.variables.unknown and self._is_variable(expression, "SENDER")  # by Courier, Postfix
        if whole and (handed or self._is_variable(expression, "FROM")):
            return _SENDER
        match expression:
            case Text(parts):
                return "".join(self._part(part) for part in parts)
            case Call(name, arguments):
                return _called(name, [self.text(one) for one in arguments])
            case Binary(sign, left, right) if sign in "+-*/":
                return _calculated(sign, _number(self.text(left)), _number(self.text(right)))
        raise Impossible("the value of this expression is not known before a message is there")

    def _part(self, token: Token) -> str:
        match token.kind:
            case "command":
                raise Impossible("what a program between backquotes prints is not known")
            case "raw":
                return token.text
        return self.expanded(token.text)

    def expanded(self, text: str, *, in_pattern: bool = False) -> str:
        """With its variables filled in. Raises `Impossible`."""
        length = 0

        def fill(found: re.Match[str]) -> str:
            nonlocal length
            value = held(found)
            length += len(value)
            if length > _LONGEST:
                raise Impossible(f"a value is longer than {_LONGEST} characters")
            return value

        def held(found: re.Match[str]) -> str:
            if found[1]:
                return "\\$" if in_pattern else "$"
            name = found[2] if found[2] is not None else found[3]
            if name in _OF_MESSAGE:
                raise Impossible(f"${name} is known when the message is there")
            if name == "MATCH":
                raise Impossible("$MATCH holds the name of the field as well")
            if name.startswith("MATCH") and name[5:].isdecimal():
                return reference(name)
            return self.variables.get(name) or ""

        return _VARIABLE.sub(fill, text)


def _has_address(text: str) -> Test:
    found = parse_address(text)
    if found is None or is_open_text(text):
        raise Impossible(f"'{text[:60]}' is no address")
    return Check(f'address :is ["To", "Cc", "Resent-To", "Resent-Cc"] {quote(str(found))}')


def _size(sign: str, bound: int) -> Test:
    bound = max(bound, 0)
    over, under = Check(f"size :over {bound}"), Check(f"size :under {bound}")
    match sign:
        case "<":
            return under
        case "<=":
            return negated(over)
        case ">":
            return over
        case ">=":
            return negated(under)
    same = all_of([negated(under), negated(over)])
    return same if sign == "==" else negated(same)


def _scored(sign: str, score: list[Weighed], bound: float) -> Test:
    more, least = above(score, -bound), above(score, -bound + 1e-6)
    match sign:
        case ">":
            return more
        case ">=":
            return least
        case "<":
            return negated(least)
        case "<=":
            return negated(more)
    same = all_of([least, negated(more)])
    return same if sign == "==" else negated(same)


def _compared(sign: str, one: float | str, other: float | str) -> bool:
    assert isinstance(one, str) == isinstance(other, str)
    less, same = one < other, one == other  # type: ignore[operator]
    match sign:
        case "<" | "lt":
            return less
        case "<=" | "le":
            return less or same
        case ">" | "gt":
            return not (less or same)
        case ">=" | "ge":
            return not less
        case "==" | "eq":
            return same
    return not same


def _number(text: str) -> float:
    """As C reads it: 0 for what is none."""
    if is_open_text(text):
        raise Impossible("a number that only a message tells")
    found = _NUMBER.match(text[:40])
    return float(found[1]) if found else 0.0


def _calculated(sign: str, one: float, other: float) -> str:
    if sign == "/" and other == 0:
        raise Impossible("it divides by nothing")
    result = {"+": one + other, "-": one - other, "*": one * other, "/": one / other if other else 0.0}[sign]
    return f"{result:g}"


def _called(name: str, arguments: list[str]) -> str:
    """Functions of texts that are known already. Raises `Impossible`."""
    if not arguments or any(map(is_open_text, arguments)):
        raise Impossible(f"{name}() of what only a message tells")
    text = arguments[0]
    match name:
        case "length":
            return str(len(text.encode()))
        case "tolower":
            return text.lower()
        case "toupper":
            return text.upper()
        case "escape":
            return "".join(f"\\{c}" if c in _SPECIAL else c for c in text)
        case "substr":
            start = int(_number(arguments[1])) if len(arguments) > 1 else 0
            count = int(_number(arguments[2])) if len(arguments) > 2 else len(text)
            return text[max(start, 0) :][: max(count, 0)]
    raise Impossible(f"the function {name}() has no counterpart")
