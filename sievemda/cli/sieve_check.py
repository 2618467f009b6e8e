"""`sievemda sieve check`: everything that is wrong with scripts, for people, for programs, and for review tools."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.sieve_input import UNREADABLE, WRONG, Unreadable, language, read
from sievemda.cli.terminal import Screen, color_option, say, screen

if TYPE_CHECKING:
    from sievemda.cli.sieve_cost import Priced, Pricing
    from sievemda.sieve.lint import Known
    from sievemda.sieve.problems import Problem


@click.command(epilog="Example: sievemda sieve check --mailbox Lists --own alice@example.org ~/sieve/*.sieve")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--include", "include", metavar="DIR", multiple=True, help="Warn of included scripts that are not there.")
@click.option("--mailbox", "mailboxes", metavar="NAME", multiple=True, help="A mailbox that exists; warn of others.")
@click.option("--own", metavar="A", multiple=True, help="An address of the owner; warn of a redirect to it.")
@click.option("--user", metavar="USER", help="Whose scripts they are: his mailboxes and addresses, from the store.")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings too.")
@click.option("--brief", is_flag=True, help="One line a problem, without the line it is in and without hints.")
@click.option("--cost", "with_cost", is_flag=True, help="What each rule costs, and its share of what a run may spend.")
@click.option("--message", metavar="FILE", help="The costs for this message, in place of the worst case for each KiB.")
@click.option("--set", "local_sets", metavar="KEY=VALUE", multiple=True, help="A setting; repeatable.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", help="Default: text.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--sarif", "as_sarif", is_flag=True, help="The same as --format sarif.")
@color_option
def check(
    files: tuple[str, ...],
    include: tuple[str, ...],
    mailboxes: tuple[str, ...],
    own: tuple[str, ...],
    user: str | None,
    strict: bool,
    brief: bool,
    with_cost: bool,
    message: str | None,
    local_sets: tuple[str, ...],
    form: str,
    as_json: bool,
    as_sarif: bool,
    color: str,
) -> int:
    """Say everything that is wrong with each FILE (`-` is standard input).

    Problems are printed as FILE:LINE:COLUMN: error|warning: TEXT, each with its line, a caret and a hint below it.
    Exit code 0: all are valid, 1: one is not, 2: one cannot be read.
    """
    from sievemda.cli.sieve_cost import Pricing
    from sievemda.cli.sieve_world import Shelf
    from sievemda.sieve.check import check_script

    limits, available = language(local_sets)
    shelf = Shelf(tuple(map(Path, include))) if include else None
    pricing = Pricing(limits, available, message) if with_cost or message else None
    known = _known(mailboxes, own, user, local_sets)
    form = "json" if as_json else "sarif" if as_sarif else form
    checked = Checked(screen(color), brief=brief, silent=form != "text", strict=strict)
    for file in files:
        try:
            text = read(file)
            problems = check_script(text, limits, available, shelf, known)
            checked.add(file, text, problems, pricing)
        except Unreadable as e:
            e.show()
            checked.unreadable.append(e.format_message())
    checked.finish(form)
    return checked.code


@dataclass(slots=True)
class Checked:
    """What was found in all files, and what is printed of it."""

    where: Screen
    brief: bool = False
    silent: bool = False
    strict: bool = False
    unreadable: list[str] = field(default_factory=list)
    found: list[tuple[str, tuple[Problem, ...], Priced | None]] = field(default_factory=list)

    def add(self, file: str, text: bytes, problems: tuple[Problem, ...], pricing: Pricing | None) -> None:
        costs = pricing.of(file, text) if pricing and _valid(problems) else None
        self.found.append((file, problems, costs))
        if self.silent:
            return
        from sievemda.cli.sieve_caret import explained, headline

        lines = explained(file, text, problems, self.where)
        for line in (headline(file, problem, self.where) for problem in problems) if self.brief else lines:
            say(line, self.where)
        for line in costs.lines() if costs else ():
            click.echo(line)

    @property
    def code(self) -> int:
        problems = [problem for _, found, _ in self.found for problem in found]
        wrong = any(self.strict or problem.severity == "error" for problem in problems)
        return UNREADABLE if self.unreadable else WRONG if wrong else 0

    def finish(self, form: str) -> None:
        """The whole, in one document or one line."""
        if form == "json":
            click.echo(json.dumps({"files": [_data(*one) for one in self.found]}))
        elif form == "sarif":
            from sievemda.cli.sieve_sarif import sarif

            found = [(file, problems) for file, problems, _ in self.found]
            click.echo(json.dumps(sarif(found, self.unreadable)))
        elif counts := Counter(problem.severity for _, problems, _ in self.found for problem in problems):
            from sievemda.cli.sieve_caret import summary

            click.echo(summary(counts, len(self.found)), err=True)


def _data(file: str, problems: tuple[Problem, ...], costs: Priced | None) -> dict[str, Any]:
    from sievemda.sieve.report import problem_to_json

    told = {"file": file, "valid": _valid(problems), "problems": [problem_to_json(problem) for problem in problems]}
    return told | ({"cost": costs.data()} if costs else {})


def _valid(problems: tuple[Problem, ...]) -> bool:
    return not any(problem.severity == "error" for problem in problems)


def _known(mailboxes: tuple[str, ...], own: tuple[str, ...], user: str | None, local: tuple[str, ...]) -> Known:
    """What the command line says of the owner of the scripts."""
    from dataclasses import replace

    from sievemda.sieve.lint import Known

    found = Known(style=True)
    if user is not None:
        found = _of_user(user, local)
    if mailboxes:
        names, before = frozenset(mailboxes), found.mailbox_exists
        exists = lambda name: name in names or name.upper() == "INBOX" or bool(before and before(name))  # noqa: E731
        found = replace(found, mailbox_exists=exists)
    return replace(found, own=found.own | {address.lower() for address in own}, style=True)


def _of_user(user: str, local: tuple[str, ...]) -> Known:
    from sievemda.auth.names import canonical_user
    from sievemda.cli.sieve_input import settings
    from sievemda.managesieve.knowledge import known_of
    from sievemda.store.mailstore import MailStore

    site = settings(local)
    if site is None:
        raise click.UsageError("--user needs --data or --config: where the store is")
    return known_of(site, MailStore(site), canonical_user(user, site.site))
