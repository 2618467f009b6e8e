"""`sievemda export`: the group. Each format has a command."""

from __future__ import annotations

import click

from sievemda.cli.lazy import LazyCommands

_LAZY = {
    "eml": "export_files:eml",
    "maildir": "export_files:maildir",
    "mbox": "export_files:mbox",
}


@click.group("export", cls=LazyCommands, lazy=_LAZY, epilog="Example: sievemda export mbox user/alice alice.mbox")
def export() -> None:
    """Write mailboxes in the forms of other programs, with all flags, keywords and dates.

    Exit code 67: there is no such mailbox; 73: something of that name is there already; 74: a disk failed or is full.
    """
