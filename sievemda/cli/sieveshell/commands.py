"""What can be typed in the shell.

Names of scripts and texts come from a server that may be hostile: to a terminal they go spelled out, into a pipe or a
file as they are.
"""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sievemda.cli.complaints import one_line
from sievemda.cli.sieveshell.shell import Command, Context
from sievemda.cli.terminal import is_terminal
from sievemda.errors import DataError, NotFound, UsageError
from sievemda.given import read_given
from sievemda.managesieve.client.wire import Line, octets_of

_LAST = 50  # messages that a script is tried on


def list_(context: Context, _: list[str]) -> None:
    scripts = context.session.list()
    context.names = tuple(script.name for script in scripts)
    if context.as_json:
        _json([{"name": script.name, "active": script.active} for script in scripts])
        return
    for script in scripts:
        context.say(f"{script.name}  <- active script" if script.active else script.name)


def get(context: Context, arguments: list[str]) -> None:
    name, *file = arguments
    text = context.session.get(name)
    if file and file != ["-"]:
        Path(file[0]).write_bytes(text)
    elif is_terminal(sys.stdout):
        for line in text.decode("utf-8", "replace").splitlines():
            print(one_line(line.expandtabs()))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
        sys.stdout.flush()


def put(context: Context, arguments: list[str]) -> None:
    file, *names = arguments
    if file == "-" and not names:
        raise UsageError("what comes from standard input needs a name")
    name = names[0] if names else Path(file).name
    _warnings(context, context.session.put(name, _read(file)))
    context.renamed(new=name)


def edit(context: Context, arguments: list[str]) -> None:
    from sievemda.cli.sieveshell.editing import edit as edited

    edited(context, arguments)


def check(context: Context, arguments: list[str]) -> None:
    _warnings(context, context.session.check(_read(arguments[0])))


def activate(context: Context, arguments: list[str]) -> None:
    if not arguments[0]:
        raise UsageError("to have none, say deactivate")
    _warnings(context, context.session.activate(arguments[0]))


def deactivate(context: Context, _: list[str]) -> None:
    _warnings(context, context.session.activate(""))


def delete(context: Context, arguments: list[str]) -> None:
    context.session.delete(arguments[0])
    context.renamed(arguments[0])


def rename(context: Context, arguments: list[str]) -> None:
    context.session.rename(*arguments)
    context.renamed(*arguments)


def try_(context: Context, arguments: list[str]) -> None:
    """NAME is one of the scripts there, or else a file here; one with a slash is a file."""
    name, *number = arguments
    if number and not re.fullmatch("[1-9][0-9]{0,8}", number[0]):
        raise UsageError(f"{number[0]} is no number of messages")
    most = int(number[0]) if number else _LAST
    try:
        lines = None if "/" in name else context.session.try_script(name, most)
    except NotFound:
        if not Path(name).is_file():
            raise
        lines = None
    if lines is None:
        lines = context.session.try_script(Path(name).name, most, _read(name))
    told = [_object(line) for line in lines]
    if context.as_json:
        _json([each for each in told if each])
        return
    for each in told:
        for text in _told(each):
            context.say(text)


def _object(line: Line) -> dict[str, Any]:
    """What a line of data says: a word and a JSON object. Raises DataError."""
    if len(line) != 2:
        return {}
    word = octets_of(line[0]).decode("utf-8", "replace").lower()
    try:
        found = json.loads(octets_of(line[1]))
    except (ValueError, RecursionError) as e:
        raise DataError("the server tells of a message what is no JSON") from e
    return {word: found} if isinstance(found, dict) else {}


def _told(line: dict[str, Any]) -> list[str]:
    """In words for people, whatever the server sends."""
    if isinstance(one := line.get("message"), dict):
        about = f"{_date(one.get('arrived'))}  {one.get('from') or '(no From)'}: {one.get('subject') or '(no subject)'}"
        about += f" [in {one.get('mailbox', '')}]"
        if one.get("problem"):
            return [f"{about}: {one['problem']}"]
        return [about, f"    active  {_sentence(one.get('active'))}", f"    new     {_sentence(one.get('new'))}"]
    if isinstance(one := line.get("summary"), dict):
        cut = "" if one.get("complete", True) else " (time was up)"
        return [f"{one.get('differ')} of {one.get('looked_at')} messages would be treated differently{cut}"]
    return []


def _date(value: object) -> str:
    if not isinstance(value, int | float) or not 0 <= value < 1 << 36:
        return ""
    return datetime.fromtimestamp(value).astimezone().strftime("%Y-%m-%d %H:%M")


def _sentence(value: object) -> str:
    return str(value.get("sentence", "")) if isinstance(value, dict) else ""


def capability(context: Context, _: list[str]) -> None:
    found = context.session.refresh()
    if context.as_json:
        _json(found)
        return
    for name, value in found.items():
        context.say(f"{name}: {value}" if value else name)


def quit_(context: Context, _: list[str]) -> None:
    context.ended = True


def help_(context: Context, arguments: list[str]) -> None:
    chosen = [BY_NAME[word] for word in arguments if word in BY_NAME] or list(COMMANDS)
    width = max(len(f"{command.name} {command.usage}") for command in chosen)
    for command in chosen:
        context.say(f"{f'{command.name} {command.usage}':{width}}  {command.help}")


def _warnings(context: Context, text: str) -> None:
    context.warn(text)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else read_given(os.fspath(file))
    except (OSError, ValueError) as e:
        raise DataError(f"{file}: {getattr(e, 'strerror', None) or e}") from e


def _json(value: object) -> None:
    print(json.dumps(value, indent=2), flush=True)


COMMANDS = (
    Command("list", "", "the scripts; the active one is marked", list_),
    Command("get", "NAME [FILE]", "show a script, or put it into FILE", get, 1, 2, ("script", "file")),
    Command("put", "FILE [NAME]", "store FILE as a script, which the server checks", put, 1, 2, ("file", "script")),
    Command("edit", "NAME", "change a script in $EDITOR, or make one", edit, 1, 1, ("script",)),
    Command("check", "FILE", "have the server check FILE; nothing is stored", check, 1, 1, ("file",)),
    Command("try", "NAME|FILE [N]", "what it would do differently with the last N messages", try_, 1, 2, ("script",)),
    Command("activate", "NAME", "make this the script that mail runs through", activate, 1, 1, ("script",)),
    Command("deactivate", "", "have no active script", deactivate),
    Command("rename", "OLD NEW", "give a script another name", rename, 2, 2, ("script", "script")),
    Command("delete", "NAME", "delete a script that is not active", delete, 1, 1, ("script",)),
    Command("capability", "", "what the server can do", capability),
    Command("help", "[COMMAND]", "this", help_, 0, 1),
    Command("quit", "", "end the session", quit_),
)
BY_NAME = {command.name: command for command in COMMANDS}
BY_NAME |= {"exit": BY_NAME["quit"], "logout": BY_NAME["quit"], "ls": BY_NAME["list"], "?": BY_NAME["help"]}
BY_NAME |= {"rm": BY_NAME["delete"], "mv": BY_NAME["rename"], "setactive": BY_NAME["activate"]}
