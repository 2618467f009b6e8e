"""The shell on a pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMPT = re.compile(rb"(?:^|\n)(?:\x1b\[\?2004[hl])?([\w.-]+> )$")
_MODES = re.compile(rb"\x1b\[\?2004[hl]\r?")
_PATIENCE = 60  # seconds after which nothing is coming any more


class Terminal:
    """A process with a wide terminal; standard error goes there too."""

    def __init__(self, arguments, home, **environment):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 1000, 0, 0))
        kept = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT)}
        state = {"HOME": str(home), "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sievemda", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=home,
            env=kept | state | {"TERM": "dumb", "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null"} | environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  Ctrl-C is a signal then
        )
        os.close(theirs)

    def __enter__(self):
        self.banner = self._until_prompt()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def say(self, line):
        """The lines that come after a line that is typed."""
        return self.type(line.encode() + b"\n")[1:]

    def type(self, octets):
        """The lines that come, the echo first."""
        os.write(self._ours, octets)
        return self._until_prompt()

    def begin(self, text):
        """Type what is no line yet, and wait until it is seen: the program reads keys then."""
        os.write(self._ours, text.encode())
        found = b""
        while text.encode() not in _clean(found):
            ready, _, _ = select.select([self._ours], [], [], _PATIENCE)
            assert ready, found
            found += os.read(self._ours, 65536)

    def interrupt(self):
        """Ctrl-C until there is a prompt: a signal just before the program waits for keys is noticed at the next one."""
        for _ in range(_PATIENCE):
            os.write(self._ours, b"\x03")
            if select.select([self._ours], [], [], 1)[0]:
                break
        return self._until_prompt()

    def leave(self):
        """End it with Ctrl-D, if it has not ended; its exit code."""
        if self._process.poll() is None:
            with suppress(OSError):
                os.write(self._ours, b"\x04")
        return self._process.wait(_PATIENCE)

    def _until_prompt(self):
        found = b""
        while not PROMPT.search(_clean(found)):
            ready, _, _ = select.select([self._ours], [], [], _PATIENCE)
            assert ready, found
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # it has ended
                break
            if not piece:
                break
            found += piece
        text = _clean(found)
        self.prompt = match[1].decode() if (match := PROMPT.search(text)) else ""
        text = PROMPT.sub(b"", text) if match else text.removesuffix(b"\n")
        return text.decode().split("\n")


def _clean(octets):
    return _MODES.sub(b"", octets).replace(b"\r\n", b"\n").replace(b"\r", b"")
