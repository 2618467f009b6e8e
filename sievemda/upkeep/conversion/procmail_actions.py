"""What a recipe does with a message that it takes. procmailrc(5), "Recipe action line"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sievemda.upkeep.conversion.filing import filed
from sievemda.upkeep.conversion.procmail_settings import Settings
from sievemda.upkeep.conversion.procmail_source import Recipe
from sievemda.upkeep.conversion.programs import Reader, Workshop, as_copies, program_work, redirects
from sievemda.upkeep.conversion.replies import answer, is_answer
from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.script import DISCARD, KEEP, STOP, Check, Command
from sievemda.upkeep.conversion.site import Site
from sievemda.upkeep.conversion.words import words

_CAPTURE = re.compile(r"([A-Za-z_]\w*)\s*=\s*\|")


@dataclass(frozen=True, slots=True)
class Action:
    """`delivers`: the message (or copy) is gone with it; `only_if`: it happens under this condition alone; `why`: it
    has no counterpart.
    """

    commands: list[Command]
    delivers: bool
    only_if: Check | None = None
    why: str = ""


class Actions:
    def __init__(self, settings: Settings, site: Site, read: Reader) -> None:
        self._settings = settings
        self._site = site
        self._read = read

    def action(self, recipe: Recipe, remarks: Remarks, *, copy: bool) -> Action:
        """`copy`: it works on a copy, so that the rest must go on. Raises `Impossible`."""
        text = recipe.action
        delivers = "c" not in recipe.flags and "f" not in recipe.flags
        as_copy = copy or not delivers
        if captured := _CAPTURE.match(text):
            self._settings.variables.forget(captured[1])
            return Action([], delivers=False, why="what a program prints cannot be kept in a variable")
        self._warn_of_halves(recipe, remarks)
        if text.startswith("|"):
            return self._piped(recipe, text[1:], remarks, as_copy=as_copy, delivers=delivers)
        if "f" in recipe.flags:
            raise Impossible("only a program can filter")
        if text.startswith("!"):
            commands = self._forwarded(text[1:], remarks, copy=as_copy)
        else:
            commands = self._filed(text, remarks, copy=as_copy)
        return Action([*commands, *([] if as_copy else [STOP])], delivers=delivers)

    def _warn_of_halves(self, recipe: Recipe, remarks: Remarks) -> None:
        halves = recipe.flags & {"h", "b"}
        if len(halves) == 1 and "f" not in recipe.flags and not recipe.action.startswith("|"):
            remarks.approximate(f"the whole message, not the {'header' if 'h' in halves else 'body'} alone")

    def _forwarded(self, text: str, remarks: Remarks, *, copy: bool) -> list[Command]:
        found = self._settings.words(text)
        addresses = [one for one in found if not one.startswith("-")]
        if len(addresses) < len(found):
            remarks.approximate("options of sendmail are left out")
        return redirects(addresses, self._site, copy=copy)

    def _filed(self, text: str, remarks: Remarks, *, copy: bool) -> list[Command]:
        paths = self._settings.words(text)
        if not paths:
            raise Impossible("it names no mailbox")
        if len(paths) > 1 and not paths[0].endswith(("/", "/.")):
            remarks.approximate("procmail takes the first mailbox alone")
            paths = paths[:1]
        commands: list[Command] = []
        for path in paths:
            commands += self._folder(path, remarks, copy=copy)
        return commands

    def _folder(self, path: str, remarks: Remarks, *, copy: bool) -> list[Command]:
        if path.startswith("\x03"):  # the name of a folder, not a path
            path = f"{self._settings.variables.known.get('MAILDIR', '~')}/{path[1:]}"
        place = self._settings.destination(path, remarks)
        if place.kind == "nowhere" and not copy:
            return self._settings.thrown_away()
        return filed(place, path, self._site.available, copy=copy)

    def _piped(self, recipe: Recipe, text: str, remarks: Remarks, *, as_copy: bool, delivers: bool) -> Action:
        filters = "f" in recipe.flags
        shop = Workshop(self._site, lambda path: self._folder(path, remarks, copy=as_copy), self._read, remarks)
        if is_answer(text) and not filters:
            lookup = self._settings.variables.get
            commands = [answer(text, lookup, self._read, remarks, remembers=recipe.remembers)]
            return self._answered(commands, remarks, delivers=delivers, as_copy=as_copy)
        line = words(text.replace("\\\n", " "), self._settings.variables.get)
        if not line:
            raise Impossible("it prints the message for whoever called procmail")
        work = program_work(line, shop, filters=filters)
        if work.is_duplicate is not None:
            return Action([DISCARD, STOP] if not as_copy else [], delivers=delivers, only_if=work.is_duplicate)
        commands = work.commands
        if not delivers or filters:
            return Action(as_copies(commands), delivers=False)
        if work.answers:
            return self._answered(commands, remarks, delivers=True, as_copy=as_copy)
        if as_copy:
            return Action(as_copies(commands), delivers=True)
        return Action([*commands, STOP], delivers=True)

    def _answered(self, commands: list[Command], remarks: Remarks, *, delivers: bool, as_copy: bool) -> Action:
        """Only answered: the message itself must not vanish with that."""
        if not delivers:
            return Action(commands, delivers=False)
        remarks.approximate("a message that was only answered stays in the INBOX as well")
        return Action([*commands, KEEP, *([] if as_copy else [STOP])], delivers=True)
