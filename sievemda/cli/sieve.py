"""`sievemda sieve`: the language tools. They need no server and no configuration; given one, they keep to its limits.

Exit codes: 0 all is well, 1 a script is wrong (or stopped with an error), 2 a file cannot be read, or wrong usage.
"""

from __future__ import annotations

import click

from sievemda.cli.sieve_check import check
from sievemda.cli.sieve_event import event
from sievemda.cli.sieve_format import format_
from sievemda.cli.sieve_lsp import lsp
from sievemda.cli.sieve_run import run
from sievemda.cli.sieve_test import test


@click.group(epilog="Example: sievemda sieve check alice.sieve")
def sieve() -> None:
    """Check, try and test Sieve scripts."""


sieve.add_command(check)
sieve.add_command(test)
sieve.add_command(event)
sieve.add_command(format_)
sieve.add_command(run)
sieve.add_command(lsp)
