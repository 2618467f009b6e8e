"""`sievemda import eml`: directories of message files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sievemda.cli.import_files import bringing

if TYPE_CHECKING:
    from sievemda.upkeep.importing.source import Contents


@click.command("eml", epilog="Example: sievemda import eml message.eml user/alice/Old")
@bringing
def eml(source: str) -> Contents:
    """Bring message files (.eml, .emlx, the numbers of MH), single ones or directories of them.

    Directories become folders below MAILBOX. A file `flags` beside them, as `export eml` writes it, has their flags;
    without one the fields Received and Date say when a message arrived.
    """
    from sievemda.upkeep.importing.emls import emls

    return emls(source)
