"""Addresses out of header fields: the tolerant reader of RFC 5322 §3.4 and §4.4.

Fields come from strangers. Comments, phrases, group names and source routes are passed over, empty items and items
that are no address are skipped, and one pass over the text decides everything. `sieve_address` is the strict sister
for addresses that a script wants mail sent to (RFC 5228 §2.4.2.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sievemda.mail.address import Address, parse_address

# A token is a word, a quoted string, a domain literal, or a special character; comments are handled beside it.
_TOKEN = re.compile(
    r'[ \t\r\n]++|(?P<atom>[^\x00-\x20\x7f()<>@,;:\\".\[\]]++)|"(?P<quoted>(?:[^"\\]|\\.)*+)"'
    r"|(?P<literal>\[[^\[\]\\\x00-\x20\x7f]*+\])|(?P<special>[<>@,;:.])|(?P<other>.)",
    re.DOTALL,
)
# Behind a quote that is never closed each other one is a quoted pair, and none is closed: they need not be tried.
_UNQUOTED = re.compile(_TOKEN.pattern.replace('|"(?P<quoted>', '|(?!)"(?P<quoted>'), re.DOTALL)
_COMMENT = re.compile(r"[()]|\\.", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Token = tuple[str, str]  # kind (atom, quoted, literal, other, or a special character itself) and value


def address_list(text: str) -> tuple[Address, ...]:
    """Every well-formed address of a field, in order; members of groups too. RFC 5322 §3.4."""
    found: list[Address] = []
    item: list[Token] = []
    in_angle = False
    for kind, value in _tokens(text):
        if kind == "<":
            in_angle = True
        elif kind == ">":
            in_angle = False
        elif not in_angle and kind in {",", ";"}:
            _collect(item, found)
            item = []
            continue
        elif not in_angle and kind == ":":
            item = []  # the name of a group
            continue
        item.append((kind, value))
    _collect(item, found)
    return tuple(found)


def sieve_address(text: str) -> Address | None:
    """One `addr-spec` or `phrase <addr-spec>` in ASCII; no list, group or route. The domain comes in lower case.

    Line ends around it are white space: a multi-line string always has one.
    """
    found = mailboxes(text.strip("\r\n")) if text.isascii() else None
    return found[0][1] if found and len(found) == 1 else None


def mailboxes(text: str) -> tuple[tuple[str, Address], ...] | None:
    """A list of `addr-spec` and `phrase <addr-spec>` as (phrase, address); `None` when anything in it is wrong.

    Strict: no groups, routes or empty items, no controls. Phrases may hold UTF-8. Domains come in lower case.
    """
    tokens = list(_tokens(text))
    if _CONTROL.search(text) or {kind for kind, _ in tokens} & {":", ";", "other"}:
        return None
    items: list[list[Token]] = [[]]
    for token in tokens:
        if token[0] == ",":
            items.append([])
        else:
            items[-1].append(token)
    found = [_mailbox(item) for item in items]
    return None if None in found else tuple(one for one in found if one is not None)


def _mailbox(tokens: list[Token]) -> tuple[str, Address] | None:
    kinds = [kind for kind, _ in tokens]
    phrase: list[Token] = []
    if "<" in kinds:
        start = kinds.index("<")
        phrase, tokens = tokens[:start], tokens[start:]
        if kinds.count("<") != 1 or kinds.count(">") != 1 or kinds[-1] != ">" or "@" in kinds[:start]:
            return None
    address = _address(tokens)
    if address is None or not address.local:
        return None
    lowered = Address(address.local, address.domain.lower())
    if parse_address(str(lowered)) != lowered or lowered.domain.endswith("."):  # RFC 5322 §3.2.3: no dot-atom ends so
        return None
    words = "".join(value if kind == "." else f" {value}" for kind, value in phrase)
    return words.strip(), lowered


def _collect(item: list[Token], found: list[Address]) -> None:
    address = _address(item) if item else None
    if address is not None:
        found.append(address)


def _address(tokens: list[Token]) -> Address | None:
    """The one address of an item: between its angle brackets, or the whole of it."""
    kinds = [kind for kind, _ in tokens]
    if "<" in kinds:
        start = kinds.index("<") + 1
        if ">" not in kinds[start:]:
            return None
        tokens = tokens[start : kinds.index(">", start)]
        if tokens and tokens[0][0] == "@":  # a source route, RFC 5322 §4.4
            colons = [n for n, (kind, _) in enumerate(tokens) if kind == ":"]
            tokens = tokens[colons[0] + 1 :] if colons else []
    at = [n for n, (kind, _) in enumerate(tokens) if kind == "@"]
    if len(at) != 1:
        return None
    local, domain = _dotted(tokens[: at[0]], {"atom", "quoted"}), _domain(tokens[at[0] + 1 :])
    return None if local is None or not domain else Address(local, domain)


def _dotted(tokens: list[Token], allowed: set[str]) -> str | None:
    """Words joined by dots. Dots may lead, trail and repeat: deployed systems do that. Two words in a row may not."""
    word_before = False
    for kind, _ in tokens:
        is_word = kind in allowed
        if not (is_word or kind == ".") or (is_word and word_before):
            return None
        word_before = is_word
    return "".join(value for _, value in tokens) if tokens else None


def _domain(tokens: list[Token]) -> str | None:
    if len(tokens) == 1 and tokens[0][0] == "literal":
        return tokens[0][1]
    domain = _dotted(tokens, {"atom"})
    return None if domain is None or "" in domain.rstrip(".").split(".") else domain


def _tokens(text: str) -> Iterator[Token]:
    position, pattern = 0, _TOKEN
    while position < len(text):
        if text[position] == "(":
            position = _behind_comment(text, position)
            continue
        token = pattern.match(text, position)
        assert token is not None  # `other` takes any character
        position = token.end()
        kind = token.lastgroup
        if kind == "quoted":
            yield kind, _QUOTED_PAIR.sub(r"\1", token["quoted"])
        elif kind == "special":
            yield token["special"], token["special"]
        elif kind:
            if token[0] == '"':
                pattern = _UNQUOTED
            yield kind, token[0]


def _behind_comment(text: str, start: int) -> int:
    """RFC 5322 §3.2.2: comments nest. One that is never closed takes the rest."""
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if not depth:
                return mark.end()
    return len(text)
