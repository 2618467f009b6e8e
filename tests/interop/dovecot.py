"""A private Dovecot imapd over the Maildirs of a site, configured by a file of conf/dovecot/."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.interop.imap import Answers
from tests.interop.processes import Program, answers, fill, free_port, need, need_root

PASSWORD = "secret"
# What a distribution has already set up: paths, listener, log-in. The mail itself is the business of the shipped file.
FRAME = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
info_log_path = {base}/info
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password={password}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
!include {base}/sievemda.conf
"""


class Dovecot:
    """`data` is the data directory of the site, `shipped` the file of conf/dovecot/ to run it with."""

    def __init__(self, directory: Path, data: Path, shipped: str = "sievemda.conf") -> None:
        need("dovecot")
        need_root()
        self.directory, self.port = directory, free_port()
        directory.mkdir(mode=0o755)
        mapping = {"/var/lib/sievemda": str(data), "vmail": "mail"}
        (directory / "sievemda.conf").write_text(fill(f"dovecot/{shipped}", mapping))
        config = directory / "dovecot.conf"
        config.write_text(FRAME.format(base=directory, port=self.port, password=PASSWORD))
        self.program = Program(["dovecot", "-F", "-c", str(config)], directory / "output")

    def start(self) -> None:
        self.program.start(lambda: answers(("127.0.0.1", self.port)))

    def stop(self) -> None:
        self.program.stop()

    @property
    def log(self) -> Path:
        """Warnings and errors; whatever it does not complain of is in `info`."""
        return self.directory / "log"

    def complaints(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def doveadm(self, *command: str, setting: str = "") -> None:
        """Run a command of its administration, with one setting as it is told."""
        told = ["-o", setting] if setting else []
        subprocess.run(["doveadm", "-c", str(self.directory / "dovecot.conf"), *told, *command], check=True, timeout=30)

    def login(self, user: str) -> Imap:
        return Imap(self.port, user)


class Imap(Answers):
    def __init__(self, port: int, user: str) -> None:
        super().__init__("127.0.0.1", port, timeout=30)
        self.login(user, PASSWORD)
