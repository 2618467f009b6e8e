"""A filter of maildrop into Sieve. maildropfilter(7).

`to` delivers and ends, `cc` delivers a copy, `exit` throws the message away; at the end it goes to $DEFAULT. Where a
condition cannot be asked its branch is left out with those behind it, and the filter goes on after the `if`. What
maildrop would have given to a program without a counterpart is kept in the INBOX.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sievemda.upkeep.conversion.filing import filed
from sievemda.upkeep.conversion.folders import Destination, destination
from sievemda.upkeep.conversion.maildrop_source import Binary, Call, Expression, Statement, Text, Unary, read_maildrop
from sievemda.upkeep.conversion.maildrop_tests import Tests
from sievemda.upkeep.conversion.maildrop_tokens import Bad
from sievemda.upkeep.conversion.programs import Reader, Workshop, as_copies, program_work, redirects
from sievemda.upkeep.conversion.report import Converted, Finding, Impossible, Place, Remarks, Verdict
from sievemda.upkeep.conversion.script import (
    DISCARD,
    KEEP,
    STOP,
    TRUE,
    Command,
    If,
    Known,
    Remark,
    command_lines,
    do,
    quote_list,
    test_text,
    when,
)
from sievemda.upkeep.conversion.site import Site
from sievemda.upkeep.conversion.variables import Set, Variables, is_open_text, literal
from sievemda.upkeep.conversion.whole import finished
from sievemda.upkeep.conversion.words import words

_SPECIAL = frozenset(
    {"DEFAULT", "HOME", "LOGNAME", "PATH", "SENDMAIL", "SHELL", "VERBOSE", "UMASK", "EXITCODE", "FLAGS", "KEYWORDS"}
    | {"MAILDIRQUOTA", "LOCKEXT", "LOCKREFRESH", "LOCKSLEEP", "LOCKTIMEOUT", "MAILDROP_OLD_REGEXP", "MAILFILTER"}
)
_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen"}
_SPOOL = re.compile(r"(mail/)\$\{?LOGNAME\}?")
_INCLUDED = 10
_TEMPORARY = 75  # EX_TEMPFAIL
_INBOX = Destination("inbox")
_FINAL = {"to", "exit"}
_NEVER = {"system": "a program is run beside the message"}


def convert_maildrop(text: str, file: str, site: Site, read: Reader = lambda _: None) -> Converted:
    """The script and the report."""
    text = _SPOOL.sub(r"\1LOGNAME", text)
    try:
        statements = read_maildrop(text)
    except (Bad, RecursionError) as e:
        line = e.line if isinstance(e, Bad) else 1
        why = f"maildrop does not read it either: {e}; mail stays in the INBOX"
        finding = Finding(Place(file, line), text.split("\n")[line - 1], Verdict.IMPOSSIBLE, why, "keep;")
        return finished([Remark(finding.comment()), KEEP], [finding], (), f"maildrop's {file}", site)
    used = frozenset(int(number) for number in re.findall(r"MATCH(\d{1,2})", text))
    flow = _Flow(site, Tests(Variables(decided=_decided(statements)), read, used), read)
    commands = flow.run(statements, _Source(text, file))
    commands += flow.default(file)
    return finished(commands, flow.findings, flow.missing, f"maildrop's {file}", site)


def _runs(value: Expression) -> bool:
    """Whether it runs a program."""
    match value:
        case Text(parts):
            return any(part.kind == "command" for part in parts)
        case Call(_, arguments):
            return any(map(_runs, arguments))
        case Unary(_, operand):
            return _runs(operand)
        case Binary(_, left, right):
            return _runs(left) or _runs(right)
    return False


def _decided(statements: Sequence[Statement]) -> frozenset[str]:
    found: list[tuple[str, str, bool]] = []
    _collect(statements, found, conditional=False)
    return Set(tuple(found), frozenset()).decided(_SPECIAL)


def _collect(statements: Sequence[Statement], found: list[tuple[str, str, bool]], *, conditional: bool) -> None:
    for one in statements:
        if one.word == "set":
            found.append((one.name, repr(one.value), conditional or "$MATCH" in repr(one.value)))
        _collect(one.block, found, conditional=conditional or one.word in {"foreach", "while"})
        for _, block, _ in one.branches:
            _collect(block, found, conditional=True)


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    file: str

    def at(self, line: int) -> Place:
        return Place(self.file, line)

    def lines(self, first: int, last: int) -> str:
        return "\n".join(self.text.split("\n")[first - 1 : max(first, last)])


@dataclass(slots=True)
class _Flow:
    site: Site
    tests: Tests
    read: Reader
    findings: list[Finding] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    _default: Destination = _INBOX
    _files: list[str] = field(default_factory=list)
    _conditional: bool = False

    def __post_init__(self) -> None:
        known = {"HOME": "~", "DEFAULT": "~/Maildir", "SENDMAIL": "/usr/sbin/sendmail", "EXITCODE": "0"}
        self.tests.variables.known |= known | ({"LOGNAME": self.site.user} if self.site.user else {})
        self.tests.variables.unknown |= {"HOSTNAME"} | (set() if self.site.user else {"LOGNAME"})

    def run(self, statements: Sequence[Statement], source: _Source) -> list[Command]:
        out: list[Command] = []
        for statement in statements:
            if statement.word == "if":
                self._if(statement, source, out)
            else:
                self._one(statement, source, out)
            if out[-1:] == [STOP]:
                break
        return out

    def _one(self, statement: Statement, source: _Source, out: list[Command]) -> None:
        remarks = Remarks()
        try:
            commands = self._commands(statement, remarks)
        except (Impossible, RecursionError) as e:
            self.missing |= remarks.missing
            self._failed(statement, source, out, str(e))
            return
        shown = source.lines(statement.line, statement.line if statement.block else statement.last)
        quiet = not commands and not remarks.told and statement.word not in {"include", "cc"}
        self._tell(out, source.at(statement.line), shown, (remarks.verdict, remarks.why), commands, quiet=quiet)
        out += commands
        if statement.block:
            out += self.run(statement.block, source)
        if statement.word == "include" and statement.value is not None:
            out += self._included(statement.value)

    def _failed(self, statement: Statement, source: _Source, out: list[Command], why: str) -> None:
        stays = statement.word in _FINAL
        commands = [KEEP, STOP] if stays else []
        if statement.word == "set":
            self.tests.variables.forget(statement.name)
        if statement.word in {"foreach", "while"}:
            for name, _, _ in _assigned(statement.block):
                self.tests.variables.forget(name)
        why += "; such a message stays in the INBOX" if stays else "; it is left out"
        last = statement.last if not statement.block else _end(statement)
        shown = source.lines(statement.line, last)
        self._tell(out, source.at(statement.line), shown, (Verdict.IMPOSSIBLE, why), commands)
        out += commands

    def _commands(self, statement: Statement, remarks: Remarks) -> list[Command]:
        """Raises `Impossible`."""
        match statement.word:
            case "to" | "cc" if statement.value is not None:
                return self._delivered(self.tests.text(statement.value), remarks, copy=statement.word == "cc")
            case "exit":
                return [*self._thrown_away(), STOP]
            case "set" if statement.value is not None:
                return self._set(statement.name, self.tests.text(statement.value), remarks)
            case "xfilter" if statement.value is not None:
                return self._filtered(self.tests.text(statement.value), remarks)
            case "foreach" | "while" | "system":
                raise Impossible(_NEVER.get(statement.word, "Sieve has no loops over the text of a message"))
            case "import" if statement.value is not None:
                self.tests.variables.forget(self.tests.text(statement.value))
            case "exception":
                remarks.approximate(
                    "a delivery that fails is tried again later; what stands behind is not tried instead"
                )
            case "value" if statement.value is not None:
                return self._evaluated(statement.value, remarks)
            case "include" if statement.value is not None:
                self._readable(self.tests.text(statement.value))
        return []

    # -- if ------------------------------------------------------------------------------------------------------------

    def _if(self, statement: Statement, source: _Source, out: list[Command]) -> None:
        first: If | None = None
        last: If | None = None
        for number, (expression, block, line) in enumerate(statement.branches):
            remarks, self.tests.sets = Remarks(), []
            above: list[Command] = []
            try:
                test = TRUE if expression is None else self.tests.holds(expression, remarks)
            except (Impossible, RecursionError) as e:
                why = f"{e}; it is left out" + (", and what hangs on it" if statement.branches[number + 1 :] else "")
                shown = source.lines(line, _block_end(block, line))
                self._tell(out, source.at(line), shown, (Verdict.IMPOSSIBLE, why), [])
                break
            sets = [*self.tests.sets]
            instead = f"if {test_text(test)} {{ ... }}"
            self._tell(above, source.at(line), source.lines(line, line), (remarks.verdict, remarks.why), instead)
            made = If(test, [*sets, *self._inside(block, source)])
            if last is None:
                out += above
                first = last = made
            else:
                last.otherwise += [*above, made]
                last = made
            if test == TRUE:
                break
        if first is not None:
            out += _simplified(first)

    def _inside(self, block: list[Statement], source: _Source) -> list[Command]:
        was, code = self._conditional, self.tests.variables.known.get("EXITCODE")
        self._conditional = True
        found = self.run(block, source)
        self._conditional = was
        self.tests.variables.put("EXITCODE", code)
        return found

    # -- statements ----------------------------------------------------------------------------------------------------

    def _delivered(self, text: str, remarks: Remarks, *, copy: bool) -> list[Command]:
        ending = [] if copy else [STOP]
        if text.startswith("!"):
            return [*redirects(text[1:].split(), self.site, copy=copy), *ending]
        if not text.startswith("|"):
            return [*self._folder(text, remarks, copy=copy), *ending]
        work = program_work(words(text[1:], lambda _: None), self._shop(remarks, copy=copy), filters=False)
        if work.is_duplicate is not None:
            raise Impossible("reformail only tells whether the message is known")
        if copy:
            return as_copies(work.commands)
        if work.answers:
            remarks.approximate("a message that was only answered stays in the INBOX as well")
        return [*work.commands, *([KEEP] if work.answers else []), STOP]

    def _filtered(self, text: str, remarks: Remarks) -> list[Command]:
        work = program_work(words(text, lambda _: None), self._shop(remarks, copy=True), filters=True)
        if work.is_duplicate is not None:
            raise Impossible("reformail only tells whether the message is known")
        return work.commands

    def _evaluated(self, value: Expression, remarks: Remarks) -> list[Command]:
        """Nothing but that a pattern keeps what it has found, and a program may do something."""
        if _runs(value):
            self.tests.variables.forget("RETURNCODE")
            raise Impossible(_NEVER["system"])
        self.tests.sets = []
        test = self.tests.holds(value, remarks)
        return when(test, [*self.tests.sets])

    def _shop(self, remarks: Remarks, *, copy: bool) -> Workshop:
        return Workshop(self.site, lambda path: self._folder(path, remarks, copy=copy), self.read, remarks)

    def _folder(self, path: str, remarks: Remarks, *, copy: bool) -> list[Command]:
        path = f"~/Maildir/{path[1:]}" if path.startswith("\x03") else path
        if not path.strip():
            raise Impossible("it names no mailbox")
        place = destination(path, "~", self.site.folder, remarks)
        if place.kind == "inbox" and path == self.tests.variables.known.get("DEFAULT"):
            place = self._default
        return filed(place, path, self.site.available, copy=copy)

    def _thrown_away(self) -> list[Command]:
        code = self.tests.variables.known.get("EXITCODE", "0") or "0"
        if not code.isdecimal():
            raise Impossible("whether the message goes back only a program tells")
        if int(code[:9]) == _TEMPORARY:
            raise Impossible("a message cannot be put off")
        return [do('reject "The message was refused.";', "reject")] if int(code[:9]) else [DISCARD]

    def _set(self, name: str, value: str, remarks: Remarks) -> list[Command]:
        if name in self.tests.variables.decided:
            text, needs = literal(value)
            return [do(f'set "{name.lower()}" {text};', "variables", *needs)]
        if name in {"FLAGS", "KEYWORDS"}:
            return self._flags(name, value)
        if name == "DEFAULT":
            if self._conditional or is_open_text(value):
                raise Impossible("where other mail goes cannot depend on the message: it goes where it went before")
            place = destination(value, "~", self.site.folder, remarks)
            if place.kind == "outside":
                raise Impossible(f"{value} is not in the mail directory; mail that nothing takes goes to the INBOX")
            self._default = place
        self.tests.variables.put(name, value)
        return []

    def _flags(self, name: str, value: str) -> list[Command]:
        found = [_FLAGS[c] for c in value if c in _FLAGS] if name == "FLAGS" else []
        if name == "KEYWORDS":
            found = [one.strip() for one in value.split(",") if one.strip()]
        self.tests.variables.put(name, value)
        return [do(f"{'setflag' if name == 'FLAGS' else 'addflag'} {quote_list(found or [''])};", "imap4flags")]

    def _readable(self, path: str) -> str:
        text = self.read(path)
        if text is None:
            raise Impossible(f"{path} was not there to be read beside this file")
        if path in self._files or len(self._files) >= _INCLUDED:
            raise Impossible(f"{path} includes itself, or too many others")
        return text

    def _included(self, value: Expression) -> list[Command]:
        path = self.tests.text(value)
        text = self._readable(path)
        try:
            statements = read_maildrop(text)
        except (Bad, RecursionError) as e:
            finding = Finding(Place(path, 1), "", Verdict.IMPOSSIBLE, f"maildrop does not read it either: {e}")
            self.findings.append(finding)
            return [Remark(finding.comment())]
        self._files.append(path)
        found = self.run(statements, _Source(text, path))
        self._files.pop()
        return found

    def _tell(
        self,
        out: list[Command],
        place: Place,
        shown: str,
        judged: tuple[Verdict, str],
        instead: Sequence[Command] | str,
        *,
        quiet: bool = False,
    ) -> None:
        text = instead if isinstance(instead, str) else "\n".join(command_lines(instead))
        finding = Finding(place, shown, *judged, text)
        self.findings.append(finding)
        if not quiet:
            out.append(Remark(finding.comment()))

    def default(self, file: str) -> list[Command]:
        """Where mail goes that nothing took; nothing to be said for the INBOX."""
        match self._default.kind:
            case "folder":
                found = filed(self._default, "", self.site.available, copy=False)
                return [Remark((f"{file}: DEFAULT",)), *found]
            case "nowhere":
                return [Remark((f"{file}: DEFAULT",)), DISCARD]
        return []


def _assigned(statements: Sequence[Statement]) -> list[tuple[str, str, bool]]:
    found: list[tuple[str, str, bool]] = []
    _collect(statements, found, conditional=True)
    return found


def _end(statement: Statement) -> int:
    return _block_end(statement.block, statement.line)


def _block_end(block: Sequence[Statement], line: int) -> int:
    """The last line of it, without the brace."""
    last = line
    for one in block:
        last = max(last, one.last, _block_end(one.block, one.line))
        for _, inner, at in one.branches:
            last = max(last, _block_end(inner, at))
    return last


def _simplified(command: If) -> list[Command]:
    """Without branches whose test is known already."""
    if isinstance(command.test, Known):
        if command.test.holds:
            return when(command.test, command.body)
        rest = [one for one in command.otherwise if isinstance(one, If)]
        notes: list[Command] = [one for one in command.otherwise if isinstance(one, Remark)]
        return [*notes, *(_simplified(rest[0]) if rest else [])]
    follow = [one for one in command.otherwise if isinstance(one, If)]
    if follow:
        notes = [one for one in command.otherwise if isinstance(one, Remark)]
        simpler = _simplified(follow[0])
        known = isinstance(follow[0].test, Known)
        command.otherwise = [*notes, *([If(TRUE, simpler)] if known and simpler else simpler)]
    return [command]
