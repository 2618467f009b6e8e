"""sendmail 8.17 with mailer cyrusv2, its configuration built by m4 from conf/sendmail/sievemda.mc.

Debian's sendmail and Postfix packages exclude each other, so sendmail is taken from a directory where its packages
were only unpacked (.ci/run does that): $SIEVEMDA_SENDMAIL, by default ~/.cache/sievemda/sendmail/tree.
"""

from __future__ import annotations

import os
import socket
import subprocess
from functools import cached_property
from pathlib import Path

import pytest

from tests.interop.processes import fill, need, need_root

TREE = Path(os.environ.get("SIEVEMDA_SENDMAIL", Path.home() / ".cache/sievemda/sendmail/tree"))


class Sendmail:
    def __init__(self, directory: Path, lmtp: Path) -> None:
        need("m4")
        need_root()
        self.program = TREE / "usr/libexec/sendmail/sendmail"
        if not self.program.exists():
            pytest.skip(f"sendmail-bin and sendmail-cf are not unpacked in {TREE}")
        self.queue = directory / "mqueue"
        self.log = directory / "log"
        self.queue.mkdir(parents=True, mode=0o700)
        source = directory / "sievemda.mc"
        source.write_text(fill("sendmail/sievemda.mc", {"/run/sievemda/lmtp": str(lmtp)}))
        rules = TREE / "usr/share/sendmail/cf"
        built = subprocess.run(
            ["m4", f"-D_CF_DIR_={rules}/", str(rules / "m4/cf.m4"), str(source)], capture_output=True, check=True
        )
        self.config = directory / "sendmail.cf"
        (directory / "aliases").touch()
        # Its own name and the domain it is the last host for, normally found in DNS and /etc/mail/local-host-names.
        self.config.write_bytes(built.stdout + b"\nDjmx.example.org\nCwexample.org\n")
        self.options = [
            f"-OQueueDirectory={self.queue}",
            f"-OAliasFile=text:{directory / 'aliases'}",
            "-ODontBlameSendmail=TrustStickyBit",  # the temporary directory is below one that all may write to
            "-OTimeout.ident=0",
            "-OHelpFile=/dev/null",
        ]

    @cached_property
    def named(self) -> list[str]:
        """What makes the machine's name a qualified one: sendmail waits a minute for a name without a dot to get one."""
        named = ["unshare", "--uts", "sh", "-c", 'hostname mx.example.org && exec "$@"', "sh"]
        possible = "." not in socket.gethostname() and subprocess.run([*named, "true"], check=False).returncode == 0
        return named if possible else []

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [*self.named, str(self.program), f"-C{self.config}", *self.options, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False)

    def send(self, content: bytes, *recipients: str, sender: str = "bob@example.net", code: int = 0) -> str:
        """Deliver at once (-odi), with the whole LMTP dialogue as the result (-v)."""
        message = content.replace(b"\r\n", b"\n")
        done = self.run("-v", "-i", "-odi", "-f", sender, "--", *recipients, stdin=message)
        dialogue = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == code, f"sendmail ended with {done.returncode}:\n{dialogue}"
        return dialogue

    def queued(self) -> list[str]:
        return sorted(path.name for path in self.queue.glob("qf*"))
