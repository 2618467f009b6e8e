"""`sievemda import maildir`: Maildirs and trees of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sievemda.cli.import_files import bringing

if TYPE_CHECKING:
    from sievemda.upkeep.importing.source import Contents


@click.command("maildir", epilog="Example: sievemda import maildir ~/Maildir user/alice/Old")
@bringing
def maildir(source: str) -> Contents:
    """Bring the messages of a Maildir with its folders, flags, keywords, dates and subscriptions.

    The Maildir itself goes into MAILBOX, its folders below that. What a mailbox has already is not put in again, so
    that a command that was interrupted is simply repeated.
    """
    from sievemda.upkeep.importing.maildirs import maildirs

    return maildirs(source)
