"""`sievemda why`: what happened to a message, recipient by recipient, in terms of the script.

Reads the journal itself, so the server need not run. The lines of a script are shown when it is still there, or kept as
a version; its hash is in the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from sievemda.config import Settings
from sievemda.errors import NotFound, SievemdaError

Entry = dict[str, Any]
NOT_TRIED = {"content_refused", "loop", "spool_full", "spool_trouble"}  # refused before anybody's script could run


@click.command(epilog="Example: sievemda why '<20261121.1@example.net>'")
@click.argument("message_id", metavar="MESSAGE-ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per recipient and delivery.")
@click.pass_obj
def why(settings: Settings, message_id: str, as_json: bool) -> None:
    """Explain where a message went. MESSAGE-ID with or without its brackets, or the id of a reply or log line."""
    from sievemda.delivery.tried import unpack
    from sievemda.state.journal import Journal

    path = settings.journal_path
    entries: list[Entry] = []
    if path.exists():
        journal = Journal(path)
        try:
            entries = [entry | {"tests": unpack(entry["tests"])} for entry in journal.find(message_id)]
        finally:
            journal.close()
    if not entries:
        raise NotFound(f"nothing is known of {message_id}; the journal keeps {settings.delivery.journal_days} days")
    for entry in (_numbered(settings, entry) for entry in entries):
        print(json.dumps(entry) if as_json else explained(entry, _script(settings, entry)))


def explained(entry: Entry, script: list[str]) -> str:
    """One delivery for people to read; `script` are the lines of the script that ran, if they can still be had."""
    return "\n".join([*_heading(entry), *_tests(entry, script), *_outcome(entry), ""])


def _heading(entry: Entry) -> Iterator[str]:
    when = datetime.fromtimestamp(entry["time"]).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    if entry.get("awakened"):
        yield _clean(f"{when}  a snoozed message of {entry['user']} came back")
        yield _clean(f"  message   {entry['message_id'] or '(no Message-ID)'}, {entry['size']} octets")
        return
    yield _clean(f"{when}  {entry['from'] or '<>'} -> {entry['to']}")
    if entry.get("at_rcpt"):
        whose = "refused at RCPT"
    else:
        whose = f"for user {entry['user']}" if entry["user"] else "for a bulletin board"
    poster = f", posted by {entry['poster']}" if entry["poster"] else ""
    yield _clean(f"  message   {entry['message_id'] or '(no Message-ID)'}, {entry['size']} octets")
    yield _clean(f"  delivery  {entry['id']}, session {entry['session']}, {whose}{poster}")
    if entry["script"]:
        number = f", version {entry['script']['version']}" if "version" in entry["script"] else ""
        name = entry["script"]["name"] or "(a plain file)"
        yield _clean(f"  script    {name}, sha256 {entry['script']['sha256'][:12]}{number}")
    elif entry["user"] and entry["result"] not in NOT_TRIED:
        yield "  script    none"
    for other in entry.get("scripts", ()):
        yield _clean(f"  also      {other['name']}, sha256 {other['sha256'][:12]}")


def _tests(entry: Entry, script: list[str]) -> Iterator[str]:
    shown = 0
    for test in entry["tests"]:
        if not test.get("script") and test["line"] != shown and 0 < test["line"] <= len(script):
            shown = test["line"]
            yield _clean(f"  line {shown}: {script[shown - 1].strip()}")
        compared = "; ".join(f"{_list(c['values'])} against {_list(c['keys'])}" for c in test["compared"])
        answer = "true" if test["result"] else "false"
        yield _clean(f"    {_line(test)}{test['test']} is {answer}{': ' if compared else ''}{compared}")
    if entry["tests_left_out"]:
        yield f"    ... and {entry['tests_left_out']} more tests"


def _outcome(entry: Entry) -> Iterator[str]:
    for title, notes in (("log", "notes"), ("edited", "edits")):
        for line, text, *script in entry.get(notes, ()):
            place = _line({"line": line, "script": script[0] if script else ""})
            yield _clean(f"  {title:9} {place}{text}")
    if entry["planned"]:
        yield _clean("  decided   " + ", ".join(_action(action) for action in entry["planned"]))
    if entry["failure"]:
        yield _clean(f"  failed    {entry['failure']}")
    for done in entry["done"]:
        yield _clean(f"  done      {_line(done)}{_done(done)}")
    for left in entry["not_done"]:
        yield _clean(f"  not done  {_line(left)}{left['action']}: {left['why']}")
    if entry["error"]:
        yield _clean(f"  error     {entry['error']}")
    reason = f" ({entry['reason']})" if entry["reason"] else ""
    stored = any("file" in done for done in entry["done"])
    result = "accepted, and nothing was stored" if entry["result"] == "delivered" and not stored else entry["result"]
    yield _clean(f"  result    {result.replace('_', ' ')}{reason}")


def _done(done: dict[str, Any]) -> str:
    match done["action"]:
        case "create":
            return f"made {done['mailbox']}"
        case "redirect" | "vacation" | "notify" | "report" | "notice of success":
            return f"{done['action']} to {done['to']}, by the outbox"
        case "reject":
            return f"reject{' by a notice to ' + done['to'] if 'to' in done else ''}: {done['reason']}"
    if "withdrawn" in done:
        how = f"sievemda mailbox restore {done['of']} {done['withdrawn']}"
        return f"discard; until {done['until']} it can be brought back by: {how}"
    if "file" not in done:
        details = [str(value) for key, value in done.items() if key not in {"action", "line", "script"}]
        return f"{done['action']}{': ' if details else ''}{', '.join(details)}"
    flags = f" with {' '.join(done['flags'])}" if done.get("flags") else ""
    flags += f" until {done['awakens']}" if "awakens" in done else ""
    return f"{done['action']}: stored in {done.get('mailbox', 'a mailbox')}{flags}, as {done['file']}"


def _action(action: dict[str, Any]) -> str:
    details = [str(action[key]) for key in ("mailbox", "address", "to") if action.get(key)]
    implicit = "implicit " if action.get("implicit") else ""
    return " ".join([implicit + str(action["action"]), *details])


def _line(action: dict[str, Any]) -> str:
    script = f"{action['script']}, " if action.get("script") else ""
    return f"{script}line {action['line']}: " if action.get("line") else ""


def _list(texts: list[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts) or "nothing"


def _clean(text: str) -> str:
    """What strangers wrote cannot move the cursor of a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _script(settings: Settings, entry: Entry) -> list[str]:
    """The lines of the script that ran, if it is there as it was, or kept as a version."""
    from sievemda.store.mailstore import MailStore
    from sievemda.store.scripts import ScriptStore

    if not entry["script"] or not entry["user"]:
        return []
    name, digest = entry["script"]["name"], entry["script"]["sha256"]
    try:
        scripts = ScriptStore(MailStore(settings).home(entry["user"]))
        texts = [text for called, text in scripts.actives() if called == name] or [scripts.read(name) if name else None]
    except SievemdaError:
        texts = []
    found = next((text for text in texts if text is not None and hashlib.sha256(text).hexdigest() == digest), None)
    if found is None:
        found = _kept(settings, digest)
    return [] if found is None else found.decode("utf-8", "replace").splitlines()


def _kept(settings: Settings, digest: str) -> bytes | None:
    from sievemda.scripts.opening import open_versions, versions_path

    if not versions_path(settings).exists():
        return None
    versions = open_versions(settings, only_read=True)
    try:
        return versions.text(digest) if versions else None
    except SievemdaError:
        return None


def _numbered(settings: Settings, entry: Entry) -> Entry:
    """With the number of the version that ran, as `script history` shows it, where that is kept."""
    from sievemda.scripts.opening import number_of

    if not entry["script"] or not entry["user"]:
        return entry
    digest, instant = entry["script"]["sha256"], entry["time"]
    number = number_of(settings, entry["user"], entry["script"]["name"], digest, instant)
    return entry if number is None else entry | {"script": entry["script"] | {"version": number}}
