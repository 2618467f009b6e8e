"""Programs that filters pipe messages to, and what Sieve has for them. Nothing is run.

Known are those that sort, answer, forward or edit mail: a delivery agent, sendmail, vacation, formail's edits and its
memory of message-ids. Any other needs vnd.dovecot.pipe or vnd.dovecot.filter, which only the administrator can switch
on, with the program in his directory of programs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from sievemda.mail.address import parse_address
from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.script import DISCARD, Check, Command, Do, If, Not, do, quote
from sievemda.upkeep.conversion.site import Site
from sievemda.upkeep.conversion.words import Word

Reader = Callable[[str], str | None]  # of a file that the filter names, or None
FolderOf = Callable[[str], list[Command]]  # the commands that put a message into the folder of that path
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(.*)", re.DOTALL)
_AGENTS = {"deliver", "dovecot-lda", "cyrdeliver", "dmail", "deliverquota"}
_VACATION_TEXT = "I am away and read your message later."
_SHELL = re.compile(r"[|&;<>()`]")


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the translation of a program may need."""

    site: Site
    folder: FolderOf
    read: Reader
    remarks: Remarks


@dataclass(frozen=True, slots=True)
class Work:
    """`commands` do what the program did; `consumes`: a duplicate goes no further (formail -D)."""

    commands: list[Command]
    is_duplicate: Check | None = None
    answers: bool = False  # it answered only, the message is still to be put somewhere


def address(text: str) -> str:
    """An address as `redirect` wants it. Raises `Impossible`."""
    text = text.strip().removeprefix("<").removesuffix(">")
    found = parse_address(text)
    if found is None or not found.domain:
        raise Impossible(f"'{text[:80]}' is an address of the old machine; it needs a domain")
    return quote(str(found))


def program_work(line: list[Word], shop: Workshop, *, filters: bool) -> Work:
    """A command line without what only a shell knows; `filters`: its output replaces the message.

    Raises `Impossible`.
    """
    words = [word.text for word in line]
    name = PurePosixPath(words[0]).name if words else ""
    arguments = words[1:]
    for_shell = any(not word.quoted and _SHELL.search(word.text) for word in line)
    if not for_shell:
        if name in {"formail", "reformail"}:
            return _formail(arguments, shop, filters=filters)
        if name in {"vacation", "mailbot"} and not filters:
            answer = _vacation if name == "vacation" else _mailbot
            return Work([answer(arguments, shop)], answers=True)
        if name in _AGENTS and not filters:
            return Work(_agent(arguments, shop))
        if name in {"sendmail", "rmail", "nullmailer-inject"} and not filters:
            return Work(redirects(_recipients(arguments), shop.site))
    if name == "cat" and not filters:
        return Work(_cat(arguments, shop))
    if for_shell or not re.fullmatch(r"[\w.+-]+", name):
        raise Impossible("a command line for the shell has no counterpart")
    return _other(name, words, shop, filters=filters)


def _other(name: str, words: list[str], shop: Workshop, *, filters: bool) -> Work:
    capability = "vnd.dovecot.filter" if filters else "vnd.dovecot.pipe"
    if capability not in shop.site.available:
        shop.remarks.missing.add(capability)
        raise Impossible(f"the program '{name}' would need {capability}, which this site has not switched on")
    shop.remarks.approximate(f"the administrator must provide the program '{name}'")
    arguments = f" [{', '.join(map(quote, words[1:]))}]" if words[1:] else ""
    return Work([do(f"{capability.rpartition('.')[2]} {quote(name)}{arguments};", capability)])


def redirects(addresses: list[str], site: Site, *, copy: bool = False) -> list[Command]:
    """Raises `Impossible`, also for none."""
    if not addresses:
        raise Impossible("it names no address")
    most = site.limits.redirects
    if len(addresses) > most:
        raise Impossible(f"it names {len(addresses)} addresses, this site forwards to {most} (sieve_max_redirects)")
    tag, needs = (" :copy", ("copy",)) if copy else ("", ())
    return [do(f"redirect{tag} {address(one)};", *needs) for one in addresses]


def _recipients(arguments: list[str]) -> list[str]:
    """Those of sendmail, without its options."""
    found, skip = [], False
    for one in arguments:
        if skip:
            skip = False
        elif one in {"-t", "-bs", "-bd"}:
            raise Impossible("sendmail would take the recipients from the message")
        elif one.startswith("-"):
            skip = one in {"-f", "-F", "-o", "-r"}
        else:
            found.append(one)
    return found


def _agent(arguments: list[str], shop: Workshop) -> list[Command]:
    """dovecot-lda and those like it: `-m FOLDER`."""
    folder = ""
    for at, one in enumerate(arguments):
        if one == "-m" and at + 1 < len(arguments):
            folder = arguments[at + 1]
        elif one.startswith("-m") and len(one) > 2:
            folder = one[2:]
    if folder and folder.upper() != "INBOX":
        return shop.folder(f"\x03{folder}")
    return [do("keep;")]


def _cat(arguments: list[str], shop: Workshop) -> list[Command]:
    """`cat > FILE` and `cat >> FILE`."""
    found = re.fullmatch(r"-?\s*>{1,2}\s*([^\s<>|&;()`]+)", " ".join(arguments))
    if not found:
        raise Impossible("a command line for the shell has no counterpart")
    return shop.folder(found[1])


def as_copies(commands: list[Command]) -> list[Command]:
    """Redirections and pipes that let the message go on."""
    out: list[Command] = []
    for one in commands:
        if isinstance(one, Do) and one.text.startswith(("redirect ", "pipe ")) and ":copy" not in one.text:
            verb, _, rest = one.text.partition(" ")
            out.append(do(f"{verb} :copy {rest}", "copy", *one.requires))
        else:
            out.append(one)
    return out


# -- formail ----------------------------------------------------------------------------------------------------------


def _formail(arguments: list[str], shop: Workshop, *, filters: bool) -> Work:
    if "-D" in arguments:
        shop.remarks.approximate(
            "message-ids are remembered for the time that the site sets, not by the size of a file"
        )
        return Work([DISCARD], is_duplicate=Check("duplicate", frozenset({"duplicate"})))
    if not filters:
        raise Impossible("what formail prints has no counterpart")
    commands: list[Command] = []
    at = 0
    while at < len(arguments):
        option = arguments[at]
        at += 1
        if option in {"-b", "-f", "-Y", "-z"}:
            continue
        if option[:2] not in {"-A", "-a", "-I", "-i"}:
            raise Impossible(f"formail's option {option[:20]} has no counterpart")
        value = option[2:]
        if not value and at < len(arguments):
            value = arguments[at]
            at += 1
        commands += _edit(option[1], value, shop.remarks)
    if not commands:
        raise Impossible("this call of formail changes nothing that Sieve could")
    return Work(commands)


def _edit(how: str, text: str, remarks: Remarks) -> list[Command]:
    found = _FIELD.fullmatch(text)
    if not found:
        raise Impossible(f"'{text[:60]}' is no header field")
    name, value = quote(found[1]), found[2].strip()
    drop = do(f"deleteheader {name};", "editheader")
    add = do(f"addheader :last {name} {quote(value)};", "editheader")
    match how:
        case "A":
            return [add]
        case "a":
            return [If(Not(Check(f"exists {name}")), [add])]
        case "I":
            return [drop, add] if value else [drop]
    remarks.approximate(f"the former {found[1]} is deleted instead of renamed to Old-{found[1]}")
    return [drop, add] if value else [drop]


# -- vacation ---------------------------------------------------------------------------------------------------------


def _vacation(arguments: list[str], shop: Workshop) -> Command:
    """vacation(1) with its aliases and its message file."""
    aliases, file, days, at = [], "~/.vacation.msg", 7, 0
    while at < len(arguments):
        option = arguments[at]
        value = arguments[at + 1] if at + 1 < len(arguments) else ""
        at += 1
        if option in {"-a", "-m", "-t", "-r", "-f", "-s", "-l", "-h", "-j"}:
            at += option not in {"-j", "-l"}
        if option == "-a":
            aliases.append(value)
        elif option == "-m":
            file = value
        elif option in {"-t", "-r"}:
            days = _days(value)
    return vacation(file, aliases, days, shop.read(file), shop.remarks)


def _mailbot(arguments: list[str], shop: Workshop) -> Command:
    """mailbot(1): `-t FILE` is the text, `-s` its subject, `-D` the days."""
    given = {one: value for one, value in pairwise(arguments) if one.startswith("-")}
    if "-m" in given or "-t" not in given:
        raise Impossible("an answer of mailbot without a plain text (-t)")
    text = shop.read(given["-t"])
    if subject := given.get("-s"):
        text = f"Subject: {subject}\n\n{text or ''}"
    return vacation(given["-t"], [], _days(given.get("-D", "1")), text, shop.remarks)


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,9})([smhdw]?)", text.strip())
    if not found:
        return 7
    seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "": 86400}[found[2]]
    return min(max(1, -(-seconds // 86400)), 365)


def vacation(file: str, aliases: list[str], days: int, text: str | None, remarks: Remarks) -> Command:
    """An answer with the text of a file, whose header says subject and sender."""
    head, body = _message(text or "")
    if text is None or not body.strip():
        remarks.approximate(f"the text of {file} was not there to be read: write your own")
        body = _VACATION_TEXT
    parts = ["vacation", f":days {days}"]
    if subject := head.get("subject"):
        if "$SUBJECT" in subject:
            remarks.approximate("$SUBJECT stands for the subject of the message: the site's own form of it is used")
        else:
            parts.append(f":subject {quote(subject)}")
    if "$SUBJECT" in body:
        remarks.approximate("$SUBJECT in the text stays as it is")
    addresses = [one for one in aliases if (found := parse_address(one)) and found.domain]
    if len(addresses) < len(aliases):
        remarks.approximate("aliases without a domain are left out: the site knows the addresses of the user")
    if addresses:
        parts.append(f":addresses [{', '.join(map(quote, addresses))}]")
    return do(f"{' '.join(parts)} {quote(body.strip())};", "vacation")


def _message(text: str) -> tuple[dict[str, str], str]:
    lines = text.replace("\r\n", "\n").split("\n")
    head: dict[str, str] = {}
    at = 0
    while at < len(lines) and (found := _FIELD.fullmatch(lines[at])):
        head.setdefault(found[1].lower(), found[2].strip())
        at += 1
    if not head or (at < len(lines) and lines[at].strip()):
        return {}, text
    return head, "\n".join(lines[at + 1 :])
