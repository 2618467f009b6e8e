"""What the command line may do to a terminal: colours where they are wanted, lines that fit, and nothing else.

What strangers have written into a script or a message must go through `clean` first. Colours: `--color always|never`
decides, else NO_COLOR (anything but empty) says no, else it depends on whether the stream is a terminal and TERM is not
`dumb`.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

import click

WIDTH = 100  # columns of what is not a terminal, where something has to be cut


@dataclass(frozen=True, slots=True)
class Screen:
    """Where lines go: whether they may have colours, and how many columns there are; 0 is as many as it takes."""

    colours: bool = False
    width: int = 0

    def style(self, text: str, **how: bool | str) -> str:
        """The text in colour, or as it is; it must be clean already."""
        return click.style(text, **how) if self.colours and text else text  # type: ignore[arg-type]

    def wrapped(self, text: str, indent: int) -> Iterator[str]:
        """The text in lines that fit, each behind so many blanks, broken at blanks where there are any."""
        room = self.width - indent
        if self.width <= 0 or room < 20:
            yield " " * indent + text
            return
        for piece in _pieces(text, room):
            yield " " * indent + piece

    def cut(self, text: str, room: int = 0) -> str:
        """As much of the text as has room in so many columns, the width if none is said; `…` tells of the rest."""
        room = room or self.width
        return text if room <= 0 or columns(text) <= room else _fitting(text, room - 1) + "…"


def screen(color: str = "auto", stream: TextIO | None = None) -> Screen:
    """The screen that a stream is, standard output if none is named."""
    stream = stream or sys.stdout
    terminal = is_terminal(stream)
    wanted = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    colours = wanted if color == "auto" else color == "always"
    return Screen(colours, shutil.get_terminal_size((WIDTH, 24)).columns if terminal else 0)


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def clean(text: str) -> str:
    """What strangers wrote cannot move the cursor, and is UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no octet
        octets = text.encode("utf-8", "replace")
    return "".join([c if c.isprintable() else " " for c in octets.decode("utf-8", "replace")])


def columns(text: str) -> int:
    """How many columns a terminal takes for a text without control characters."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fitting(text: str, room: int) -> str:
    """As many characters from the beginning as fit."""
    if text.isascii():
        return text[: max(room, 0)]
    used = 0
    for at, character in enumerate(text):
        used += _columns_of(character)
        if used > room:
            return text[:at]
    return text


def _pieces(text: str, room: int) -> Iterator[str]:
    while len(piece := _fitting(text, room)) < len(text):
        blank = len(piece) if text[len(piece)] == " " else piece.rfind(" ")
        piece = piece[:blank] if blank > 0 else piece or text[:1]
        yield piece.rstrip()
        text = text[len(piece) :].lstrip()
    yield text


def color_option(command: click.decorators.FC) -> click.decorators.FC:
    """`--color auto|always|never`."""
    choice = click.Choice(["auto", "always", "never"])
    text = "Colours: on a terminal without NO_COLOR, always, or never."
    return click.option("--color", type=choice, default="auto", show_default=True, help=text)(command)


def say(line: str, where: Screen) -> None:
    """One line to standard output; a character that its encoding lacks becomes a question mark."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if encoding.lower().replace("-", "") != "utf8":
        line = line.encode(encoding, "replace").decode(encoding)
    click.echo(line, color=where.colours)
