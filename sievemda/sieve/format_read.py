"""Reads a script that parses into what is laid out; comments find their place here.

A comment belongs to what it stands behind on the same line, else to what follows it. Where that would put it between a
command and its semicolon, or an entry of a list and its comma, it goes behind the mark; before a `{`, into the block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from sievemda.sieve.format_tree import (
    Body,
    Chain,
    Comment,
    Comments,
    Entry,
    Listing,
    Piece,
    Place,
    Statement,
    Word,
    chain_of,
    listing_of,
)
from sievemda.sieve.scanner import Lexeme
from sievemda.sieve.signature import Kind, signature
from sievemda.sieve.vocabulary import registry

_COMMENTS = frozenset({"HASH_COMMENT", "BRACKET_COMMENT"})
_OPENERS = {"LSQB": "[]", "LPAR": "()"}
_NEVER_VALUES = frozenset({"TAG", "IDENTIFIER", "LPAR"})
_CLOSERS = frozenset({"RSQB", "RPAR"})
_APART = 2  # line ends that make a blank line


@dataclass(frozen=True, slots=True)
class Token:
    """A lexeme that means something, and the comments before it; `apart`: a blank line is right before it."""

    kind: str
    text: str
    comments: Comments
    apart: bool


def body(lexemes: Iterable[Lexeme]) -> Body:
    """The commands and comments of a whole script, whose line ends are LF."""
    return tuple(_settled(_Reader(_tokens(lexemes)).body()))


def _tokens(lexemes: Iterable[Lexeme]) -> Iterator[Token]:
    waiting: list[tuple[str, int]] = []  # comments with the line ends before them
    lines = 1  # the beginning of a script is the beginning of a line
    for lexeme in lexemes:
        if lexeme.kind == "WHITE_SPACE":
            lines += lexeme.text.count("\n")
        elif lexeme.kind in _COMMENTS:
            text = lexeme.text.rstrip(" \t\r") if lexeme.kind == "HASH_COMMENT" else lexeme.text
            waiting.append((text, lines))
            lines = 0
        else:
            yield Token(lexeme.kind, lexeme.text, _placed(waiting, lines), lines >= _APART)
            waiting = []
            lines = int(lexeme.kind == "MULTI_LINE")  # which ends with a line end
    yield Token("END", "", _placed(waiting, 1), apart=False)


def _placed(found: list[tuple[str, int]], lines: int) -> Comments:
    """The comments before a token, with the line ends between the last of them and the token."""
    comments: list[Comment] = []
    ends = True
    for text, before in reversed(found):
        ends = lines > 0 or (ends and bool(comments))
        place = Place.INSIDE if not ends else Place.ALONE if before else Place.BEHIND
        comments.append(Comment(text, place, before >= _APART))
        lines = before
    return tuple(reversed(comments))


class _Reader:
    """Reads tokens that follow the grammar; how deep they nest has been checked."""

    def __init__(self, tokens: Iterator[Token]) -> None:
        self._tokens = tokens
        self._next = next(tokens)

    def _take(self) -> Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def body(self) -> list[Comment | Statement]:
        """Up to the end of the block, or of the script."""
        found: list[Comment | Statement] = []
        while self._next.kind == "IDENTIFIER":
            found += self._next.comments
            found += self._statement()
        return [*found, *map(_not_inside, self._next.comments)]

    def _statement(self) -> Iterator[Comment | Statement]:
        """A command, and the comments that stood before its end and now come behind it."""
        apart = self._next.apart
        chain = self._chain()
        end = self._take()
        inside, outside = _parted(end.comments)
        if end.kind == "SEMICOLON":
            yield Statement(chain, inside, None, apart)
            yield from (replace(comment, place=Place.BEHIND, apart=False) for comment in outside)
            return
        inner = tuple(_settled([*outside, *self.body()]))
        self._take()
        yield Statement(chain, inside, inner, apart)

    def _chain(self) -> Chain:
        """A word and what follows it: arguments, and a test with its arguments, or a list of tests."""
        pieces = [Piece((), Word(*_name(self._take())))]
        name = _text(pieces[0])
        while self._next.kind in {"IDENTIFIER", "TAG", "NUMBER", "QUOTED_STRING", "MULTI_LINE", *_OPENERS}:
            token = self._take()
            glued = token.kind not in _NEVER_VALUES and _has_value(name, _text(pieces[-1]))
            if token.kind == "IDENTIFIER":
                pieces.append(Piece(token.comments, Word(*_name(token))))
                name = _text(pieces[-1])
            elif token.kind in _OPENERS:
                pieces.append(Piece(token.comments, self._listing(token), glued))
            else:
                pieces.append(Piece(token.comments, _word(token), glued))
        return chain_of(pieces)

    def _listing(self, opener: Token) -> Listing:
        read = self._chain if opener.kind == "LPAR" else self._string
        first, lead = _behind(self._next.comments)
        entries: list[Entry] = []
        while True:
            chain = read()
            end = self._take()
            suffix, rest = _parted(end.comments)
            closes = end.kind in _CLOSERS
            behind, rest = _behind(rest if closes else _after(rest, self._next.comments))
            entries.append(Entry(lead, chain, suffix, behind))
            if closes:
                return listing_of(_OPENERS[opener.kind], first, entries, rest)
            lead = rest

    def _string(self) -> Chain:
        return chain_of([Piece((), _word(self._take()))])


def _word(token: Token) -> Word:
    if token.kind == "TAG":
        return Word(*_name(token))
    if token.kind == "MULTI_LINE":
        head, _, rest = token.text.partition("\n")
        comment = head[len("text:") :].strip(" \t\r")
        return Word(f"text:{' ' if comment else ''}{comment}\n{rest}", None)
    return Word(token.text, None if "\n" in token.text else len(token.text))


def _name(token: Token) -> tuple[str, int]:
    return token.text.lower(), len(token.text)


def _not_inside(comment: Comment) -> Comment:
    """Before the end of a block nothing can follow a comment on its line."""
    return replace(comment, place=Place.BEHIND) if comment.place is Place.INSIDE else comment


def _settled(items: Iterable[Comment | Statement]) -> Iterator[Comment | Statement]:
    """What was moved behind something is alone after all where a comment has ended that line."""
    ended = False
    for item in items:
        if ended and isinstance(item, Comment) and item.place is Place.BEHIND:
            item = replace(item, place=Place.ALONE)  # noqa: PLW2901
        ended = isinstance(item, Comment) and item.text.startswith("#")
        yield item


def _parted(comments: Comments) -> tuple[Comments, Comments]:
    """Those that can stay before a mark, and those that must come behind it."""
    inside = tuple(comment for comment in comments if comment.place is Place.INSIDE)
    return inside, tuple(comment for comment in comments if comment.place is not Place.INSIDE)


def _after(before: Comments, comments: Comments) -> Comments:
    """Comments before a comma and those behind it, which cannot be on the line that a comment before it has ended."""
    if not before or not before[-1].text.startswith("#"):
        return (*before, *comments)
    alone = (replace(one, place=Place.ALONE) if one.place is Place.BEHIND else one for one in comments)
    return (*before, *alone)


def _behind(comments: Comments) -> tuple[Comments, Comments]:
    """Those at the end of the line before, and the others."""
    count = next((n for n, comment in enumerate(comments) if comment.place is not Place.BEHIND), len(comments))
    return comments[:count], comments[count:]


# -- which argument belongs to a tag -------------------------------------------------------------------------------


def _text(piece: Piece) -> str:
    return piece.content.text if isinstance(piece.content, Word) else ""


def _has_value(name: str, tag: str) -> bool:
    """Whether a value follows this tag (with its colon) of this command or test, as far as the registry knows."""
    if tag[:1] != ":":
        return False
    own, others = _tags_with_values()
    return own.get(name, {}).get(tag[1:], tag[1:] in others)


@lru_cache(maxsize=1)
def _tags_with_values() -> tuple[dict[str, dict[str, bool]], frozenset[str]]:
    """For each command and test whether a value follows its own tags; and the tags of others that one follows."""
    own: dict[str, dict[str, bool]] = {}
    others = {"comparator"}
    for extension in registry().extensions.values():
        for cls in (*extension.commands, *extension.tests):
            tags = {tag: slot.kind is not Kind.FLAG for tag, slot in signature(cls).tags.items()}
            own.setdefault(cls.keyword, {}).update(tags)
        others |= {option.keyword for option in extension.options if signature(option).positionals}
        others |= {match.name for match in extension.match_types if match.operand}
    return own, frozenset(others)
