"""include, return, global: one script inside another, and the variables they share. RFC 6609.

A script is looked for when control reaches the `include`, not when the script that includes it is stored (§3.1). Each
script has its own `require`, variables and match variables; the message, its flags and the list of actions are one.

Which variables are global is said by the script as a whole: `global` works also where control does not reach it, as
in Pigeonhole, so that a name never means two things in one script.

In a loop over the parts of the message, the tests of an included script see the part that the loop is at as if it were
the whole message (§3.5). What such a script does, it does to the message: it is the message that is filed, refused or
given another header field. A loop of its own goes through what is below that part, as one inside the loop would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from sievemda.mail.message import Message
from sievemda.sieve.extensions.variables import Settable, name_fault
from sievemda.sieve.library import GLOBAL, label
from sievemda.sieve.library import name_fault as script_name_fault
from sievemda.sieve.node import Command, Context, Fault, Inclusion, Option, node
from sievemda.sieve.problems import RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Run, Stop
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension

_LOOK = 50_000  # characters that are charged for looking for a script, which reads a file


@dataclass(slots=True)
class _Included:
    """What one run has included: all of it, and what it is inside of."""

    ever: set[tuple[str, str]] = field(default_factory=set)
    now: list[tuple[str, str]] = field(default_factory=list)
    found: dict[tuple[str, str], Program | None] = field(default_factory=dict)  # each is looked for once in a run


class Return(Stop):
    """The script under way ended itself; in the first one that is a stop. §3.3."""


@node
class Personal(Option):
    """:personal, the default of LOCATION."""

    keyword = "personal"
    extends = ("include",)
    group = "location"


@node
class Global(Option):
    """:global"""

    keyword = "global"
    extends = ("include",)
    group = "location"


@node
class Include(Command):
    """include [LOCATION] [":once"] [":optional"] <value: string>, §3.2."""

    keyword = "include"
    once: bool = False
    optional: bool = False
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if not self.value.constant:
            yield self.value, "the name of a script to include must be a constant string"
        elif fault := script_name_fault(self.value.source):
            yield self.value, fault
        elif not context.limits.includes or not context.limits.include_depth:
            yield "local policy prohibits the use of the include command"

    def inclusion(self) -> Inclusion:
        location = "global" if any(isinstance(option, Global) for option in self.options) else "personal"
        return Inclusion(location, self.value.source, self.once, self.optional, self.line, self.column)

    def execute(self, run: Run) -> None:
        wanted = self.inclusion()
        key = wanted.location, wanted.name
        included: _Included = run.kept.setdefault(_Included, _Included())
        first = run.origin.included_as
        if wanted.once and (key in included.ever or key == first):
            return
        if key in included.now or key == first:
            raise RunError(f"circular include: {wanted.name!r} is being included already", self.line)
        program = self._found(run, wanted, included)
        if program is None:
            return
        self._refuse_excess(run, included, key)
        included.ever.add(key)
        included.now.append(key)
        try:
            run.include(program, label(*key), _part(run))
        except Return:
            pass
        finally:
            included.now.pop()

    def _found(self, run: Run, wanted: Inclusion, included: _Included) -> Program | None:
        """The script; an error when there is none, unless it may be missing. §3.1."""
        key = wanted.location, wanted.name
        try:
            if key not in included.found:
                run.spend_matching(_LOOK)
                included.found[key] = run.facts.included(*key)
            program = included.found[key]
        except ScriptError as e:
            first = next(problem for problem in e.problems if problem.severity == "error")
            text = f"the included {wanted.location} script {wanted.name!r} is not valid"
            raise RunError(f"{text}: line {first.line}: {first.text}", self.line) from e
        if program is None and not wanted.optional:
            raise RunError(f"the {wanted.location} script {wanted.name!r} to include does not exist", self.line)
        return program

    def _refuse_excess(self, run: Run, included: _Included, key: tuple[str, str]) -> None:
        limits = run.limits
        if len(included.now) >= limits.include_depth:
            raise RunError(f"includes are nested too deeply: the limit is {limits.include_depth}", self.line)
        if key not in included.ever and len(included.ever) >= limits.includes:
            raise RunError(f"too many included scripts: the limit is {limits.includes}", self.line)


def _part(run: Run) -> Message | None:
    """What a loop over the parts is at: to the tests of an included script that is the whole message. §3.5."""
    if not run.loops or not run.loops[-1].path:
        return None
    from sievemda.sieve.loops import current  # noqa: PLC0415 - only scripts with loops pay for reading parts

    part = current(run)
    run.spend_matching(part.end - part.start)
    return Message(part.data[part.start : part.end])


@node
class ReturnCommand(Command):
    """return, §3.3."""

    keyword = "return"
    ends = True

    def execute(self, run: Run) -> NoReturn:
        raise Return


@node
class GlobalCommand(Command):
    """global <value: string-list>, §3.4.1: says so when the script is compiled."""

    keyword = "global"
    value: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if "variables" not in context.vocabulary.capabilities:
            yield f'the {self.keyword} command needs variables: add require ["variables"]'
            return
        for name in self.value:
            known = set(context.declared)
            if fault := "a name with a namespace cannot be declared" if "." in name.source else "":
                yield name, f"invalid variable name '{name.source[:80]}': {fault}"
            elif fault := name_fault(name, context):
                yield name, fault
            elif (lowered := name.source.lower()) in known and GLOBAL + lowered not in known:
                yield name, f"variable '{lowered}' is declared global after the script has set it as its own"
            else:
                context.declared.add(GLOBAL + lowered)


@node
class Import(GlobalCommand):
    """import: what `global` was called in early drafts, for a variable that another script sets."""

    keyword = "import"


@node
class Export(GlobalCommand):
    """export: what `global` was called in early drafts, for a variable that this script sets."""

    keyword = "export"


@dataclass(frozen=True, slots=True)
class GlobalVariable(Settable):
    """${global.name}, §3.4.2: the same variable as the one that `global` declares."""

    name: str

    def value(self, run: Run) -> str:
        return run.globals.get(self.name, "")

    def assign(self, run: Run, value: str) -> None:
        run.assign_global(self.name, value)


def global_variable(name: str) -> GlobalVariable:
    """Raises `ValueError` for what is no identifier."""
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"the namespace 'global' can have no variable '{name[:80]}'")
    return GlobalVariable(name)


EXTENSIONS = (
    Extension(
        "include",
        "RFC 6609",
        commands=(Include, ReturnCommand, GlobalCommand, Import, Export),
        options=(Personal, Global),
        namespaces={"global": global_variable},
    ),
)
