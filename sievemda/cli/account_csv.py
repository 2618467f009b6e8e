r"""Accounts as lines of a CSV file: a header line, then one account a line.

    user,password,folders,quota,acl,partition,script
    alice,{SCRAM-SHA-256}4096,...,Sent \Sent|Junk \Junk|Lists/Work,1G,Junk anyone p|INBOX bob lrs,default,alice.sieve

`user` must be there; the other columns may stand in any order, or be missing. Fields are separated by commas,
semicolons or tabs, whichever the header line has; the encoding is UTF-8, or UTF-16 with a byte order mark, as
spreadsheets write it. An empty field means what the command's options say for all.

Why a quote that nothing closes costs its line alone: it would take all accounts behind it along.

Why several things in one field are separated by `|`: no name of a mailbox, and no right, can have one in it.
"""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError, SievemdaError
from sievemda.given import open_given, read_given

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.policy.quota import Limits
    from sievemda.store.accounts import Account, Grant
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName

COLUMNS = ("user", "password", "folders", "quota", "acl", "partition", "script")
_SUFFIXES = {"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}  # in KiB
_MAX_ROW = 1 << 20  # characters
_MAX_LINES = 100  # of a field in quotes
_OPEN = "it is not CSV: unexpected end of data"  # as the module csv says it


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    values: dict[str, str] = field(default_factory=dict)
    fault: str = ""


def lines(file: str) -> Iterator[Line]:
    """The accounts of a file, `-` is standard input. DataError when it has no header that can be used, OSError."""
    shown = "standard input" if file == "-" else file
    with _opened(file) as stream:
        csv.field_size_limit(_MAX_ROW)
        try:
            numbered = _numbered(stream, shown)
            head = next((line for _, line in numbered if line.strip()), "")
            separator = max(",;\t", key=head.count)
            columns = _columns(next(csv.reader([head], delimiter=separator), []), shown)
            for number, row in _rows(numbered, separator):
                if isinstance(row, str):
                    yield Line(number, fault=row)
                elif any(cell.strip() for cell in row):
                    yield _line(number, columns, row)
        except UnicodeError as error:
            raise DataError(f"{shown}: it is neither UTF-8 nor UTF-16") from error


def _numbered(stream: io.TextIOWrapper, shown: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(iter(partial(stream.readline, _MAX_ROW), ""), 1):
        if len(line) == _MAX_ROW:
            raise DataError(f"{shown}:{number}: the line is too long")
        yield number, line


def _rows(numbered: Iterator[tuple[int, str]], separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """The rows, or what is wrong with a line, and where each begins."""
    ahead: deque[tuple[int, str]] = deque()
    while ahead or _more(numbered, ahead):
        number, text = ahead.popleft()
        row, taken = _row(text, separator), 0
        while row == _OPEN and taken < _MAX_LINES and (taken < len(ahead) or _more(numbered, ahead)):
            text += ahead[taken][1]
            taken += 1
            row = _row(text, separator)
        if isinstance(row, list):
            for _ in range(taken):
                ahead.popleft()
        yield number, row


def _more(numbered: Iterator[tuple[int, str]], ahead: deque[tuple[int, str]]) -> bool:
    """Whether there is one more line, which is read."""
    before = len(ahead)
    ahead.extend(islice(numbered, 1))
    return len(ahead) > before


def _row(text: str, separator: str) -> list[str] | str:
    """The fields of a row, or what is wrong with it."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), [])
    except csv.Error as error:
        return f"it is not CSV: {error}"


def _opened(file: str) -> io.TextIOWrapper:
    raw = sys.stdin.buffer if file == "-" else open_given(file)  # the wrapper closes it
    start = raw.peek(4) if hasattr(raw, "peek") else b""
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return io.TextIOWrapper(raw, encoding="utf-16" if wide else "utf-8-sig", newline="")


def _columns(head: list[str], shown: str) -> list[str]:
    columns = [cell.strip().lower() for cell in head]
    unknown = [column for column in columns if column not in COLUMNS]
    if "user" not in columns or unknown or len(set(columns)) < len(columns):
        wrong = f"{unknown[0][:80]!r} is none" if unknown and "user" in columns else "there is none"
        if "user" in columns and not unknown:
            wrong = "one stands twice"
        raise DataError(f"{shown}:1: the first line must name the columns, of {', '.join(COLUMNS)}: {wrong}")
    return columns


def _line(number: int, columns: list[str], row: list[str]) -> Line:
    if len(row) > len(columns) and any(cell.strip() for cell in row[len(columns) :]):
        return Line(number, fault=f"there are {len(row)} fields and {len(columns)} columns")
    return Line(number, {column: cell.strip() for column, cell in zip(columns, row, strict=False)})


class Reader:
    """From texts to an `Account`. Every method raises DataError for what cannot be."""

    def __init__(self, settings: Settings, store: MailStore, defaults: dict[str, str], base: Path) -> None:
        self._settings = settings
        self._store = store
        self._defaults = {key: value for key, value in defaults.items() if value}
        self._base = base
        self._scripts: dict[str, tuple[str, bytes]] = {}

    def account(self, values: dict[str, str]) -> Account:
        from sievemda.auth.names import canonical_user
        from sievemda.store.accounts import Account
        from sievemda.store.names import MailboxName

        given = self._defaults | {key: value for key, value in values.items() if value}
        if not given.get("user"):
            raise DataError("there is no user")
        userid = self._store.namespace.userid(canonical_user(given["user"], self._settings.site))
        self._store.namespace.check_new(MailboxName(userid))
        folders = tuple(self._folder(userid, text) for text in _several(given.get("folders", "")))
        if partition := given.get("partition", ""):
            self._store.layout.partition(partition)
        return Account(
            userid,
            folders,
            limits(given["quota"]) if given.get("quota") else None,
            tuple(self._grant(userid, text, folders) for text in _several(given.get("acl", ""))),
            partition,
            self._script(userid, given["script"]) if given.get("script") else None,
        )

    def _folder(self, userid: str, text: str) -> tuple[MailboxName, str]:
        from sievemda.store.creation import special_uses

        words = text.split()
        uses = [word for word in words if word.startswith("\\")]
        name = self._name(userid, text.partition("\\")[0].strip())
        if uses and words[-len(uses) :] != uses:
            raise DataError(f"{text[:80]!r}: special uses stand behind the name")
        if name.is_inbox:
            raise DataError(f"{text[:80]!r}: the INBOX is made in any case, and has no special use")
        self._store.namespace.check_new(name)
        return name, special_uses(" ".join(uses))

    def _name(self, userid: str, text: str) -> MailboxName:
        """A folder of the account, or INBOX. An address forgives a separator too many; who makes folders means each."""
        if "" in self._store.namespace.split(text):
            raise DataError(f"{text[:80]!r} cannot be a folder: a part of the name is empty")
        return self._store.namespace.parse_detail(userid, text)

    def _grant(self, userid: str, text: str, folders: tuple[tuple[MailboxName, str], ...]) -> Grant:
        from sievemda.policy.acl import check_identifier, parse_rights
        from sievemda.store.accounts import Grant

        words = text.rsplit(None, 2)
        if len(words) != 3:
            raise DataError(f"{text[:80]!r} is no grant: write FOLDER IDENTIFIER RIGHTS")
        name = self._name(userid, words[0])
        if not name.is_inbox and name not in [folder for folder, _ in folders] and not self._store.find(name):
            raise DataError(f"{text[:80]!r}: the account has no folder {words[0]!r}")
        check_identifier(words[1])
        parse_rights(words[2].lstrip("+-"))
        group = words[1].removeprefix("-").partition("group:")[2]
        if group and not self._store.groups.exists(group):
            raise DataError(f"{text[:80]!r}: there is no group {group}")
        return Grant(name, words[1], words[2])

    def _script(self, userid: str, text: str) -> tuple[str, bytes]:
        """Name and text of a script file, looked for beside the CSV; checked once."""
        if text not in self._scripts:
            self._scripts[text] = self._checked(userid, text)
        return self._scripts[text]

    def _checked(self, userid: str, text: str) -> tuple[str, bytes]:
        from sievemda.language import language_extensions, language_limits
        from sievemda.managesieve.knowledge import known_of
        from sievemda.sieve.check import check_script
        from sievemda.store.script_names import check_name

        path = self._base / text
        try:
            script = read_given(path)
        except (OSError, ValueError) as error:
            raise DataError(f"script {text}: {getattr(error, 'strerror', '') or error}") from error
        limit = self._settings.sieve.script_limit
        if len(script) > limit:
            raise DataError(f"script {text}: larger than {limit} octets (sieve_maxscriptsize)")
        known = known_of(self._settings, self._store, userid)
        problems = check_script(
            script, language_limits(self._settings), language_extensions(self._settings), None, known
        )
        for problem in problems:
            if problem.severity == "error":
                raise DataError(f"script {text}:{problem}")
        name = path.stem if path.suffix in {".sieve", ".script", ".siv"} else path.name
        check_name(name)
        return name, script


def limits(text: str) -> Limits:
    """`500M`, `1048576` (KiB), or as in `quota set`: `STORAGE 1048576 MESSAGE 5000`, where M and G do too."""
    from sievemda.policy.quota import Limits

    words = text.split()
    if len(words) == 1:
        words = ["STORAGE", *words]
    return Limits.parse([_in_kib(word, of) for word, of in zip(words, ["", *words], strict=False)])


def _in_kib(word: str, resource: str) -> str:
    """A size with a suffix as a number of KiB; anything else as it is."""
    number, suffix = word[:-1], word[-1:].upper()
    if resource.upper() not in {"STORAGE", "ANNOTATION-STORAGE"} or suffix not in _SUFFIXES:
        return word
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise DataError(f"{word[:80]!r} is not a size")
    return str(int(number) * _SUFFIXES[suffix])


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


def told(error: SievemdaError | OSError) -> str:
    return str(error) if isinstance(error, SievemdaError) else error.strerror or str(error)
