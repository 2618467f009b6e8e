"""The script as a whole: it compiles where it is to run, whatever the source was.

Why every rule is compiled again when the whole does not: one rule beyond a limit of the language (blocks in blocks,
a pattern that is too large) must not cost the others.
"""

from __future__ import annotations

from collections.abc import Iterable

from sievemda.sieve.compile import compile_script
from sievemda.sieve.problems import ScriptError
from sievemda.upkeep.conversion.report import Converted, Finding, Place, Verdict
from sievemda.upkeep.conversion.script import Command, Remark, requirements, script_text
from sievemda.upkeep.conversion.site import Site


def finished(
    commands: list[Command], findings: list[Finding], missing: Iterable[str], what: str, site: Site
) -> Converted:
    """The script with its heading, and the report."""
    findings = list(findings)
    fault = _fault(commands, site)
    if fault:
        commands = _only_valid(commands, findings, site, what)
    counts = {verdict: sum(one.verdict is verdict for one in findings) for verdict in Verdict}
    heading = [f"From {what}: {', '.join(f'{count} {verdict.word}' for verdict, count in counts.items())}."]
    if missing := sorted(missing):
        heading.append(f"With {', '.join(missing)} switched on more of it would be possible.")
    text = script_text(commands, heading)
    if len(text.encode()) > site.limits.script_size * 3 // 4:
        why = "the script would be larger than a script may be"
        findings.append(Finding(Place(what, 1), what, Verdict.IMPOSSIBLE, why))
        text = script_text([Remark((why,))], heading)
    return Converted(text, tuple(findings), frozenset(missing))


def _only_valid(commands: list[Command], findings: list[Finding], site: Site, what: str) -> list[Command]:
    out: list[Command] = []
    for command in commands:
        if isinstance(command, Remark) or not (fault := _fault([command], site)):
            out.append(command)
            continue
        why = f"the rule above is left out, it does not compile here: {fault}"
        findings.append(Finding(Place(what, 1), "a rule", Verdict.IMPOSSIBLE, why))
        out.append(Remark((why[:500],)))
    if fault := _fault(out, site):
        why = f"nothing of it compiles together: {fault}"
        findings.append(Finding(Place(what, 1), "the whole", Verdict.IMPOSSIBLE, why))
        return [Remark((why[:500],))]
    return out


def _fault(commands: list[Command], site: Site) -> str:
    """What is wrong with it, in a line; empty when nothing is."""
    lacking = sorted(requirements(commands) - site.available)
    if lacking:
        return f"this site has not switched on {', '.join(lacking)}"
    try:
        compile_script(script_text(commands), site.limits, site.available)
    except ScriptError as e:
        return str(e.problems[0].text if hasattr(e.problems[0], "text") else e.problems[0])
    except RecursionError:
        return "it is nested too deeply"
    return ""
