"""vnd.cyrus.log: log, a line for the log of the script. RFC 5228 §2.10.5; it is Cyrus's, which called it x-cyrus-log.

The line goes where that of `debug_log` goes.
"""

from __future__ import annotations

from sievemda.sieve.node import Command, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension


@node
class Log(Command):
    """log <text: string>"""

    keyword = "log"
    text: Text

    def execute(self, run: Run) -> None:
        run.note(run.text(self.text))


EXTENSIONS = (
    Extension("vnd.cyrus.log", "Cyrus", commands=(Log,)),
    Extension("x-cyrus-log", "Cyrus", commands=(Log,), advertised=False),
)
