"""`sievemda sieve format`: the canonical layout of scripts, written in their place.

Exit codes: 0 all is well, 1 a script does not parse (or, with --check, is not laid out), 2 a file cannot be read or
written, or wrong usage.

Why a file gets a new one in its place instead of new content: a program that reads it meanwhile (an editor, the mail
server) sees the old text or the new one, and an interruption leaves one of the two.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sievemda.cli.sieve_input import UNREADABLE, WRONG, Unreadable, language, read

if TYPE_CHECKING:
    from sievemda.sieve.format import Style
    from sievemda.sieve.limits import Limits
    from sievemda.sieve.problems import Problem


@click.command("format", epilog="Example: sievemda sieve format --check --diff ~/sieve/*.sieve")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--diff", "show", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@click.option("--width", type=click.IntRange(20, 1000), default=80, show_default=True, help="Characters of a line.")
@click.option("--indent", type=click.IntRange(1, 16), default=4, show_default=True, help="Blanks for each block.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def format_(files: tuple[str, ...], only_check: bool, show: bool, width: int, indent: int, as_json: bool) -> int:
    """Lay out each FILE (`-` is standard input, to standard output) in the canonical way. Comments stay.

    What a script says is never changed, only how it is written. A file that is laid out already is not touched, nor
    is one that does not parse: what is wrong with it is printed as by `sieve check`. Exit code 0; 1 when a script
    does not parse, or with --check when a file would change; 2 when one cannot be read or written.
    """
    from sievemda.sieve.format import Style
    from sievemda.sieve.report import problem_to_json

    if as_json and "-" in files and not (only_check or show):
        raise click.UsageError("--json and the script itself cannot both go to standard output: add --check")
    job = _Job(Style(width, indent), language(), only_check=only_check, show=show, quiet=as_json)
    code, reports = 0, []
    for file in files:
        try:
            changed, problems = job.do(file)
        except Unreadable as e:
            e.show()
            code = UNREADABLE
            continue
        if problems or (only_check and changed):
            code = max(code, WRONG)
        reports.append(
            {"file": file, "changed": changed, "problems": [problem_to_json(problem) for problem in problems]}
        )
    if as_json:
        click.echo(json.dumps({"files": reports}))
    return code


class _Job:
    """What is to be done with each file."""

    def __init__(
        self, style: Style, tongue: tuple[Limits, frozenset[str] | None], *, only_check: bool, show: bool, quiet: bool
    ) -> None:
        self._style = style
        self._limits, self._available = tongue
        self._only_check = only_check
        self._show = show
        self._quiet = quiet

    def do(self, file: str) -> tuple[bool, tuple[Problem, ...]]:
        """Whether a file changes (or would), and what is wrong with it. Raises `Unreadable`."""
        from sievemda.sieve.format import format_octets
        from sievemda.sieve.problems import ScriptError

        before = read(file)
        try:
            after = format_octets(before, self._style, self._limits)
        except ScriptError:
            return False, self._told(file, before)
        changed = before != after
        if self._show and not self._quiet:
            _print("".join(_diff(file, before, after)).encode("utf-8", "surrogateescape"))
        elif self._only_check and changed and not self._quiet:
            click.echo(file)
        if not (self._only_check or self._show):
            self._write(file, after, changed=changed)
        return changed, ()

    def _told(self, file: str, script: bytes) -> tuple[Problem, ...]:
        """What is wrong with a script that does not parse; printed where no script may be expected."""
        from sievemda.cli.sieve_caret import explained
        from sievemda.cli.terminal import say, screen
        from sievemda.sieve.check import check_script

        problems = check_script(script, self._limits, self._available)
        where = screen(stream=sys.stderr if file == "-" else sys.stdout)
        for line in () if self._quiet else explained(file, script, problems, where):
            if file == "-":
                click.echo(line, err=True, color=where.colours)
            else:
                say(line, where)
        return problems

    def _write(self, file: str, after: bytes, *, changed: bool) -> None:
        if file == "-":
            _print(after)
        elif changed:
            replace(Path(file), after)
            if not self._quiet:
                click.echo(f"formatted {file}", err=True)


def _print(octets: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()


def _diff(file: str, before: bytes, after: bytes) -> Iterator[str]:
    from difflib import unified_diff

    for line in unified_diff(_lines(before), _lines(after), file, file):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(octets: bytes) -> list[str]:
    """Only LF ends a line, as `patch` sees it."""
    *lines, last = octets.decode("utf-8", "surrogateescape").split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def replace(path: Path, octets: bytes) -> None:
    """Put a file with this content, and the mode and owner of the old one, in its place. Raises `Unreadable`.

    A symbolic link stays one: what it leads to is replaced.
    """
    try:
        target = path.resolve(strict=True)
        found = target.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(f"cannot write {path}: not a regular file")
        _swap(target, octets, found)
    except OSError as e:
        raise Unreadable(f"cannot write {path}: {e.strerror or e}") from e


def _swap(target: Path, octets: bytes, found: os.stat_result) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(octets)
            new.flush()
            made = os.fstat(descriptor)
            if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
                os.fchown(descriptor, found.st_uid, found.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
            os.fsync(descriptor)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
