r"""A .forward into Sieve, as sendmail, Postfix and Exim read it.

Every item gets the message; the mailbox gets it only when the file names it (`\user`). Where an item has no
counterpart the mailbox gets the message too, since somebody would miss it. A file called `.forward+detail` is for
addresses with that detail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sievemda.sieve.compile import compile_script
from sievemda.sieve.problems import ScriptError
from sievemda.upkeep.conversion.filing import filed
from sievemda.upkeep.conversion.folders import destination
from sievemda.upkeep.conversion.programs import Reader, Workshop, address, program_work
from sievemda.upkeep.conversion.report import Converted, Finding, Impossible, Place, Remarks, Verdict
from sievemda.upkeep.conversion.script import (
    DISCARD,
    KEEP,
    STOP,
    Check,
    Command,
    Do,
    If,
    Remark,
    command_lines,
    do,
    quote,
)
from sievemda.upkeep.conversion.site import Site
from sievemda.upkeep.conversion.whole import finished
from sievemda.upkeep.conversion.words import words

_INCLUDED = 10  # lists in lists
_ITEMS = 10_000
_EXIM = re.compile(r"#\s*Exim\s+filter\b", re.IGNORECASE)
_SIEVE = re.compile(r"#\s*Sieve\s+filter\b", re.IGNORECASE)
_SPECIAL = re.compile(r":(fail|defer|blackhole|unknown|include):\s*(.*)", re.IGNORECASE | re.DOTALL)
_HANDED_ON = {"procmail": "import its .procmailrc", "maildrop": "import its .mailfilter", "slocal": "", "fetchmail": ""}


@dataclass(frozen=True, slots=True)
class Item:
    place: Place
    text: str


@dataclass(slots=True)
class _Outcome:
    """`keeps`: the mailbox gets the message, too."""

    commands: list[Command] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    keeps: bool = False
    items: int = 0
    forwarded: int = 0


@dataclass(frozen=True, slots=True)
class File:
    name: str
    text: str


def convert_forward(files: Sequence[File], site: Site, read: Reader = lambda _: None) -> Converted:
    """The script and the report; those for a detail of the address come first, since they alone count for it."""
    first = files[0]
    begins = next((line.strip() for line in first.text.split("\n") if line.strip()), "")
    if _EXIM.match(begins):
        return _exim(first.text, first.name, site)
    if _SIEVE.match(begins):
        return _sieve(first.text, first.name, site)
    commands: list[Command] = []
    findings: list[Finding] = []
    missing: set[str] = set()
    for file in sorted(files, key=lambda file: not _detail(file)):
        outcome = _Outcome()
        commands += _one_file(file, site, read, outcome)
        findings += outcome.findings
        missing |= outcome.missing
    return finished(commands, findings, missing, first.name, site)


def _one_file(file: File, site: Site, read: Reader, outcome: _Outcome) -> list[Command]:
    _Forward(site, read, outcome).all_of(file.text, file.name, ())
    commands = outcome.commands
    if not outcome.items:
        why = "it names nobody: the mailbox gets the message, as without this file"
        outcome.findings.append(Finding(Place(file.name, 1), "", Verdict.EXACT, why, "keep;"))
        commands = [Remark((why,)), KEEP]
    elif outcome.keeps:
        commands = [*commands, KEEP]
    elif not any(isinstance(one, Do) for one in commands):
        commands = [*commands, DISCARD]
    if not (detail := _detail(file)):
        return commands
    test = Check(f'envelope :detail :is "to" {quote(detail)}', frozenset({"envelope", "subaddress"}))
    return [If(test, [*commands, STOP])]


def _detail(file: File) -> str:
    """Of `.forward+detail`."""
    found = re.fullmatch(r"(?:.*/)?\.forward\+([^/]+)", file.name)
    return found[1] if found else ""


class _Forward:
    def __init__(self, site: Site, read: Reader, outcome: _Outcome) -> None:
        self._site = site
        self._read = read
        self._outcome = outcome

    def all_of(self, text: str, file: str, inside: tuple[str, ...]) -> None:
        """The items of a file, with those of the lists that it includes."""
        for item in items(text, file):
            outcome = self._outcome
            outcome.items += 1
            if outcome.items > _ITEMS:
                return
            special = _SPECIAL.fullmatch(item.text)
            if special and special[1].lower() == "include":
                self._include(item, special[2].strip(), inside)
            else:
                self._one(item)

    def _include(self, item: Item, path: str, inside: tuple[str, ...]) -> None:
        text = self._read(path) if path not in inside and len(inside) < _INCLUDED else None
        if text is None:
            loop = path in inside or len(inside) >= _INCLUDED
            why = f"{path} includes itself" if loop else f"the list {path} was not there to be read"
            self._tell(item, Verdict.IMPOSSIBLE, f"{why}; the mailbox gets the message", [])
            self._outcome.keeps = True
            return
        self._tell(item, Verdict.APPROXIMATE, "the list as it is now; who is added to it later is not heard of", [])
        self.all_of(text, path, (*inside, path))

    def _one(self, item: Item) -> None:
        remarks = Remarks()
        try:
            commands, keeps = self._commands(item.text, remarks)
        except Impossible as e:
            self._outcome.missing |= remarks.missing
            self._tell(item, Verdict.IMPOSSIBLE, f"{e}; the mailbox gets the message", [])
            self._outcome.keeps = True
            return
        self._outcome.keeps |= keeps
        shown = [*commands, *([KEEP] if keeps else [])]
        self._tell(item, remarks.verdict, remarks.why, shown)
        self._outcome.commands += [one for one in commands if one not in self._outcome.commands]

    def _commands(self, text: str, remarks: Remarks) -> tuple[list[Command], bool]:
        """What is done, and whether the mailbox gets the message. Raises `Impossible`."""
        if special := _SPECIAL.fullmatch(text):
            return self._special(special[1].lower(), special[2].strip())
        if text.startswith("|"):
            return self._piped(text[1:].strip(), remarks)
        if text.startswith("\\") or self._is_own(text):
            bare = text.removeprefix("\\")
            if "@" not in bare or self._is_own(bare):
                if self._site.user and not self._is_own(bare):
                    remarks.approximate(f"'{bare}' is taken for the mailbox of {self._site.user}")
                return [], True
            text = bare
        if text.startswith(("/", "./", "~/")):
            return self._filed(text, remarks)
        return self._redirected(text), False

    def _is_own(self, text: str) -> bool:
        user = self._site.user
        return bool(user) and text.lower() in {user.lower(), user.partition("@")[0].lower()}

    def _special(self, word: str, text: str) -> tuple[list[Command], bool]:
        match word:
            case "fail":
                return [do(f"reject {quote(text or 'The message was refused.')};", "reject")], False
            case "blackhole":
                return [], False
        raise Impossible(f"':{word}:' puts a message off or leaves it to others")

    def _filed(self, path: str, remarks: Remarks) -> tuple[list[Command], bool]:
        place = destination(path, "~", self._site.folder, remarks)
        if place.kind == "inbox":
            return [], True
        return (filed(place, path, self._site.available, copy=False) if place.kind != "nowhere" else []), False

    def _redirected(self, text: str) -> list[Command]:
        text = text.removeprefix("&")
        if inside := re.search(r"<([^<>]*)>", text):
            text = inside[1]
        target = address(text)
        self._outcome.forwarded += 1
        most = self._site.limits.redirects
        if self._outcome.forwarded > most:
            raise Impossible(f"this site forwards to {most} addresses (sieve_max_redirects)")
        return [do(f"redirect {target};")]

    def _piped(self, text: str, remarks: Remarks) -> tuple[list[Command], bool]:
        for program, hint in _HANDED_ON.items():
            if re.search(rf"(^|[\s/]){program}(\s|$)", text):
                raise Impossible(f"it hands the message to {program}" + (f": {hint}" if hint else ""))
        folders: list[Command] = []
        shop = Workshop(self._site, lambda path: self._folder(path, remarks), self._read, remarks)
        work = program_work(words(text, lambda _: None), shop, filters=False)
        if work.is_duplicate is not None:
            raise Impossible("formail only tells whether the message is known")
        return [one for one in [*folders, *work.commands] if one != KEEP], KEEP in work.commands

    def _folder(self, path: str, remarks: Remarks) -> list[Command]:
        path = path.removeprefix("\x03")
        place = destination(path, "~", self._site.folder, remarks)
        return filed(place, path, self._site.available, copy=False)

    def _tell(self, item: Item, verdict: Verdict, why: str, commands: list[Command]) -> None:
        finding = Finding(item.place, item.text, verdict, why, "\n".join(command_lines(commands)))
        self._outcome.findings.append(finding)
        self._outcome.commands.append(Remark(finding.comment()))


# -- reading -----------------------------------------------------------------------------------------------------------


def items(text: str, file: str) -> list[Item]:
    """Separated by commas and ends of lines; what is quoted or in brackets stays together, comments are gone."""
    found: list[Item] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#"):
            found += [Item(Place(file, number), one) for one in _split(line)]
    return found


def _split(line: str) -> list[str]:
    if _SPECIAL.match(line.strip()) and not line.strip().lower().startswith(":include:"):
        return [line.strip()]  # its text may have commas
    out: list[str] = []
    text, quoted, depth, at = "", False, 0, 0
    while at < len(line):
        character = line[at]
        if character == "\\" and quoted:
            text += line[at : at + 2]
            at += 2
            continue
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "()":
            depth = max(depth + (1 if character == "(" else -1), 0)
            character = ""
        elif not quoted and character == "," and not depth:
            out.append(text)
            text = character = ""
        elif not quoted and character == "#" and not depth and (not text or text[-1:].isspace()):
            break
        if not depth or quoted:
            text += character
        at += 1
    return [plain for one in [*out, text] if (plain := _unquoted(one.strip()))]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text.startswith('"') and text.endswith('"') and text[1] in "|/:\\~.":
        return re.sub(r"\\(.)", r"\1", text[1:-1]).strip()
    if text.startswith('|"') and text.endswith('"') and len(text) > 2:
        return "|" + re.sub(r"\\(.)", r"\1", text[2:-1]).strip()
    return text


# -- other languages in this file --------------------------------------------------------------------------------------


def _exim(text: str, file: str, site: Site) -> Converted:
    why = "it is a filter in Exim's own language; the mailbox gets the message"
    finding = Finding(Place(file, 1), text, Verdict.IMPOSSIBLE, why, "keep;")
    return finished([Remark(finding.comment()), KEEP], [finding], (), file, site)


def _sieve(text: str, file: str, site: Site) -> Converted:
    """It is the script already, if it is valid here."""
    try:
        compile_script(text, site.limits, site.available)
    except ScriptError as e:
        why = f"it is Sieve that is not valid here: {e.problems[0]}; the mailbox gets the message"
        finding = Finding(Place(file, 1), text, Verdict.IMPOSSIBLE, why, "keep;")
        return finished([Remark(finding.comment()), KEEP], [finding], (), file, site)
    return Converted(text, (Finding(Place(file, 1), "# Sieve filter", Verdict.EXACT, "it is Sieve already", text),))
