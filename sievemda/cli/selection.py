"""Which mailboxes a command is about: names and patterns, a regular expression, a file of names.

Patterns and a regular expression restrict each other; what a file names comes on top. A name in a file is that name,
also when it has a `*` or a `%` in it.

Why google-re2: the expression may come from a form on a web page, and takes linear time whatever it is.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click

from sievemda.errors import DataError, NotFound, SievemdaError, TemporaryTrouble, UsageError
from sievemda.given import open_given

if TYPE_CHECKING:
    from sievemda.cli.failures import Failures
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

WILDCARDS = frozenset("*%")
_MAX_LINE = 4096  # octets of a line in a file of names

Found = tuple[str, "Mailbox"]  # the name as administrators write it, and what has it


@dataclass(frozen=True, slots=True)
class Selection:
    words: tuple[str, ...]
    regex: str
    file: str

    @property
    def given(self) -> bool:
        return bool(self.words or self.regex or self.file)

    @property
    def one(self) -> str | None:
        """The only name, if it is a plain one."""
        return self.words[0] if len(self.words) == 1 and self.plain and not self.regex and not self.file else None

    @property
    def plain(self) -> bool:
        """Whether no word is a pattern."""
        return not any(WILDCARDS & set(word) for word in self.words)

    @property
    def only_names(self) -> bool:
        """Whether each mailbox is called by its name, so that none can be overlooked."""
        return self.given and self.plain and not self.regex

    def required(self) -> Selection:
        if not self.given:
            raise UsageError("say which: NAME..., --regex or --from-file")
        return self

    def find(self, store: MailStore, failures: Failures, *, must_exist: bool = True) -> Iterator[Found]:
        """The mailboxes in the order of their names, each once, in memory that does not grow with their number.

        A name in a file for which there is no mailbox is a failure, and so is a word when it `must_exist`.
        DataError for a bad word or expression.
        """
        matches = expression(self.regex) if self.regex else None
        words = self.words or (() if self.file else ("*",))
        sources = [self._word(store, word, failures, must_exist=must_exist) for word in words]
        if self.file:
            sources.append(_named(store, [*_once(names_in(self.file))], failures))
        last = ""
        for name, mailbox in heapq.merge(*sources, key=lambda found: found[0]) if len(sources) > 1 else sources[0]:
            if name != last and (matches is None or matches(name)):
                last = name
                yield name, mailbox

    def _word(self, store: MailStore, word: str, failures: Failures, *, must_exist: bool) -> Iterator[Found]:
        nothing = True
        for pair in store.named(word):
            nothing = False
            yield pair
        if nothing and must_exist and self.words:
            failures.tell(_nothing(store, word))


def _nothing(store: MailStore, word: str) -> SievemdaError:
    """Why a word names nothing. What may lie on a disk that is away is not unknown."""
    try:
        store.layout.check_there()
    except TemporaryTrouble as error:
        return error
    return NotFound(f"no mailbox {word}" if not WILDCARDS & set(word) else f"no mailbox matches {word}")


def _named(store: MailStore, lines: list[tuple[str, str]], failures: Failures) -> Iterator[Found]:
    """What a file names, sorted."""
    found: list[Found] = []
    for text, where in lines:
        try:
            mailbox = store.find(store.namespace.parse_admin(text))
            if mailbox is None:
                raise NotFound(f"no mailbox {text}")
        except (SievemdaError, OSError) as error:
            failures.tell(error, where)
        else:
            found.append((store.namespace.format_admin(mailbox.name), mailbox))
    yield from sorted(found, key=lambda pair: pair[0])


def _once(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen = set()
    for text, where in lines:
        if text not in seen:
            seen.add(text)
            yield text, where


def names_in(file: str) -> Iterator[tuple[str, str]]:
    """The names of a file, one a line, with where they stand; `#` in front begins a comment. `-` is standard input."""
    shown = "standard input" if file == "-" else file
    with nullcontext(sys.stdin.buffer) if file == "-" else open_given(file) as lines:
        for number, line in enumerate(iter(partial(lines.readline, _MAX_LINE), b""), 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise DataError(f"{shown}:{number}: it is not UTF-8") from error
            if len(line) == _MAX_LINE:
                raise DataError(f"{shown}:{number}: too long for a name")
            if text and text[0] != "#":
                yield text, f"{shown}:{number}"


def expression(text: str) -> Callable[[str], Any]:
    """What finds an expression anywhere in a name; DataError when it is none."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options).search  # type: ignore[no-any-return]
    except (re2.error, UnicodeError) as error:
        why = error.args[0] if error.args else error
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
        raise DataError(f"{text[:200]!r} is not a regular expression: {why}") from error


def selecting(metavar: str = "[NAME]...") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Names and patterns as arguments, `--regex` and `--from-file`: the command gets a `selection`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.argument("words", metavar=metavar, nargs=-1)
        @click.option("--regex", metavar="RE", default="", help="Only names in which RE is found.")
        @click.option("--from-file", "file", metavar="FILE", default="", help="Names, one a line; - is standard input.")
        @wraps(command)
        def inner(*args: Any, words: tuple[str, ...], regex: str, file: str, **options: Any) -> Any:
            return command(*args, selection=Selection(words, regex, file), **options)

        return inner

    return decorate
