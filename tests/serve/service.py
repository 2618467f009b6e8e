"""The whole service as processes, below a directory of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lmtp.running import Client

SIEVEMDA = [sys.executable, "-m", "sievemda"]


class Service:
    """`start` returns when the server is ready. Configuration, where a test wants some, is `config`'s text."""

    def __init__(self, directory, *arguments, sets=(), config=""):
        self.data = directory / "site"
        self.data.mkdir()
        self.socket = self.data / "run" / "lmtp"
        self.config = self.data / "sievemda.toml"
        self.config.write_text(config)
        self.arguments = arguments or ("--workers", "2")
        self.base = [*SIEVEMDA, "--data", str(self.data), *(w for s in sets for w in ("--set", s))]
        self.log = self.data / "log"
        self.process = None

    def cli(self, *arguments, stdin="", code=0):
        done = subprocess.run(
            [*self.base, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done
        return done.stdout

    def start(self, *arguments):
        log = self.log.open("a")
        with log:
            mark = log.tell()
            command = [*self.base, "serve", *self.arguments, *arguments]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.wait(lambda: "serving " in self.log.read_text()[mark:] or self.process.poll() is not None)
        return self

    def wait(self, condition, seconds=60):
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.02)

    def children(self):
        """{pid: nothing but that} of what the server has forked."""
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return {int(pid) for pid in Path(task).read_text().split()}

    def worker_of(self, client):
        """The process that serves a session: its number stands in the session's id."""
        return int(client.do("LHLO x").rpartition("SESSIONID=<")[2].split("-")[-4])

    def client(self, **options):
        return Client(str(self.socket), **options)

    def greeting(self):
        """What the server says to who connects."""
        with self.client() as client:
            return client.greeting

    def send(self, text="Subject: x\r\n\r\nbody\r\n", recipients=("alice",)):
        """Deliver one message; the replies."""
        with self.client() as client:
            return client.message(f"{text}.\r\n", recipients)

    def inbox(self, user="alice"):
        return sorted((self.data / "mail" / "user" / user / "Maildir" / "new").iterdir())

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """End it as a service manager would; its exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(60)

    def close(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
