"""A procmailrc into Sieve. procmailrc(5).

A recipe that delivers becomes a test with an action and `stop`; one with the flag `c` a copy. What procmail would have
given to a program that has no counterpart is kept in the INBOX, since it must neither vanish nor fall into the next
recipe, which might throw it away. What depends on a condition that cannot be asked is left out, with the recipes that
hang on it by the flags A, a and E; everything behind stays reachable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sievemda.upkeep.conversion.procmail_actions import Action, Actions
from sievemda.upkeep.conversion.procmail_conditions import conditions
from sievemda.upkeep.conversion.procmail_settings import SPECIAL, Ending, Settings, decided_names
from sievemda.upkeep.conversion.procmail_source import Assignment, Item, Odd, Recipe, read_procmail
from sievemda.upkeep.conversion.programs import Reader
from sievemda.upkeep.conversion.replies import paired
from sievemda.upkeep.conversion.report import Converted, Finding, Impossible, Place, Remarks, Verdict
from sievemda.upkeep.conversion.script import (
    FALSE,
    KEEP,
    STOP,
    TRUE,
    Command,
    If,
    Remark,
    Test,
    all_of,
    any_of,
    command_lines,
    negated,
    test_text,
    when,
)
from sievemda.upkeep.conversion.site import Site
from sievemda.upkeep.conversion.variables import Variables
from sievemda.upkeep.conversion.whole import finished

_MOST_RECIPES = 3_000
_INCLUDED = 10  # files in files


@dataclass(slots=True)
class _Chain:
    """What E, A and a hang on; None: nobody can know. `line` is where. At the top nothing has gone before."""

    executed: Test | None = FALSE
    matched: Test | None = FALSE
    line: int = 0


@dataclass(slots=True)
class _Told:
    findings: list[Finding] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


def convert_procmail(text: str, file: str, site: Site, read: Reader = lambda _: None) -> Converted:
    """The script and the report."""
    items = read_procmail(text, file)
    settings = Settings(Variables(decided=decided_names(items)), site)
    flow = _Flow(settings, site, read, match_is_used="MATCH" in text)
    commands = flow.run(items)
    commands += flow.default(file)
    return finished(commands, flow.told.findings, flow.told.missing, f"procmail's {file}", site)


class _Flow:
    def __init__(self, settings: Settings, site: Site, read: Reader, *, match_is_used: bool) -> None:
        self.told = _Told()
        self._settings = settings
        self._actions = Actions(settings, site, read)
        self._read: Callable[[str], str | None] = read
        self._match_is_used = match_is_used
        self._recipes = 0
        self._files: list[str] = []
        self._ended = False

    def run(self, items: list[Item], *, copy: bool = False, chain: _Chain | None = None) -> list[Command]:
        """Commands for a list of items; `copy`: in a block that works on a copy, where nothing may stop the rest."""
        out: list[Command] = []
        chain = chain or _Chain()
        items = paired(items)
        for at, item in enumerate(items):
            match item:
                case Odd():
                    self._tell(out, item.place, item.source, Verdict.IMPOSSIBLE, item.why)
                case Assignment():
                    ending = self._assign(item, out)
                    if ending:
                        self._skipped(out, items[at + 1 :])
                        return out
                case Recipe():
                    rest = self._recipe(item, chain, out, copy=copy)
                    if rest is not None:  # of a copy that has been delivered nothing goes on
                        rest += self.run(items[at + 1 :], copy=True, chain=chain)
                        return out
        return out

    # -- assignments ---------------------------------------------------------------------------------------------------

    def _assign(self, item: Assignment, out: list[Command]) -> bool:
        """Whether nothing behind it is read."""
        remarks = Remarks()
        try:
            done = self._settings.assign(item, remarks)
        except Impossible as e:
            self._settings.variables.forget(item.name)
            self._tell(out, item.place, item.source, Verdict.IMPOSSIBLE, str(e))
            return False
        if isinstance(done, str):
            return self._include(item, done, out)
        if isinstance(done, Ending):
            self._tell(out, item.place, item.source, remarks.verdict, remarks.why, done.commands)
            out += done.commands
            return True
        shown = item.name in SPECIAL and not done and not remarks.told
        self._tell(out, item.place, item.source, remarks.verdict, remarks.why, done, quiet=shown)
        out += done
        return False

    def _include(self, item: Assignment, path: str, out: list[Command]) -> bool:
        text = self._read(path) if path else None
        ends = item.name == "SWITCHRC" and (text is not None or not path)
        if text is None:
            why = f"{path} was not there to be read beside this file" if path else ""
            self._tell(out, item.place, item.source, Verdict.IMPOSSIBLE if path else Verdict.EXACT, why)
        elif len(self._files) >= _INCLUDED or path in self._files:
            self._tell(out, item.place, item.source, Verdict.IMPOSSIBLE, f"{path} includes itself, or too many others")
            return False
        else:
            self._tell(out, item.place, item.source, Verdict.EXACT, f"the rules of {path} follow")
            self._files.append(path)
            out += self.run(read_procmail(text, path))
            self._files.pop()
        return ends

    # -- recipes -------------------------------------------------------------------------------------------------------

    def _recipe(self, recipe: Recipe, chain: _Chain, out: list[Command], *, copy: bool) -> list[Command] | None:
        """In a copy: where what follows a delivery goes; None when it simply follows."""
        self._recipes += 1
        remarks = Remarks()
        try:
            if self._recipes > _MOST_RECIPES:
                raise Impossible(f"more than {_MOST_RECIPES} recipes")
            own = conditions(recipe, self._settings.variables, remarks, match_is_used=self._match_is_used)
            hangs_on = _hangs_on(recipe, chain)
        except Impossible as e:
            _remember(recipe, chain, None, None)
            self._tell(out, recipe.place, recipe.source, Verdict.IMPOSSIBLE, str(e))
            return None
        executed = all_of([*hangs_on, own.test])
        if "e" in recipe.flags:
            why = "it is for failures of the recipe before; a delivery that fails here is tried again later"
            self._tell(out, recipe.place, recipe.source, Verdict.APPROXIMATE, why)
            return None
        rest: list[Command] | None = None
        before, bare = (chain.executed, len(out)), _is_else(recipe)
        _remember(recipe, chain, executed, own.test)
        if recipe.block is not None:
            body = self._block(recipe, executed, list(own.sets), remarks, out, copy=copy)
        else:
            action = self._action(recipe, remarks, copy=copy)
            body = [*own.sets, *action.commands]
            rest = [] if copy and action.delivers else None
            if action.only_if is not None:
                executed = all_of([executed, action.only_if])
                chain.executed = chain.matched = executed
            self._tell_recipe(out, recipe, executed, body, action, remarks)
        self._place(out, executed, own.test, body, before[0] if bare else None, rest, before[1])
        return rest

    def _place(
        self,
        out: list[Command],
        executed: Test,
        own: Test,
        body: list[Command],
        instead_of: Test | None,
        rest: list[Command] | None,
        end: int,
    ) -> None:
        """Where the commands go: `elsif` of the recipe before when it hangs on that alone, else at the end."""
        last = next((one for one in reversed(out[:end]) if not isinstance(one, Remark)), None)
        if executed == FALSE or (not body and rest is None):
            return
        if instead_of is not None and rest is None and isinstance(last, If) and _chained(last) == instead_of:
            remarks = [one for one in out[end:] if isinstance(one, Remark)]
            del out[end:]
            tail = last
            while tail.otherwise:
                tail = next(one for one in tail.otherwise if isinstance(one, If))
            tail.otherwise += [*remarks, If(own, body)]
        elif rest is not None and executed != TRUE:
            out.append(If(executed, body, rest))
        else:
            out += when(executed, body)

    def _block(
        self,
        recipe: Recipe,
        executed: Test,
        sets: list[Command],
        remarks: Remarks,
        out: list[Command],
        *,
        copy: bool,
    ) -> list[Command]:
        assert recipe.block is not None
        inner_copy = copy or "c" in recipe.flags
        if inner_copy and any(_delivers(one) for one in recipe.block if isinstance(one, Recipe) and one.block):
            why = "in a copy of the message a block in a block delivers"
            self._tell(out, recipe.place, recipe.source, Verdict.IMPOSSIBLE, why)
            return []
        if inner_copy and not copy:
            remarks.approximate("a copy that the block does not deliver goes nowhere else a second time")
        self._tell(
            out,
            recipe.place,
            _head(recipe),
            remarks.verdict,
            remarks.why,
            instead=f"if {test_text(executed)} {{ ... }}",
        )
        with self._settings.inside(conditional=executed != TRUE):
            # The first recipe of a block hangs on that of the block.
            return [*sets, *self.run(recipe.block, copy=inner_copy, chain=_Chain(TRUE, TRUE))]

    def _action(self, recipe: Recipe, remarks: Remarks, *, copy: bool) -> Action:
        try:
            return self._actions.action(recipe, remarks, copy=copy)
        except Impossible as e:
            self.told.missing |= remarks.missing
            stays = "c" not in recipe.flags and "f" not in recipe.flags and not copy
            return Action([KEEP, STOP] if stays else [], delivers=False, why=str(e))

    def _tell_recipe(
        self, out: list[Command], recipe: Recipe, executed: Test, body: list[Command], action: Action, remarks: Remarks
    ) -> None:
        verdict, why = remarks.verdict, remarks.why
        if action.why:
            stays = "; such a message stays in the INBOX" if action.commands else "; it is left out"
            verdict, why = Verdict.IMPOSSIBLE, action.why + stays
        self._tell(out, recipe.place, recipe.source, verdict, why, when(executed, body))

    def _tell(
        self,
        out: list[Command],
        place: Place,
        source: str,
        verdict: Verdict,
        why: str,
        commands: list[Command] | None = None,
        *,
        instead: str = "",
        quiet: bool = False,
    ) -> None:
        finding = Finding(place, source, verdict, why, instead or "\n".join(command_lines(commands or [])))
        self.told.findings.append(finding)
        if not quiet:
            out.append(Remark(finding.comment()))

    def _skipped(self, out: list[Command], items: list[Item]) -> None:
        recipes = [one for one in items if isinstance(one, Recipe)]
        if recipes:
            why = "procmail never comes here: it stops reading above"
            self._tell(out, recipes[0].place, recipes[0].source, Verdict.EXACT, why)

    def default(self, file: str) -> list[Command]:
        """Where mail goes that no recipe took."""
        return self._settings.default(Place(file, 1))


def _head(recipe: Recipe) -> str:
    first = [line for line in recipe.source.split("\n") if line.strip()]
    return "\n".join(first[: len(recipe.conditions) + 1])


def _is_else(recipe: Recipe) -> bool:
    return "E" in recipe.flags and not recipe.flags & {"A", "a"}


def _chained(command: If) -> Test:
    """What holds when any of an if, elsif ... was taken."""
    tests, one = [command.test], command
    while one.otherwise:
        follow = [part for part in one.otherwise if isinstance(part, If)]
        if len(follow) != 1:
            return FALSE
        one = follow[0]
        tests.append(one.test)
    return any_of(tests)


def _hangs_on(recipe: Recipe, chain: _Chain) -> list[Test]:
    why = f"it depends on the recipe at line {chain.line}, which could not be said"
    found: list[Test] = []
    if recipe.flags & {"A", "a"}:
        if chain.matched is None:
            raise Impossible(why)
        found.append(chain.matched)
    if "E" in recipe.flags:
        if chain.executed is None:
            raise Impossible(why)
        found.append(negated(chain.executed))
    return found


def _remember(recipe: Recipe, chain: _Chain, executed: Test | None, own: Test | None) -> None:
    """An `E` that was taken keeps the next one from it, and so does what kept it from this one."""
    before, chain.line = chain.executed, recipe.place.line
    chain.executed = executed
    if "E" in recipe.flags and before is not None and executed is not None and own is not None:
        chain.executed = any_of([before, own if _is_else(recipe) else executed])
    if not recipe.flags & {"A", "a"}:
        chain.matched = executed


def _delivers(recipe: Recipe) -> bool:
    inside = [one for one in recipe.block or [] if isinstance(one, Recipe)]
    return any(_delivers(one) if one.block is not None else not one.flags & {"c", "f"} for one in inside)
