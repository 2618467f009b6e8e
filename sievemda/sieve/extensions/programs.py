"""vnd.dovecot.pipe, .filter, .execute: programs that the administrator has listed. Pigeonhole's "Invoking External
Programs" (draft-style text spec-bosch-sieve-pipe), whose sections are cited here.

A program has a name, not a path, and the name is written in the script as it is (§3). `filter` and `execute` run at
once, since their result decides what comes next; `pipe` is an action like any other and is carried out after the
script. Off by default: with them a script can do what its administrator's programs can.

Why a `filter` or `execute` that fails is no run-time error: §6 and §7 leave that open, Pigeonhole goes on, and the
tests of the same names (§8) are there for who wants to know. An unknown program is an error of the command and false
as a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sievemda.mail.message import Message
from sievemda.sieve.effects import Pipe
from sievemda.sieve.extensions.variables import name_fault, store
from sievemda.sieve.facts import Executed
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command, Context, Fault, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts, from_octets, is_utf8, octets
from sievemda.sieve.vocabulary import Extension

_NAME = re.compile("[^\x00-\x1f/\x7f-\x9f\u00ff\u2028\u2029]+")  # §3
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")  # §4 allows to forbid them


@node
class PipeCommand(Command):
    """pipe [":copy"] [":try"] <program-name: string> [<arguments: string-list>], §5."""

    keyword = "pipe"
    try_: bool = False
    program_name: Text
    arguments: Texts | None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from faults(self.keyword, self.program_name, self.arguments, context.limits)

    def execute(self, run: Run) -> None:
        name, arguments = self.program_name.source, values(run, self.arguments, self.line)
        run.add(self.amended(Pipe(program=name, arguments=arguments, optional=self.try_, line=self.line), run))


@node
class FilterCommand(Command):
    """filter <program-name: string> [<arguments: string-list>], §6."""

    keyword = "filter"
    program_name: Text
    arguments: Texts | None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from faults(self.keyword, self.program_name, self.arguments, context.limits)

    def execute(self, run: Run) -> None:
        if filtered(run, self.program_name.source, values(run, self.arguments, self.line)) is None:
            raise RunError(_unknown("filter", self.program_name.source), self.line)


@node
class FilterTest(Test):
    """filter as a test, §8: whether the program succeeded; an exit code above zero leaves the message as it is."""

    keyword = "filter"
    program_name: Text
    arguments: Texts | None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from faults(self.keyword, self.program_name, self.arguments, context.limits)

    def holds(self, run: Run) -> bool:
        name = self.program_name.source
        result = filtered(run, name, values(run, self.arguments, self.line))
        if result is None:
            run.note(_unknown("filter", name))
        return bool(result)


@node
class ExecuteCommand(Command):
    """execute [":input" <input-data: string> / ":pipe"] [":output" <varname: string>] <program-name: string>
    [<arguments: string-list>], §7.
    """

    keyword = "execute"
    input: Text | None = None
    pipe: bool = False
    output: Text | None = None
    program_name: Text
    arguments: Texts | None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _execute_faults(self, context)

    def execute(self, run: Run) -> None:
        if executed(run, self) is None:
            raise RunError(_unknown("execute", self.program_name.source), self.line)


@node
class ExecuteTest(Test):
    """execute as a test, §8: whether the program succeeded; its output is dropped when it did not."""

    keyword = "execute"
    input: Text | None = None
    pipe: bool = False
    output: Text | None = None
    program_name: Text
    arguments: Texts | None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _execute_faults(self, context)

    def holds(self, run: Run) -> bool:
        result = executed(run, self)
        if result is None:
            run.note(_unknown("execute", self.program_name.source))
        return bool(result)


# -- what is wrong with a call ---------------------------------------------------------------------------------


def faults(keyword: str, name: Text, arguments: Texts | None, limits: Limits) -> Iterator[Fault]:
    """Faults of the name and of constant arguments. §3, §4."""
    if not name.constant:
        yield name, f"the name of a program for {keyword} must be a constant string"
    elif not is_program_name(name.source, limits):
        yield name, f"invalid program name '{name.source[:80]}' for {keyword}"
    else:
        most = limits.program_arguments
        if arguments is not None and len(arguments) > most:
            yield f"too many arguments for the program '{name.source[:80]}': {len(arguments)} > {most}"
        for item in arguments or ():
            if item.constant and (fault := _argument_fault(item.source, limits)):
                yield item, fault


def is_program_name(name: str, limits: Limits) -> bool:
    """§3: any characters but controls, line separators and the slash; never longer than the limit."""
    return bool(_NAME.fullmatch(name)) and len(name) <= limits.program_name and is_utf8(name)


def _argument_fault(value: str, limits: Limits) -> str:
    if _CONTROL.search(value):
        return f"an argument of a program has a control character in it: {value[:80]!r}"
    if len(octets(value)) > limits.program_argument:
        return f"an argument of a program is too long: {len(octets(value))} > {limits.program_argument} octets"
    return ""


def _execute_faults(call: ExecuteCommand | ExecuteTest, context: Context) -> Iterator[Fault]:
    if call.input is not None and call.pipe:
        yield "':input' and ':pipe' cannot be used together: both say what the program reads"
    if call.output is not None:
        if "variables" not in context.vocabulary.capabilities:
            yield call.output, "the ':output' tag of execute needs variables: add require [\"variables\"]"
        elif fault := name_fault(call.output, context):
            yield call.output, fault
    yield from faults(call.keyword, call.program_name, call.arguments, context.limits)


# -- running one -----------------------------------------------------------------------------------------------


def values(run: Run, arguments: Texts | None, line: int) -> tuple[str, ...]:
    """The arguments now. §4."""
    found = tuple(run.texts(arguments)) if arguments is not None else ()
    for value in found:
        if fault := _argument_fault(value, run.limits):
            raise RunError(fault, line)
    return found


def filtered(run: Run, name: str, arguments: Sequence[str]) -> bool | None:
    """Put the message through a program: whether it succeeded; `None` when there is no such program. §6.1."""
    result = _run(run, "filter", name, arguments, bytes(run.message.data))
    if result is None or not result.ok:
        return None if result is None else False
    data = result.output.replace(b"\r", b"").replace(b"\0", b"")
    if not data:
        run.note(f"filter: the program '{name}' wrote no message")
        return False
    if data != run.message.data:
        run.edit(Message(data), f'filter "{name}": the message is what the program made of it')
    return True


def executed(run: Run, call: ExecuteCommand | ExecuteTest) -> bool | None:
    """Run a program and keep what it wrote: whether it succeeded; `None` when there is no such program. §7."""
    data = bytes(run.message.data) if call.pipe else octets(run.text(call.input)) if call.input else b""
    name = call.program_name.source
    result = _run(run, "execute", name, values(run, call.arguments, call.line), data)
    if result is None or not result.ok:
        return None if result is None else False
    if call.output is not None:
        store(run, call.output.source, from_octets(result.output))
    return True


def _run(run: Run, kind: str, name: str, arguments: Sequence[str], data: bytes) -> Executed | None:
    count = run.kept[Executed] = run.kept.get(Executed, 0) + 1
    if count > run.limits.programs:
        raise RunError(f"too many programs are run: the limit is {run.limits.programs}", run.line)
    result = run.facts.execute(kind, name, arguments, data)
    if result is not None and not result.ok:
        run.note(f"{kind}: the program '{name}' did not succeed")
    return result


def _unknown(kind: str, name: str) -> str:
    return f"there is no program '{name}' for {kind}"


_SPEC = "Pigeonhole extprograms"
_NOTE = "programs of the administrator's directory only"
EXTENSIONS = (
    Extension("vnd.dovecot.pipe", _SPEC, commands=(PipeCommand,), default=False, note=_NOTE),
    Extension("vnd.dovecot.filter", _SPEC, commands=(FilterCommand,), tests=(FilterTest,), default=False, note=_NOTE),
    Extension(
        "vnd.dovecot.execute", _SPEC, commands=(ExecuteCommand,), tests=(ExecuteTest,), default=False, note=_NOTE
    ),
)
