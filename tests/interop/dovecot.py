"""A private Dovecot imapd over the Maildirs of a site, configured by conf/dovecot/sievemda.conf."""

from __future__ import annotations

import imaplib
from pathlib import Path

from tests.interop.processes import Program, answers, fill, free_port, need, need_root

PASSWORD = "secret"
# What a distribution has already set up: paths, listener, log-in. The mail itself is the business of the shipped file.
FRAME = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
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
userdb {{
  driver = static
  args = allow_all_users=yes
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
    def __init__(self, directory: Path, mail: Path) -> None:
        need("dovecot")
        need_root()
        self.directory, self.port = directory, free_port()
        directory.mkdir(mode=0o755)
        mapping = {"/var/lib/sievemda/mail": str(mail), "vmail": "mail"}
        (directory / "sievemda.conf").write_text(fill("dovecot/sievemda.conf", mapping))
        config = directory / "dovecot.conf"
        config.write_text(FRAME.format(base=directory, port=self.port, password=PASSWORD))
        self.program = Program(["dovecot", "-F", "-c", str(config)], directory / "output")

    def start(self) -> None:
        self.program.start(lambda: answers(("127.0.0.1", self.port)))

    def stop(self) -> None:
        self.program.stop()

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def login(self, user: str) -> Imap:
        return Imap(self.port, user)


class Imap(imaplib.IMAP4):
    """A session with answers in the shape the tests ask for. Folder names as on the wire (modified UTF-7)."""

    def __init__(self, port: int, user: str) -> None:
        super().__init__("127.0.0.1", port, timeout=30)
        self.login(user, PASSWORD)

    def ask(self, name: str, *arguments: str, answer: str = "") -> list[bytes]:
        """One command of whatever extension; the untagged answers called `answer`."""
        status, text = self._simple_command(name, *arguments)
        assert status == "OK", text
        return self._untagged_response(status, text, answer or name)[1]

    def choose(self, folder: str = "INBOX") -> int:
        """Select; the number of messages."""
        status, data = self.select(f'"{folder}"')
        assert status == "OK", data
        return int(data[0])

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """The flags of each message of a folder, without \\Recent."""
        if not self.choose(folder):
            return []
        _, lines = self.fetch("1:*", "(FLAGS)")
        return [{flag.decode() for flag in imaplib.ParseFlags(line)} - {"\\Recent"} for line in lines]

    def body(self, folder: str = "INBOX", number: int = 1) -> bytes:
        self.choose(folder)
        return self.fetch(str(number), "(BODY.PEEK[])")[1][0][1]

    def folders(self) -> list[str]:
        _, lines = self.list()
        return sorted(line.decode().rpartition(' "/" ')[2].strip('"') for line in lines if line)
