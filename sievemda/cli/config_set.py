"""`sievemda config set` and `unset`: one setting in the configuration file, and what a running server makes of it.

The result is checked as a whole, and only then takes the place of the file.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from sievemda import configload
from sievemda.cli.config import check_deeply, discreet, values_of
from sievemda.config import Settings
from sievemda.errors import ConfigurationError, StoreTrouble, TemporaryTrouble
from sievemda.given import read_given

_PEER = struct.Struct("3i")  # of SO_PEERCRED: process, user, group
_PATIENCE = 10.0  # seconds for somebody who changes the file, too


@click.command(
    "set",
    context_settings={"ignore_unknown_options": True},
    epilog="Example: sievemda --data ./var config set lmtp_strict_quota yes",
)
@click.argument("key")
@click.argument("value")
@click.option("-n", "--dry-run", is_flag=True, help="Say what the setting would be, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def set_(ctx: click.Context, /, key: str, value: str, **how: bool) -> None:
    """Write a setting to the configuration file (--config FILE, or sievemda.toml in DIR of --data).

    KEY and VALUE are as for --set. Comments and layout of the file stay. What the settings would be then is checked as
    a whole before the file is replaced.
    """
    from sievemda import configedit

    full = _full_key(key)
    try:
        value.encode()
        written = configedit.typed(full, value, Path.cwd())
    except ValueError as error:
        raise ConfigurationError(f"{key}: {error}") from error
    _change(ctx, full, lambda text: configedit.changed(text, full, written), **how)


@click.command(epilog="Example: sievemda --data ./var config unset lmtp_strict_quota")
@click.argument("key")
@click.option("-n", "--dry-run", is_flag=True, help="Say what the setting would be, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def unset(ctx: click.Context, /, key: str, **how: bool) -> None:
    """Take a setting out of the configuration file, so that its default holds. What there is none of is no mistake."""
    from sievemda import configedit

    try:
        full = _full_key(key)
    except ConfigurationError:  # what is no setting, and for which a file is refused
        full = key
    _change(ctx, full, lambda text: configedit.without(text, full), **how)


def _full_key(key: str) -> str:
    try:
        return configload.full_key(key)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _change(ctx: click.Context, key: str, change: Callable[[str], str], *, dry_run: bool, as_json: bool) -> None:
    file, data, sets = ctx.meta["sievemda.load"].args
    path = Path(os.path.realpath(file or (data / "sievemda.toml" if data else configload.DEFAULT_FILE)))
    with nullcontext() if dry_run else _alone(path, make=file is None):
        text = _read(path)
        try:
            before = dict(values_of(configload.load(path if path.exists() else None, data, sets)))
        except ConfigurationError:  # which this change may mend
            before = {}
        new = change(text)
        if dry_run:
            settings = configload.load(path, data, sets, text=new)
            check_deeply(settings)
        else:
            there = path if path.exists() else None
            settings = _replace(path, new, data, sets) if new != text else configload.load(there, data, sets)
    _tell(settings, key, before, path, dry_run=dry_run, as_json=as_json, changed=new != text)


@contextmanager
def _alone(path: Path, *, make: bool) -> Iterator[None]:
    """While nobody else of us changes a file of that directory."""
    import fcntl

    from sievemda.store.files import locked_within, open_directory

    if make:
        path.parent.mkdir(parents=True, exist_ok=True)
    directory = open_directory(path.parent)
    try:
        if not locked_within(directory, fcntl.LOCK_EX, _PATIENCE):
            raise TemporaryTrouble(f"somebody else is changing {path}")
        yield
    finally:
        os.close(directory)


def _read(path: Path) -> str:
    try:
        return read_given(path).decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _replace(path: Path, text: str, data: Path | None, sets: tuple[str, ...]) -> Settings:
    """Put the text in the place of the file, with its mode and owner, when the settings are right with it."""
    from sievemda.store.files import sync_directory, unique_name

    temporary = path.with_name(f".{path.name}.{unique_name()}")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            _take_after(path, fd)
            os.fsync(fd)
        settings = _checked(temporary, path, data, sets)
        temporary.rename(path)
    except OSError as error:
        raise StoreTrouble(f"{path} cannot be changed: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    return settings


def _take_after(path: Path, fd: int) -> None:
    """Mode and owner as those of the old file; of a new one as the umask has it."""
    try:
        found = path.stat()
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        os.fchmod(fd, 0o666 & ~mask)
        return
    os.fchmod(fd, stat.S_IMODE(found.st_mode))
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(fd, found.st_uid, found.st_gid)


def _checked(temporary: Path, path: Path, data: Path | None, sets: tuple[str, ...]) -> Settings:
    """ConfigurationError that names the file that was meant."""
    try:
        settings = configload.load(temporary, data, sets)
        check_deeply(settings)
    except ConfigurationError as error:
        raise ConfigurationError(*(text.replace(str(temporary), str(path)) for text in error.problems)) from error
    return settings


# -- what follows ----------------------------------------------------------------------------------------------------


def needs_restart(key: str) -> bool:
    """Whether a running server does not take that setting on SIGHUP."""
    declared = configload.known().get(key)
    return declared is not None and declared.restart


def server_of(settings: Settings) -> int | None:
    """The process that listens at the LMTP socket, if there is one and it can be asked."""
    from sievemda.lmtp.client import connect

    try:
        with connect(settings.lmtp_socket, 2.0) as asking:
            pid: int = _PEER.unpack(asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[0]
    except OSError:
        return None
    return pid or None


def _tell(
    settings: Settings,
    key: str,
    before: dict[str, Any],
    path: Path,
    *,
    dry_run: bool,
    as_json: bool,
    changed: bool,
) -> None:
    full = whole(key)
    now = dict(values_of(settings)).get(full)
    old = before.get(full)
    pid, effect = server_of(settings), "restart" if needs_restart(full) else "reload"
    if as_json:
        values = {"key": key, "value": _shown(full, now), "before": _shown(full, old)}
        more = {"file": str(path), "changed": changed, "dry_run": dry_run, "takes_effect": effect, "server": pid}
        click.echo(json.dumps(values | more))
        return
    if not changed:
        click.echo(f"{path} has it so already")
        return
    click.echo(f"{full} = {configload.spelled(_shown(full, now))}")
    if pid is not None and not dry_run:
        how = f"restart the server, process {pid}" if effect == "restart" else f"kill -HUP {pid}"
        click.echo(f"the running server takes it by: {how}")


def whole(key: str) -> str:
    """The setting in which a value of several ones stands: a partition's in store.partitions."""
    return next((known for known in configload.known() if key == known or key.startswith(f"{known}.")), key)


def _shown(key: str, value: Any) -> Any:
    return None if value is None else discreet(key, value) if key == "data" or key in configload.known() else value
