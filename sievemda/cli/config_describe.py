"""`sievemda config describe`: what one setting means, may be, and is."""

from __future__ import annotations

import json
import types
import typing
from typing import Any

import click

from sievemda import configload
from sievemda.cli.config import discreet, values_of
from sievemda.cli.config_set import needs_restart, whole
from sievemda.config import Kibibytes, Mode, Seconds, Size
from sievemda.errors import ConfigurationError

_KINDS = {
    bool: "yes or no",
    int: "a number",
    str: "text",
    Size: "octets, also with K, M or G",
    Kibibytes: "KiB, also with K, M or G; -1 for none",
    Seconds: "seconds, also with s, m, h or d",
    Mode: "a mode in octal",
}


@click.command(epilog="Example: sievemda --data ./var config describe lmtp_strict_quota")
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def describe(ctx: click.Context, /, key: str, as_json: bool) -> None:
    """Say what a setting means, what it may be, its default, its value, and whether a reload takes it."""
    try:
        full = whole(configload.full_key(key))
        declared = configload.known()[full]
    except (ValueError, KeyError) as error:
        raise ConfigurationError(str(error) if isinstance(error, ValueError) else f"{key}: no setting") from error
    try:
        value = dict(values_of(ctx.meta["sievemda.load"]()))[full]
    except ConfigurationError:  # what it means can be told all the same
        value = None
    rows: dict[str, Any] = {
        "key": full,
        "meaning": declared.doc,
        "kind": kind_text(configload.kind_of(full)),
        "default": discreet(full, declared.default),
        "value": None if value is None else discreet(full, value),
        "takes_effect": "restart" if needs_restart(full) else "reload",
    }
    if as_json:
        click.echo(json.dumps(rows))
        return
    for name, text in rows.items():
        shown = text if name in ("key", "meaning", "kind", "takes_effect") else configload.spelled(text)
        click.echo(f"{name.replace('_', ' ')}: {shown}")


def kind_text(kind: Any) -> str:
    """A type in words."""
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return "one of " + ", ".join(map(str, typing.get_args(kind)))
    if origin in (types.UnionType, typing.Union):
        inner = next(one for one in typing.get_args(kind) if one is not type(None))
        return f"{kind_text(inner)}, or nothing"
    if origin is tuple:
        return "words, separated by spaces"
    return _KINDS.get(kind, "a path" if origin is None else "a table")
