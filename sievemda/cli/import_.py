"""`sievemda import`: the group. Each kind of source has a command of its own in a module of its own.

`import --news ...` is `import news ...`. Without the name of a kind the source shows by its looks what it is.
"""

from __future__ import annotations

import click

from sievemda.cli.lazy import LazyCommands

_LAZY: dict[str, str] = {
    "eml": "import_eml:eml",
    "maildir": "import_maildir:maildir",
    "mbox": "import_mbox:mbox",
    "cyrus": "import_cyrus:cyrus",
    "imap": "import_imap:imap",
    "news": "import_news:news",
    "forward": "import_filters:forward",
    "procmail": "import_filters:procmail",
    "maildrop": "import_filters:maildrop",
}


class _Kinds(LazyCommands):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _LAZY:
            from sievemda.upkeep.importing.kinds import kind_of

            args = [kind_of(args[0]), *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith("--") and args[0][2:] in _LAZY:
            args = [args[0][2:], *args[1:]]
        return super().parse_args(ctx, args)


@click.group("import", cls=_Kinds, lazy=_LAZY, epilog="Example: sievemda import old-mail.mbox user/alice/Old")
def import_() -> None:
    """Bring messages, folders and rules in from elsewhere; users and folders are made as needed.

    Without the name of a kind it is told from what the source looks like. Exit code 65: something was damaged or cut
    off, and what is whole has come; 69: the server is not there; 74: a disk failed or is full, run it again when there
    is room; 75: a limit or a lock is in the way, try again.
    """
