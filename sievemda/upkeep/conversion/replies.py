"""Answers that a recipe makes itself: `(formail -r ...; echo ...; cat FILE) | sendmail -t`, as procmailex(5) has them.

Such a command line for the shell is what hardly anybody writes in another form. It becomes `vacation`, which asks all
by itself what the conditions in front of it ask for: no answers to lists, to daemons, or to the same person again.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from shlex import shlex

from sievemda.upkeep.conversion.procmail_source import Item, Recipe
from sievemda.upkeep.conversion.programs import Reader, vacation
from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.script import Command

_PROGRAM = r"\s*(?:[^\s|;(]*formail|\$\{?FORMAIL\}?)\s"
_REMEMBERS = re.compile(rf"\|{_PROGRAM}(?=.*\s-r|-r)(?=[^|;]*D\s*\d)[^|;]*")
_ANSWERS = re.compile(rf"\|?\s*\(?{_PROGRAM}[^|;]*-[a-z]*r")
_SUBJECT = re.compile(r"subject:\s*(.+)", re.IGNORECASE | re.DOTALL)
_DAYS_KNOWN, _DAYS = 7, 1  # between two answers to the same person: where he is remembered, and where he is not
_WITH_VALUE = "AaIiUuRxX"
_ENDS = {";", "&&", ")", "|"}


def paired(items: list[Item]) -> list[Item]:
    """A recipe that looks whether somebody has been answered, and the next, which answers, are one."""
    found: list[Item] = []
    for item in items:
        before = found[-1] if found else None
        if isinstance(item, Recipe) and isinstance(before, Recipe) and _belong(before, item):
            found[-1] = dataclasses.replace(
                before,
                source=f"{before.source}\n{item.source}",
                flags=(before.flags | {"c"}) - {"h", "b"},
                action=item.action,
                remembers=True,
            )
        else:
            found.append(item)
    return found


def _belong(first: Recipe, second: Recipe) -> bool:
    if first.block is not None or second.block is not None or second.conditions:
        return False
    asks = _REMEMBERS.fullmatch(first.action.replace("\\\n", " ").strip())
    return bool({"e"} & second.flags and asks and is_answer(second.action))


def is_answer(action: str) -> bool:
    """Whether it is a command line that makes an answer and hands it to sendmail."""
    return bool(_ANSWERS.match(action.replace("\\\n", " ").replace("\n", " ")))


def answer(
    action: str, lookup: Callable[[str], str | None], read: Reader, remarks: Remarks, *, remembers: bool
) -> Command:
    """Raises `Impossible` for what is another command line."""
    text: list[str] = []
    subject = ""
    commands = [*_commands(action)]
    if len(commands) < 2 or not _is_sendmail(commands[-1], lookup):
        raise Impossible("a command line for the shell has no counterpart")
    for line in commands[:-1]:
        name, arguments = PurePosixPath(line[0]).name, line[1:]
        if name == "formail" or line[0] in {"$FORMAIL", "${FORMAIL}"}:
            subject = _subject(arguments, remarks) or subject
        elif name == "echo":
            text.append(_filled(" ".join(one for one in arguments if one not in {"-n", "-e"}), lookup, remarks))
        elif name == "cat" and arguments:
            text += [_content(_filled(one, lookup, remarks), read, remarks) for one in arguments if one != "-"]
        else:
            raise Impossible(f"what the program '{name[:40]}' prints is not known")
    days = _DAYS_KNOWN if remembers else _DAYS
    remarks.approximate(f"each person is answered once in {days} days; lists, daemons and mail to others never are")
    return vacation("the answer", [], days, (f"Subject: {subject}\n\n" if subject else "") + "\n".join(text), remarks)


def _commands(action: str) -> Iterator[list[str]]:
    """Each command with its arguments. Raises `Impossible`."""
    lexer = shlex(action.replace("\\\n", " ").lstrip("| \t\n"), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = [word for one in lexer for word in _parts(one)]
    except ValueError as e:
        raise Impossible("a command line for the shell has no counterpart") from e
    line: list[str] = []
    for word in (*words, ";"):
        if word in _ENDS or word == "(":
            if line:
                yield line
            line = []
        else:
            line.append(word)


def _parts(word: str) -> list[str]:
    """Punctuation may come together, as in `;(`."""
    return [*word] if word and not set(word) - set("();|") else [word]


def _is_sendmail(line: list[str], lookup: Callable[[str], str | None]) -> bool:
    program = (lookup("SENDMAIL") or "sendmail") if line[0] in {"$SENDMAIL", "${SENDMAIL}"} else line[0]
    return PurePosixPath(program).name in {"sendmail", "nullmailer-inject"} and any(
        one.startswith("-") and one.endswith("t") for one in line[1:]
    )


def _subject(arguments: list[str], remarks: Remarks) -> str:
    """The one that formail gives the answer. Raises `Impossible` for what makes no answer."""
    found, makes_answer = "", False
    for option, follow in pairwise([*arguments, ""]):
        if not option.startswith("-"):
            continue
        letters = re.match(r"-([a-zD]*)", option)
        makes_answer |= bool(letters and "r" in letters[1])
        if letters and "k" in letters[1]:
            remarks.approximate("the body of the message is not quoted in the answer")
        field = re.match(rf"-[a-z]*?[{_WITH_VALUE}](.*)", option, re.DOTALL)
        if field and (subject := _SUBJECT.match((field[1] or follow).strip())):
            found = subject[1].strip()
    if not makes_answer:
        raise Impossible("what formail prints has no counterpart")
    if re.search(r"[$`]", found):
        remarks.approximate("the subject of the answer is the site's own form")
        return ""
    return found


def _filled(text: str, lookup: Callable[[str], str | None], remarks: Remarks) -> str:
    if "`" in text or "$(" in text:
        raise Impossible("what a program between backquotes prints is not known")

    def value(found: re.Match[str]) -> str:
        try:
            known = lookup(found[1] or found[2])
        except Impossible:
            known = None
        if known is None:
            remarks.approximate(f"{found[0]} stands in the answer as it is")
        return known if known is not None else found[0]

    return re.sub(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))", value, text)


def _content(path: str, read: Reader, remarks: Remarks) -> str:
    text = read(path)
    if text is None:
        remarks.approximate(f"the text of {path} was not there to be read")
    return (text or "").rstrip("\n")
