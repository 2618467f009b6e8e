"""The command `edit`: a script in the user's editor, checked by the server before it is stored.

The text lies in a directory of its own that nobody else can open, since editors put copies beside what they edit. It
stays there, and where is said, whenever it could not be stored: nobody's work is lost.

What somebody else has stored meanwhile is seen by comparing with what was read, right before storing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from sievemda.cli.sieveshell.shell import Context
from sievemda.errors import DataError, NotFound, NotPermitted, TemporaryTrouble, Unavailable, UsageError

_EDITOR = "vi"
_AGAIN = "edit it again, or keep it in the file and quit?"


def edit(context: Context, arguments: list[str]) -> None:
    name = arguments[0]
    if not name:
        raise UsageError("a script needs a name")
    directory = Path(tempfile.mkdtemp(prefix="sieveshell-"))
    editing = _Edit(context, name, directory / _file_name(name))
    try:
        editing.run()
    finally:
        if editing.is_worth_keeping:
            context.warn(f"edit: what you have written is in {editing.file}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


def _file_name(name: str) -> str:
    """A name that cannot lead anywhere else, ending as editors know the language by."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:60]
    return f"{safe or 'script'}.sieve"


class _Edit:
    def __init__(self, context: Context, name: str, file: Path) -> None:
        self._context = context
        self._name = name
        self.file = file
        self._at_server: bytes | None = None  # as far as we know

    @property
    def is_worth_keeping(self) -> bool:
        """Whether the file has what the server has not."""
        return self.file.exists() and self.file.read_bytes() != (self._at_server or b"")

    def run(self) -> None:
        self._at_server = self._stored()
        self._write(self._at_server or b"")
        while True:
            self._type()
            text = self.file.read_bytes()
            if text == (self._at_server or b""):
                self._context.say("nothing was changed")
                return
            self._wake()
            if not self._is_valid(text):
                if self._answer(_AGAIN, "eq") == "q":
                    raise DataError("the script is not valid: it was not stored")
                continue
            now = self._stored()
            if now not in {self._at_server, text}:
                answer = self._about_other(now)
                if answer == "q":
                    raise TemporaryTrouble("somebody else has changed the script meanwhile: it was not stored")
                if answer == "e":
                    self._at_server = now
                    continue
            if self._is_put(text):
                return

    def _is_put(self, text: bytes) -> bool:
        """Whether it is stored; if not, there is another try."""
        try:
            self._context.warn(self._context.session.put(self._name, text))
        except (DataError, NotPermitted) as error:
            if not self._context.ask:
                raise
            self._context.warn(str(error))
            if self._answer(_AGAIN, "eq") == "q":
                raise type(error)("the script was not stored") from error
            return False
        self._at_server = text
        self._context.renamed(new=self._name)
        return True

    def _wake(self) -> None:
        """A connection that broke while somebody was typing is made anew."""
        context = self._context
        try:
            context.session.refresh()
        except (Unavailable, TemporaryTrouble):
            if not context.session.lost:
                raise
            context.session.drop()
            context.session = context.access.open()

    def _stored(self) -> bytes | None:
        try:
            return self._context.session.get(self._name)
        except NotFound:
            return None

    def _about_other(self, theirs: bytes | None) -> str:
        """What to do about what somebody else has stored; it is put beside for him to look at."""
        if theirs is None:
            self._context.warn("edit: somebody else has deleted the script meanwhile")
        else:
            other = self.file.with_suffix(".theirs.sieve")
            other.write_bytes(theirs)
            self._context.warn(f"edit: somebody else has changed the script meanwhile; theirs is in {other}")
        return self._answer("overwrite theirs, edit yours again, or keep it in the file and quit?", "oeq")

    def _is_valid(self, text: bytes) -> bool:
        """What the server says of it; one that cannot say is asked when it is stored."""
        try:
            self._context.warn(self._context.session.check(text))
        except NotPermitted:
            return True
        except DataError as error:
            self._context.warn(str(error))
            return False
        return True

    def _answer(self, question: str, letters: str) -> str:
        """Without anybody to ask, it is quit."""
        return self._context.ask(question, letters) if self._context.ask else "q"

    def _write(self, text: bytes) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)

    def _type(self) -> None:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _EDITOR
        try:
            words = shlex.split(editor)
            done = subprocess.run([*words, str(self.file)], check=False)
        except (OSError, ValueError) as e:
            raise DataError(f"the editor {editor!r} cannot be run: {getattr(e, 'strerror', None) or e}") from e
        if done.returncode:
            raise DataError(f"the editor {editor!r} ended with {done.returncode}: nothing was stored")
