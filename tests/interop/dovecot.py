"""A private Dovecot imapd over the Maildirs of a site, configured by a file of conf/dovecot/."""

from __future__ import annotations

import imaplib
import re
from pathlib import Path

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

    def login(self, user: str) -> Imap:
        return Imap(self.port, user)


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


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
        """All names that can be opened, as on the wire."""
        return sorted(name for attributes, name in self.listed() if "\\Noselect" not in attributes)

    def listed(self, arguments: str = '"" "*"') -> list[tuple[list[str], str]]:
        """Attributes and name of each answer to LIST, in whatever form of the command (RFC 5258)."""
        found = []
        for answer in self.ask("LIST", arguments):
            if answer:
                attributes, _, rest = answer.decode().removeprefix("(").partition(") ")
                found.append((attributes.split(), unquoted(rest.partition(" ")[2])))
        return found

    def chosen(self, folder: str) -> bool:
        """Whether a folder can be opened, be it for reading only; it is then."""
        opened = self._simple_command("SELECT", quoted(folder))[0] == "OK"
        self.untagged_responses = {}
        self.state = "SELECTED" if opened else "AUTH"
        return opened
