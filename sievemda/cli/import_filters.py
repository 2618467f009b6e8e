"""`sievemda import forward|procmail|maildrop`: filters of other programs as Sieve scripts, with a report.

Why a file that a filter includes is read only beside it, and through no symbolic link: who runs this reads files of
other people, and what those name must not become readable to them in a script.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sievemda.errors import AlreadyExists, DataError, SievemdaError
from sievemda.given import read_given

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.upkeep.conversion.report import Converted
    from sievemda.upkeep.conversion.site import FolderName, Site

    Read = Callable[[str], str | None]
    Convert = Callable[[dict[str, str], Site, Read], Converted]

_LARGEST = 1 << 20  # octets of a filter
_SOMETHING_IMPOSSIBLE = 1
_HELP = """

    Without USER the script goes to standard output and the report to standard error. With USER it is stored as his
    script SCRIPT, inactive unless --activate, and the report goes to standard output. Further FILEs are those that
    the first one reads; such files beside it are found by themselves.

    Every rule is exact, approximate or impossible; an impossible one stays in the script as a comment, and mail that
    it would have taken stays in the INBOX where nobody knows better.

    Exit code 0; 1 when something was impossible (the script is there all the same).
"""


def _command(kind: str, what: str, example: str, convert: Convert) -> click.Command:
    """The command of one kind."""

    @click.command(kind, help=f"{what}{_HELP}", epilog=f"Example: sievemda import {kind} {example}")
    @click.argument("files", metavar="FILE... [USER]", nargs=-1, required=True)
    @click.option("--user", metavar="USER", help="The same as USER behind the files.")
    @click.option("--name", metavar="SCRIPT", default=kind, show_default=True, help="What the script is called.")
    @click.option("--activate", is_flag=True, help="Let the user's mail run through it.")
    @click.option("--force", is_flag=True, help="Overwrite a script of that name.")
    @click.option("-n", "--dry-run", is_flag=True, help="Show what would be stored, and store nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Report and script as one JSON object on standard output.")
    @click.option("-o", "--output", metavar="FILE", help="Write the script to FILE.")
    @click.pass_obj
    def command(
        settings: Settings,
        files: tuple[str, ...],
        user: str | None,
        name: str,
        activate: bool,
        force: bool,
        dry_run: bool,
        as_json: bool,
        output: str | None,
    ) -> int:
        paths, user = _files_and_user(files, user)
        if activate and not user:
            raise click.UsageError("--activate needs the USER whose script it is", click.get_current_context())
        site = site_of(settings, user)
        converted = convert({str(path): _read(path) for path in paths}, site, reader_beside(paths))
        stores = bool(user) and not dry_run
        if user and not dry_run:
            _store(settings, user, name, converted.script, activate=activate, force=force)
        if output:
            _write(output, converted.script)
        _tell(converted, as_json=as_json, stored=name if stores else "", show=not (stores or output))
        return _SOMETHING_IMPOSSIBLE if converted.verdict.word == "impossible" else 0

    return command


def _forward(texts: dict[str, str], site: Site, read: Read) -> Converted:
    from sievemda.upkeep.conversion.forward import File, convert_forward

    files = [File(Path(name).name, text) for name, text in texts.items()]
    wanted = [file for file in files[1:] if file.name.startswith(".forward")]
    return convert_forward([files[0], *wanted], site, read)


def _procmail(texts: dict[str, str], site: Site, read: Read) -> Converted:
    from sievemda.upkeep.conversion.procmail import convert_procmail

    path, text = next(iter(texts.items()))
    return convert_procmail(text, Path(path).name, site, read)


def _maildrop(texts: dict[str, str], site: Site, read: Read) -> Converted:
    from sievemda.upkeep.conversion.maildrop import convert_maildrop

    path, text = next(iter(texts.items()))
    return convert_maildrop(text, Path(path).name, site, read)


forward = _command(
    "forward", "Turn a .forward (of sendmail, Postfix or Exim) into a Sieve script.", "~/.forward alice", _forward
)
procmail = _command("procmail", "Turn a .procmailrc into a Sieve script.", "~/.procmailrc alice", _procmail)
maildrop = _command("maildrop", "Turn maildrop's .mailfilter into a Sieve script.", "~/.mailfilter alice", _maildrop)


def _files_and_user(files: tuple[str, ...], user: str | None) -> tuple[list[Path], str | None]:
    """The last word is the user when there is no such file."""
    if user is None and len(files) > 1 and "/" not in files[-1] and not Path(files[-1]).exists():
        files, user = files[:-1], files[-1]
    return [Path(file) for file in files], user


def _read(path: Path) -> str:
    from sievemda.upkeep.conversion.variables import readable

    try:
        return readable(sys.stdin.buffer.read(_LARGEST) if str(path) == "-" else read_given(path, _LARGEST))
    except (OSError, ValueError) as e:
        raise DataError(f"{path}: {getattr(e, 'strerror', None) or e}") from e


def reader_beside(paths: list[Path]) -> Callable[[str], str | None]:
    """Reads what a filter names: a file that was given, or one in the directory of the first."""
    from sievemda.upkeep.conversion.folders import at_home
    from sievemda.upkeep.conversion.variables import readable

    given = {path.name: path for path in paths[1:]}
    base = paths[0].parent.absolute()

    def read(named: str) -> str | None:
        inside = at_home(named.removeprefix(f"{base}/")).removeprefix("~/")
        steps = [step for step in inside.split("/") if step not in {"", "."}]
        try:
            if steps and steps[-1] in given:
                return readable(read_given(given[steps[-1]], _LARGEST))
            if not steps or ".." in steps or inside.startswith("/"):
                return None
            content = _content_below(base, steps)
            return None if content is None else readable(content)
        except (OSError, ValueError):
            return None

    return read


def _content_below(base: Path, steps: list[str]) -> bytes | None:
    """Of a plain file, None for anything else; no step of the way is a symbolic link."""
    folder = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for step in steps[:-1]:
            inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(steps[-1], flags, dir_fd=folder), "rb") as file:
            return file.read(_LARGEST) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    finally:
        os.close(folder)


def site_of(settings: Settings, user: str | None) -> Site:
    """What this site offers to the script of a user."""
    from sievemda.language import language_extensions, language_limits
    from sievemda.upkeep.conversion.site import Site

    return Site(language_extensions(settings), language_limits(settings), _folders(settings, user), user or "")


def _folders(settings: Settings, user: str | None) -> FolderName:
    """Folders as the user's scripts name them at this site."""
    from sievemda.auth.names import canonical_user
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName
    from sievemda.upkeep.conversion.report import Impossible
    from sievemda.upkeep.conversion.variables import shown

    namespace = MailStore(settings).namespace
    owner = canonical_user(user, settings.site) if user else "nobody"

    def folder(parts: tuple[str, ...]) -> str:
        try:
            namespace.check_new(MailboxName(owner, tuple(shown(part).replace("$", "") or "x" for part in parts)))
            return namespace.format_user(MailboxName(owner, parts), owner)
        except SievemdaError as e:
            raise Impossible(f"there can be no folder '{'/'.join(map(shown, parts))}' here: {e}") from e

    return folder


def _store(settings: Settings, user: str, name: str, script: str, *, activate: bool, force: bool) -> None:
    from sievemda.cli.script import keeper_for
    from sievemda.store.script_names import check_name

    check_name(name)
    scripts, text = keeper_for(settings, user, "import"), script.encode()
    there = scripts.store.read(name)
    if there is not None and there != text and not force:
        raise AlreadyExists(f"{user} has a script {name} already: give another --name, or --force")
    limit = settings.sieve.script_limit
    if len(text) > limit:
        raise DataError(f"the script has {len(text)} octets, more than {limit} (sieve_maxscriptsize)")
    if there != text:
        scripts.put(name, text, max_scripts=settings.sieve.sieve_maxscripts)
    if activate:
        scripts.activate(name)


def _write(output: str, script: str) -> None:
    try:
        Path(output).write_text(script, encoding="utf-8")
    except OSError as e:
        raise DataError(f"{output}: {e.strerror}") from e


def _tell(converted: Converted, *, as_json: bool, stored: str, show: bool) -> None:
    from sievemda.upkeep.conversion.report import Verdict

    if as_json:
        click.echo(json.dumps(converted.to_json() | {"stored": stored or None}, indent=2))
        return
    if show:
        click.echo(converted.script, nl=False)
    sys.stdout.flush()
    for finding in converted.findings:
        click.echo(str(finding), err=show)
    counts = ", ".join(f"{converted.count(verdict)} {verdict.word}" for verdict in Verdict)
    missing = f"; with {', '.join(sorted(converted.missing))} more would be possible" if converted.missing else ""
    click.echo(f"{counts}{missing}", err=show)
