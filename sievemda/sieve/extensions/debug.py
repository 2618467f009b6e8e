"""vnd.dovecot.debug: debug_log, a line for the log of the script. RFC 5228 §2.10.5; its text is Pigeonhole's.

The line goes to the journal of the delivery, where its owner finds it with `why`, and not into the log of the server,
which others' scripts must not fill. How many lines and how long is bounded; what is more is left out.
"""

from __future__ import annotations

from sievemda.sieve.node import Command, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension


@node
class DebugLog(Command):
    """debug_log <message: string>"""

    keyword = "debug_log"
    message: Text

    def execute(self, run: Run) -> None:
        run.note(run.text(self.message))


EXTENSIONS = (Extension("vnd.dovecot.debug", "Pigeonhole", commands=(DebugLog,)),)
