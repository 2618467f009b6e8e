"""`sievemda import mbox`: files of mbox, or directories of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sievemda.cli.import_files import bringing

if TYPE_CHECKING:
    from sievemda.upkeep.importing.source import Contents

_FORMATS = ("auto", "mboxrd", "mboxo", "mboxcl2")


@click.command("mbox", epilog="Example: sievemda import mbox old-mail.mbox user/alice/Old")
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="auto", show_default=True, help="How lines are quoted."
)
@bringing
def mbox(source: str, form: str) -> Contents:
    """Bring the messages of mbox files with their flags, keywords and dates; SOURCE - is standard input.

    Of a directory each mbox becomes a folder below MAILBOX. What a mailbox has already is not put in again, so that a
    command that was interrupted is simply repeated. Files may be packed with gzip, bzip2 or xz.
    """
    from sievemda.upkeep.importing.mboxes import mboxes

    return mboxes(source, form)
