"""One run of a program: pure, bounded, and able to say what it tried.

`Run` is what a node may use: the message, the envelope, the facts, the values of strings, and the list of actions. It
asks the world nothing but `facts`, and changes nothing but itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from sievemda.mail.envelope import Envelope
from sievemda.mail.flags import canonical
from sievemda.mail.message import Message
from sievemda.sieve.actions import Actions
from sievemda.sieve.effects import Effect, Note, Pipe, Redirect, Remember, Store
from sievemda.sieve.facts import Facts
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command, Test
from sievemda.sieve.problems import Problem, RunError
from sievemda.sieve.program import Program
from sievemda.sieve.skipping import Look, Plan, Skipped, due, plan_of_block, plan_of_branches
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.trail import Compared as Compared
from sievemda.sieve.trail import Part, trail
from sievemda.sieve.trail import Tried as Tried

if TYPE_CHECKING:
    from sievemda.sieve.loops import Loop


Branch = tuple[Test | None, tuple[Command, ...], tuple[int, int]]  # of an `if`: an else has no test; line and column


class Entered(NamedTuple):
    """A rule that was entered: the branch of an `if` whose test held, by where its word stands."""

    line: int
    column: int
    script: str = ""  # when it is not the user's own


_make = tuple.__new__  # half the time of calling the named tuple, twice for each test of a script


_KEEP = Store(implicit=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a script decided.

    After a run-time error `failure` is set, `effects` are those decided before it, and none of them is to be carried
    out but an implicit keep of the original message: RFC 5228 §2.10.6. `notes` are what the script wrote to its log;
    `edits` say in words how it changed the message.

    Of several scripts in a row, `settled` are the actions of those that came to their end before one failed: they are
    carried out. `broken` says that a script could not even be started. `fallback` is the implicit keep that is due
    when what cancelled it cannot be done.
    """

    effects: tuple[Effect, ...]
    implicit_keep: bool
    failure: Problem | None
    tests: Sequence[Tried]
    remember: tuple[Remember, ...] = ()
    notes: tuple[Note, ...] = ()
    edits: tuple[Note, ...] = ()
    settled: tuple[Effect, ...] = ()
    broken: bool = False
    fallback: Store = _KEEP
    entered: tuple[Entered, ...] = ()  # each rule once, in the order in which they were first entered

    @property
    def carried_out(self) -> tuple[Effect, ...]:
        """What is to be done: the effects, or after an error the implicit keep and nothing else of that script."""
        return self.effects if self.failure is None else (*self.settled, Store(implicit=True))


class Stop(Exception):
    """The script ended itself: RFC 5228 §3.3."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which script it is: what it is called when it is not the user's own, and what another one may include it as."""

    label: str = ""
    included_as: tuple[str, str] | None = None  # location and name, RFC 6609 §3.2


@dataclass(frozen=True, slots=True)
class Carried:
    """What one script of several leaves to the next."""

    message: Message
    flags: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    keep_target: Store | None = None
    unenclosed: Message | None = None
    protected: frozenset[str] = frozenset()


USER = Origin()


class Run:
    """One run of one script; `carried` is what scripts before it have left to it."""

    def __init__(
        self,
        program: Program,
        message: Message,
        envelope: Envelope,
        facts: Facts,
        limits: Limits,
        *,
        origin: Origin = USER,
        carried: Carried | None = None,
    ) -> None:
        carried = carried or Carried(message)
        self.message = carried.message  # as it is now, with all edits
        self.original = message
        self.unenclosed = carried.unenclosed  # what redirect sends, when the message was put inside another one
        self.protected = carried.protected  # fields, in lower case, that no script may change any more
        self.loops: list[Loop] = []  # over the parts of the message, outermost first
        self.envelope = envelope
        self.facts = facts
        self.limits = limits
        self.program = program  # of the script under way, which may be an included one
        self.origin = origin
        self.script = origin.label
        self.vocabulary = program.vocabulary
        self.captures_wanted = program.vocabulary.captures
        self.captures: tuple[str, ...] = ()  # match variables, RFC 5229 §3.2
        self.variables: dict[str, str] = {}  # of the script under way
        self.globals: dict[str, str] = {}  # of all scripts, RFC 6609 §3.4
        self.flags = carried.flags  # the internal variable of RFC 5232 §3, spelled as they came
        self.keep_target = carried.keep_target  # where the implicit keep goes, when a script has said so
        self.line = 0  # of the command under way
        delimiters = limits.recipient_delimiter
        detail = any(mark in envelope.recipient.address.local for mark in delimiters)
        self.actions = Actions(limits, keep_is_inbox=not detail, earlier=carried.effects)
        self.trace: list[Part] = []
        self.looks: dict[Plan, Look] = {}  # what look-ups have come to; they are worked out anew for another message
        self.looked = 0  # characters that were looked at for that
        self.entered: dict[Entered, None] = {}  # as long at most as there are branches in the scripts
        self.remember: list[Remember] = []
        self.notes: list[Note] = []
        self.edits: list[Note] = []
        self.kept: dict[object, Any] = {}  # what an extension keeps for the time of this run, by a key of its own
        self._shown: Message | None = None
        self._compared: tuple[Compared, ...] = ()
        self._few = limits.lookup or sys.maxsize
        self._room = limits.trace  # for so many tests more there is room in the trace
        self._steps = limits.instructions
        self._matching = limits.matching + limits.looks * message.stored_size

    def follow(self) -> Problem | None:
        """Run the script to its end; the run-time error that ended it, if one did."""
        try:
            self.block(self.program.commands)
        except Stop:
            pass
        except RunError as error:
            return Problem(error.line or self.line, 1, error.text, script=error.script or self.script)
        return None

    @property
    def shown(self) -> Message:
        """What tests look at: the message, or in a script that a loop includes the part that the loop is at."""
        return self.message if self._shown is None else self._shown

    def include(self, program: Program, label: str, shown: Message | None = None) -> None:
        """Run another script at this place; to its tests `shown` is the message. RFC 6609 §3.5.

        It has its own words, variables and match variables (§3.4); message, flags and actions are one.
        """
        outer = self.program, self.vocabulary, self.captures_wanted, self.captures, self.variables, self.script
        line, self._shown, outer_shown = self.line, shown, self._shown
        self.program, self.vocabulary, self.script = program, program.vocabulary, label
        self.captures_wanted, self.captures, self.variables = program.vocabulary.captures, (), {}
        try:
            self.block(program.commands)
        except RunError as error:
            error.line, error.script = error.line or self.line, error.script or label
            raise
        finally:
            self.program, self.vocabulary, self.captures_wanted, self.captures, self.variables, self.script = outer
            self.line, self._shown = line, outer_shown

    # -- for nodes ---------------------------------------------------------------------------------------------

    def text(self, text: Text) -> str:
        """The value of a string now. RFC 5229 §3."""
        return self._expanded(text) if text.parts else text.source

    def texts(self, texts: Texts) -> Sequence[str]:
        if texts.constant is not None:
            return texts.constant
        return tuple([self.text(item) for item in texts.items])

    def variable(self, name: str) -> str:
        """The value of a variable by its name in lower case; an unknown one is empty. RFC 5229 §3."""
        return (self.globals if name in self.program.shared else self.variables).get(name, "")

    def assign(self, name: str, value: str) -> None:
        """Set a variable by its name in lower case: for all scripts when this one says `global` of it."""
        if name in self.program.shared:
            self.assign_global(name, value)
        else:
            self.variables[name] = value

    def assign_global(self, name: str, value: str) -> None:
        most = self.limits.variables
        if len(self.globals) >= most and name not in self.globals:
            raise RunError(f"too many global variables: the limit is {most}", self.line)
        self.globals[name] = value

    def _expanded(self, text: Text) -> str:
        value = text.expand(self)
        if len(value) > self.limits.text_size:
            raise RunError(f"string too long after expansion: {len(value)} > {self.limits.text_size}", text.line)
        self.spend_matching(len(value))
        return value

    def test(self, test: Test) -> bool:
        """Try a test and note it."""
        self._steps -= 1
        if self._steps < 0:
            self.line = test.line
            self._exhausted()
        outer, self._compared = self._compared, ()
        result = test.holds(self)
        if self._room > 0:
            self._room -= 1
            self.trace.append(_make(Tried, (test.line, test.keyword, result, self._compared, self.script)))
        self._compared = outer
        return result

    def saw(self, values: Sequence[str], keys: Sequence[str]) -> None:
        """Note for the trace what the test under way compares."""
        self._compared = (*self._compared, _make(Compared, (values, keys)))

    def counted(self, number: int) -> None:
        """Told how many there are, where a test compares that; a run that is explained wants to know."""

    def enter(self, place: tuple[int, int]) -> None:
        """Note that the branch at this line and column is taken."""
        self.entered[Entered(*place, self.script)] = None

    def block(self, commands: tuple[Command, ...]) -> None:
        for command in commands if len(commands) < self._few else self._due(commands):
            self._steps -= 1
            if self._steps < 0:
                self._exhausted()
            self.line = command.line
            command.execute(self)

    def branches(self, branches: tuple[Branch, ...]) -> Iterable[Branch]:
        """Those of an `if` that are to be tried: all of them, or what a look-up leaves. See `skipping`."""
        if len(branches) < self._few:
            return branches
        few = self.limits.lookup
        plan = self.program.plan(branches, lambda: plan_of_branches([test for test, _, _ in branches], few))
        return branches if plan is None else (branches[at] for at in due(self, plan))

    def _due(self, commands: tuple[Command, ...]) -> Iterable[Command]:
        plan = self.program.plan(commands, lambda: plan_of_block(commands, self.limits.lookup))
        return commands if plan is None else (commands[at] for at in due(self, plan))

    def skip(self, look: Look, first: int, last: int) -> bool:
        """Leave what trying a range in vain would leave; not when the budget does not last for that."""
        steps, matching = look.plan.steps(first, last), look.charge(first, last)
        if steps > self._steps or matching > self._matching:
            return False
        self._steps -= steps
        self._matching -= matching
        self.line = look.plan.lines[last - 1] or self.line
        if self._room > 0:
            self._room = max(0, self._room - look.plan.tests(first, last))
            self.trace.append(Skipped(look, first, last, self.script))
        return True

    def add(self, effect: Effect) -> None:
        """Put an action on the list; what it does, it does to the message as it is now."""
        if isinstance(effect, Store | Redirect | Pipe) and effect.message is None:
            enclosed = self.unenclosed is not None and isinstance(effect, Redirect)
            message = self.unenclosed if enclosed else self.message
            effect = effect if message is self.original else replace(effect, message=message)
        if isinstance(effect, Store) and effect.flags:
            effect = replace(effect, flags=canonical(effect.flags))
        if self.script:
            effect = replace(effect, script=self.script)
        self.actions.add(effect)

    def edit(self, message: Message, what: str) -> None:
        """Go on with a changed message; `what` says in words how it was changed."""
        self.message = message
        self._note(self.edits, what)

    def note(self, text: str) -> None:
        """Write a line to the log of the script."""
        self._note(self.notes, text)

    def complain(self, text: str) -> None:
        """Write to the log of the script that it is wrong; it goes on all the same."""
        self._note(self.notes, text, error=True)

    def _note(self, notes: list[Note], text: str, *, error: bool = False) -> None:
        if len(notes) < self.limits.notes:
            notes.append(Note(self.line, text[: self.limits.note_size], self.script, error))

    # -- the budget --------------------------------------------------------------------------------------------

    def spend(self) -> None:
        """Charge one instruction; commands and tests are charged by themselves."""
        self._steps -= 1
        if self._steps < 0:
            self._exhausted()

    def _exhausted(self) -> NoReturn:
        raise RunError(f"too many instructions: the limit is {self.limits.instructions}", self.line)

    def spend_matching(self, amount: int) -> None:
        """Charge characters that are looked at."""
        self._matching -= amount
        if self._matching < 0:
            most = self.limits.matching + self.limits.looks * self.original.stored_size
            raise RunError(f"too much text to compare: the limit is {most} characters", self.line)


def run(
    program: Program,
    message: Message,
    envelope: Envelope,
    facts: Facts,
    limits: Limits,
    origin: Origin = USER,
    flags: tuple[str, ...] = (),
) -> Outcome:
    """Run a script on a message that has these flags. Total: a run-time error is part of the outcome."""
    carried = Carried(message, flags)
    state = Run(program, message, envelope, facts, limits, origin=origin, carried=carried)
    failure = state.follow()
    actions = state.actions
    effects = tuple(actions.effects)
    keep = implicit_keep(state)
    if failure is None and actions.implicit_keep:
        effects += (keep,)
    return Outcome(
        effects,
        failure is not None or actions.implicit_keep,
        failure,
        trail(state.trace, limits.trace),
        tuple(state.remember) if failure is None else (),
        tuple(state.notes),
        tuple(state.edits),
        fallback=keep,
        entered=tuple(state.entered),
    )


def implicit_keep(state: Run) -> Store:
    """The keep that is due at the end: of the message as it is now, with the flags as they are. RFC 5228 §2.10.2."""
    edited = None if state.message is state.original else state.message
    if edited is None and state.keep_target is None and not state.flags:
        return _KEEP
    return replace(state.keep_target or Store(implicit=True), flags=canonical(state.flags), message=edited)
