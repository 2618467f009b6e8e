"""Scripts full of rules and messages for them, made at random: the same ones for the same number.

What is rare in mail and easy to get wrong is common here: octets that are not UTF-8, letters whose case is odd, empty
keys and values, fields that are not there, edits between rules, loops, included scripts, tests inside tests.
"""

import random

from sievemda.mail.address import parse_address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.sieve.limits import Limits

_REQUIRE = (
    'require ["fileinto", "envelope", "variables", "editheader", "foreverypart", "mime", "relational", "subaddress",'
    ' "comparator-i;ascii-numeric", "copy", "include", "imap4flags", "index", "encoded-character", "regex", "body"];\n'
)
_PIECES = [
    "", " ", "  ", "\t", "a", "A", "ab", "abc", "abcd", "aaa", "aaaaaa", "aaaaab", "Invoice", "INVOICE", "invoice 7", "voi",
    "7", "@", "example.org", "a@example.org", "lists@", "alice", "alice+Lists@example.net", "<", "<a@b>", ",", ";", ":",
    "ä", "Ä", "é@x", "e\u0301", "ß", "SS", "\u017f", "\u0131", "\u0130", "\u212a", "ﬁ", "fi", "日本", "日", "\U0001f600", "\ufffd", "\x01",
    "\udce4", "\udcc3", "\udca4", "\udcff\udc80", "=?utf-8?q?=C3=A4?=", "x" * 80,
]  # fmt: skip
_WILD = [
    "*", "?", "**", "*?", "?*", "??", "\\*", "\\?", "\\\\", "*voi*", "*@*", "?nvoice ?", "*ä?", "a*b*c", "*abc?d*", "[a]*",
    "*\udcc3*", "?\udca4", "*\\*",
]  # fmt: skip
_VALUES = [
    "a@example.org", "A B <alice+Lists@example.net>, x@y", "undisclosed:;", "g: a@b, c@d;", "<>", 'a@b, "x, y" <c@d>, bad',
    "=?utf-8?q?=C3=A4?= x", "=?utf-8?b?w6Q=?=", "=?iso-8859-1?q?=E4?= <a@example.org>", "=?utf-8?q?=ff?=", "=?bogus?x?y?=",
]  # fmt: skip
_FIELDS = ["subject", "Subject", "SUBJECT", "from", "to", "cc", "x-one", "x-two", "X-Many", "x-none", "received"]
_ADDRESSES = ["from", "to", "From", "cc", "sender", "reply-to"]
_PARTS = ["", " :domain", " :localpart", " :all", " :user", " :detail"]
_COMPARATORS = ["", "", ' :comparator "i;octet"', ' :comparator "i;unicode-casemap"', ' :comparator "i;ascii-casemap"']
_OTHER_TESTS = [
    "true", "false", "size :over 100", 'exists "x-one"', 'exists ["x-one", "x-none"]', 'body :contains "body"',
    'hasflag "a"', 'header :regex "subject" "^inv"', 'header :count "ge" "x-many" "2"', 'address :value "gt" "to" "b"',
    'header :is :comparator "i;ascii-numeric" "x-one" "7"', 'header :index 2 :last "x-many" "a"',
    'header :mime :anychild :contains "subject" "a"', 'string :matches "${v}" "?*"', 'string "${v}" ["abc", "x"]',
]  # fmt: skip
_ACTIONS = [
    "", "keep;", "discard;", 'fileinto "B";', 'fileinto :copy "A";', 'fileinto :copy "B${1}";', 'addflag "a";',
    'setflag ["b", "c"];', 'addheader "subject" "Invoice 7";', 'addheader "x-one" "abc";', 'addheader "x-many" "${1}";',
    'addheader "from" "a@example.org";', 'deleteheader "subject";', 'deleteheader "to";', "stop;", "return;",
    'deleteheader :index 1 :contains "x-many" "a";', 'set "v" "${0}x";', 'set "v" "abc";', 'set :lower "v" "${1}${2}";',
    'set "v" "${v}${v}";', 'include :optional "one";', 'include :once "two";',
]  # fmt: skip
_DEEPEST = 4


class Rulesets:
    """What is made for one number."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self._one = self._random.choice
        self._most = self._one((5, 25))

    def script(self) -> bytes:
        commands = (self._command(0, "") for _ in range(self._number(2, self._most)))
        return (_REQUIRE + "\n".join(commands)).encode("utf-8", "surrogateescape")

    def message(self) -> bytes:
        names = [*_FIELDS[:-2], "Sender", "Reply-To"]
        blanks = ("", " ", "  ")
        fields = (f"{self._one(names)}:{self._one(blanks)}{self._value()}\n" for _ in range(self._number(0, 9)))
        head = "".join(fields)
        body = "\nbody\n"
        if self._chance(0.4):
            parts = (f"--b\nSubject: {self._value()}\n\nbody {self._piece()}\n" for _ in range(self._number(0, 4)))
            body = f"Content-Type: multipart/mixed; boundary=b\n\n{''.join(parts)}--b--\n"
        return (head + body).encode("utf-8", "surrogateescape")

    def envelope(self) -> Envelope:
        sender = self._one(("", "a@example.org", "alice+Lists@example.net", "7@ab", "bounce@abc.example.org"))
        recipient = self._one(("alice+Lists@example.net", "a@example.org", "x@acme.example.com"))
        return Envelope(Sender(parse_address(sender) if sender else None), Recipient(parse_address(recipient)))

    def limits(self) -> Limits:
        """Look-up from a few rules on; at times a budget or a trace that does not last."""
        return Limits(
            lookup=self._number(2, 6),
            instructions=self._one((200_000, 200_000, 200_000, self._number(0, 200))),
            matching=self._one((50_000_000, 50_000_000, 50_000_000, self._number(0, 20_000))),
            looks=0,
            trace=self._one((2_000, 2_000, self._number(0, 40))),
        )

    def _number(self, least: int, below: int) -> int:
        return self._random.randrange(least, below)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _piece(self) -> str:
        kind = self._random.random()
        if kind < 0.6:
            return self._one(_PIECES)
        if kind < 0.8:
            return self._one(_PIECES) + self._one(_PIECES)
        letters = "abcäÄ 7@." if kind < 0.9 else "abA\udcc3\udca4\udcff"
        return "".join(self._one(letters) for _ in range(self._number(0, 7)))

    def _pattern(self) -> str:
        return "".join(self._one(_WILD) if self._chance(0.5) else self._piece() for _ in range(self._number(1, 4)))

    def _value(self) -> str:
        kind = self._random.random()
        if kind < 0.25:
            return self._one(_VALUES)
        if kind < 0.35:
            return f"{self._piece()}\n {self._piece()}"
        return "".join(self._piece() for _ in range(self._number(0, 4)))

    def _listed(self, make, most: int) -> str:
        texts = [make() for _ in range(1 if self._chance(0.6) else self._number(1, most))]
        quoted = ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts]
        return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"

    def _comparison(self) -> str:
        kind = self._one((":is", ":is", ":contains", ":contains", ":matches", ""))
        keys = self._listed(self._pattern if kind == ":matches" else self._piece, 40 if self._chance(0.1) else 4)
        how = kind + self._one(_COMPARATORS)
        match self._one(("header", "header", "header", "address", "address", "envelope")):
            case "header":
                return f"header {how} {self._listed(lambda: self._one(_FIELDS), 4)} {keys}"
            case "address":
                names = self._listed(lambda: self._one(_ADDRESSES), 4)
                return f"address {how}{self._one(_PARTS)} {names} {keys}"
            case _:
                where = self._listed(lambda: self._one(("from", "to")), 3)
                return f"envelope {how}{self._one(_PARTS)} {where} {keys}"

    def _test(self, depth: int = 0) -> str:
        kind = self._random.random()
        if depth < _DEEPEST and kind < 0.22:
            inner = ", ".join(self._test(depth + 1) for _ in range(self._number(1, 4)))
            return f"{'anyof' if kind < 0.12 else 'allof'}({inner})"
        if depth < _DEEPEST and kind < 0.26:
            return f"not {self._test(depth + 1)}"
        return self._one(_OTHER_TESTS) if kind < 0.34 else self._comparison()

    def _block(self, depth: int, ending: str) -> str:
        number = self._number(3, 8) if depth < _DEEPEST and self._chance(0.15) else self._number(0, 3)
        inner = (self._command(depth + 1, ending) if self._chance(0.5) else self._action(ending) for _ in range(number))
        return f"{{ {' '.join(inner)} }}\n"

    def _action(self, ending: str) -> str:
        return ending if ending and self._chance(0.05) else self._one(_ACTIONS)

    def _command(self, depth: int, ending: str) -> str:
        """`ending` is what ends the loop around it, if there is one."""
        kind = self._random.random()
        if depth > _DEEPEST or kind < 0.15:
            return self._action(ending)
        if kind < 0.22 and not ending:
            return f"foreverypart {self._block(depth + 1, 'break;')}"
        if kind < 0.42:
            tests = [self._test() for _ in range(self._number(1, 9))]
            links = "".join(f"elsif {test} {self._block(depth + 1, ending)}" for test in tests).removeprefix("els")
            return links + (f"else {self._block(depth + 1, ending)}" if self._chance(0.4) else "")
        return f"if {self._comparison() if kind < 0.85 else self._test()} {self._block(depth + 2, ending)}"
