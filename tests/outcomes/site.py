"""A whole site for the tests of outcomes: a real server below a temporary directory, and a plain LMTP client."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

MESSAGE = (
    "From: Bob <bob@example.net>\r\nTo: alice@example.org\r\nSubject: {subject}\r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: {id}\r\n\r\nBody\r\n"
)


def message(id_: str, subject: str = "hello", extra: str = "") -> bytes:
    return (extra + MESSAGE.format(id=id_, subject=subject)).encode()


class Client:
    """LMTP as plain text: what goes out and what comes back."""

    def __init__(self, where: Path | int):
        if isinstance(where, Path):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(60)
            try:
                self.socket.connect(str(where))
            except OSError:
                self.socket.close()
                raise
        else:
            self.socket = socket.create_connection(("127.0.0.1", where), 60)
        self.file = self.socket.makefile("rb")
        try:
            self.greeting = self.reply()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def reply(self) -> str:
        lines = []
        while True:
            line = self.file.readline().decode("utf-8", "replace")
            if not line:
                raise EOFError("\n".join(lines))
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    def send(self, data: str | bytes) -> None:
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def say(self, line: str | bytes) -> str:
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def hello(self) -> str:
        return self.say("LHLO client.example.net")

    def transaction(self, recipients, data: bytes, sender="<bob@example.net>", parameters="") -> list[str]:
        """One reply per recipient: of RCPT when refused there, else of the end of DATA."""
        first = self.say(f"MAIL FROM:{sender}{' ' + parameters if parameters else ''}")
        assert first.startswith("250"), first
        replies = [self.say(f"RCPT TO:{r if r.startswith('<') else '<' + r + '>'}") for r in recipients]
        accepted = [i for i, r in enumerate(replies) if r.startswith("250")]
        if not accepted:
            assert self.say("RSET").startswith("250")
            return replies
        assert self.say("DATA").startswith("354")
        self.send(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
        for i in accepted:
            replies[i] = self.reply()
        return replies


@dataclass
class Site:
    data: Path
    settings: tuple[str, ...] = ()
    process: subprocess.Popen | None = None

    @property
    def socket(self) -> Path:
        return self.data / "run" / "lmtp"

    def cli(self, *arguments, stdin="", code=0) -> str:
        sets = [word for item in self.settings for word in ("--set", item)]
        done = subprocess.run(
            [sys.executable, "-m", "sievemda", "--data", str(self.data), *sets, *arguments],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def start(self, *options: str) -> Site:
        sets = [word for item in self.settings for word in ("--set", item)]
        self.log = (self.data.parent / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sievemda", "--data", str(self.data), *sets, "serve", "--workers", "2", *options],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.words()
            try:
                with Client(self.socket):
                    return self
            except (OSError, EOFError):
                time.sleep(0.05)
        raise AssertionError("no server: " + self.words())

    def stop(self, number=signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.log.close()
        self.process = None
        return code

    def words(self) -> str:
        return (self.data.parent / "server.log").read_text(errors="replace")

    # --- the world ---

    def user(self, name: str, *folders: str, script: str = "", open_to_all: bool = True) -> None:
        self.cli("mailbox", "create", f"user/{name}")
        for folder in folders:
            self.cli("mailbox", "create", f"user/{name}/{folder}")
            if open_to_all:
                self.cli("acl", "set", f"user/{name}/{folder}", "anyone", "p")
        if script:
            self.script(name, script)

    def script(self, name: str, text: str) -> None:
        self.cli("script", "put", name, "main", "-", stdin=text)
        self.cli("script", "activate", name, "main")

    def folder(self, mailbox: str) -> Path:
        return Path(json.loads(self.cli("mailbox", "info", "--json", mailbox))["path"])

    def files(self, mailbox: str) -> list[Path]:
        folder = self.folder(mailbox)
        return sorted(p for sub in ("new", "cur") for p in (folder / sub).iterdir())

    def deliver(self, recipients, data: bytes, **more) -> list[str]:
        with Client(self.socket) as client:
            client.hello()
            return client.transaction([recipients] if isinstance(recipients, str) else recipients, data, **more)

    def everything_below(self) -> list[Path]:
        return [Path(d) / f for d, _, fs in os.walk(self.data / "mail") for f in fs]
