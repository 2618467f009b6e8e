"""A sievemda of its own: data directory, server, command line, and a look at the Maildirs."""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sievemda import configload
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from tests.interop.processes import Program, free_port, wait_until

ROOT = Path(__file__).parents[2]


def message(text: str = "Body", *, to: str = "alice@example.org", **headers: str) -> bytes:
    """A message of its own (fresh Message-ID) in CRLF form; `headers` with `_` for `-`."""
    given = {
        "From": "Bob <bob@example.net>",
        "To": to,
        "Subject": "interop",
        "Date": "Sat, 21 Nov 2026 10:00:00 +0000",
        "Message-ID": f"<{uuid.uuid4()}@example.net>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join([*lines, "", *text.splitlines(), ""]).encode()


def message_id(content: bytes) -> str:
    return next(line for line in content.decode().splitlines() if line.startswith("Message-ID: ")).partition(": ")[2]


class Site:
    """`directory` may be read by everybody, for Dovecot and Postfix work under users of their own."""

    def __init__(
        self,
        directory: Path,
        settings: dict[str, str] | None = None,
        *,
        workers: int = 2,
        sockets: Sequence[Path] = (),
    ) -> None:
        directory.mkdir(mode=0o755, exist_ok=True)
        self.directory, self.sockets = directory, sockets  # more sockets than its own
        self.data = directory / "data"
        self.socket = directory / "lmtp"
        self.port, self.managesieve_port = free_port(), free_port()
        # Dovecot refuses to read mail as root; so that its user can, files are open to all inside this directory.
        self.settings = {
            "message_mode": "0666",
            "folder_mode": "0777",
            "lmtp_socket_mode": "0666",
            "lmtp_trusted_networks": "127.0.0.0/8",
            "allowplaintext": "yes",
        } | (settings or {})
        self.workers = workers
        self.program: Program | None = None

    @property
    def command(self) -> list[str]:
        options = [part for key, value in self.settings.items() for part in ("--set", f"{key}={value}")]
        return [sys.executable, "-m", "sievemda", "--data", str(self.data), *options]

    def start(self) -> None:
        """Until every worker has begun; connections are taken in before that."""
        mark = self.log.stat().st_size if self.log.exists() else 0
        self.program = Program(
            [
                *self.command,
                "serve",
                *("--lmtp", f"unix:{self.socket}", "--lmtp", f"inet:127.0.0.1:{self.port}"),
                *(part for path in self.sockets for part in ("--lmtp", f"unix:{path}")),
                *("--managesieve", f"inet:127.0.0.1:{self.managesieve_port}", "--workers", str(self.workers)),
            ],
            self.log,
            cwd=ROOT,
            umask=0,
        )
        self.program.start(lambda: b" serving " in self.log.read_bytes()[mark:])

    @property
    def ports(self) -> tuple[int, int]:
        return self.port, self.managesieve_port

    @property
    def log(self) -> Path:
        return self.directory / "sievemda.log"

    def log_end(self) -> str:
        return self.log.read_text()[-4000:]

    def kill(self) -> None:
        assert self.program is not None
        self.program.kill()

    def stop(self) -> int:
        assert self.program is not None
        return self.program.stop()

    def cli(self, *arguments: str, stdin: bytes = b"", code: int = 0) -> str:
        """Run one command; its standard output. Any other exit status than `code` fails the test."""
        done = subprocess.run(
            [*self.command, *arguments], input=stdin, capture_output=True, cwd=ROOT, umask=0, timeout=60, check=False
        )
        output = done.stdout.decode(errors="replace")
        assert done.returncode == code, f"{arguments} -> {done.returncode}\n{output}\n{done.stderr.decode()}"
        return output

    def user(self, name: str, *folders: str, password: str = "") -> str:
        self.cli("mailbox", "create", f"user/{name}")
        for folder in folders:
            self.cli("mailbox", "create", f"user/{name}/{folder}")
        if password:
            self.cli("account", "passwd", name, stdin=password.encode() + b"\n")
        return name

    @contextmanager
    def store(self) -> Iterator[MailStore]:
        """The store in this process; what is made in it may be used by everybody, as what the server makes."""
        umask = os.umask(0)
        try:
            yield MailStore(
                configload.load(None, self.data, [f"{key}={value}" for key, value in self.settings.items()])
            )
        finally:
            os.umask(umask)

    def make(self, *names: str, **options: str) -> None:
        """Mailboxes, without starting a program for each."""
        with self.store() as store:
            for name in names:
                store.create(store.namespace.parse_admin(name), **options)

    def grant(self, name: str, identifier: str, rights: str) -> None:
        mailbox = self.mailbox(name)
        with self.store():
            mailbox.change_acl(lambda acl: acl.changed(identifier, rights))

    def mailbox(self, name: str) -> Mailbox:
        """What the store finds now."""
        with self.store() as store:
            found = store.find(store.namespace.parse_admin(name))
        assert found is not None, name
        return found

    def names(self, pattern: str) -> list[str]:
        """The mailboxes that match, as administrators write them."""
        with self.store() as store:
            return [store.namespace.format_admin(found.name) for found in store.list(pattern)]

    def sieve(self, user: str, text: str) -> None:
        """An active script, put where it belongs as a user with a shell would do it."""
        with self.store() as store:
            home = store.home(user)
            (home / "sieve").mkdir(exist_ok=True)
            (home / "sieve" / "own.sieve").write_text(text)
            (home / ".dovecot.sieve").unlink(missing_ok=True)
            (home / ".dovecot.sieve").symlink_to("sieve/own.sieve")

    def script(self, user: str, text: str, name: str = "main") -> None:
        self.cli("script", "put", user, name, "-", stdin=text.encode())
        self.cli("script", "activate", user, name)

    def why(self, content: bytes) -> str:
        return self.cli("why", message_id(content))

    def why_json(self, content: bytes) -> object:
        return json.loads(self.cli("why", "--json", message_id(content)))

    def folder(self, user: str | None, folder: str = "") -> Path:
        """Directory of a folder by its name on disk (`Lists`, `a.b` for a/b); no user means shared."""
        root = self.data / "mail" / "shared" if user is None else self.data / "mail" / "user" / user / "Maildir"
        return root / f".{folder}" if folder else root

    def files(self, user: str | None, folder: str = "") -> list[Path]:
        path = self.folder(user, folder)
        return sorted(file for part in ("new", "cur") if (path / part).is_dir() for file in (path / part).iterdir())

    def wait_for(self, user: str | None, folder: str = "", count: int = 1, seconds: float = 60.0) -> list[Path]:
        """The files of a folder once there are `count` of them."""
        wait_until(lambda: len(self.files(user, folder)) >= count, f"{count} in {folder or 'INBOX'} of {user}", seconds)
        return self.files(user, folder)

    def lmtp(self, content: bytes, *recipients: str, sender: str = "bob@example.net") -> list[tuple[int, bytes]]:
        """Deliver one message over the UNIX socket; the reply of each recipient, refused at RCPT or after DATA."""
        with smtplib.LMTP(str(self.socket), local_hostname="mta.example.net", timeout=60) as client:
            client.ehlo_or_helo_if_needed()
            assert client.mail(sender)[0] == 250
            replies = [client.rcpt(recipient) for recipient in recipients]
            accepted = [number for number, (code, _) in enumerate(replies) if code == 250]
            if accepted:
                client.putcmd("data")
                assert client.getreply()[0] == 354
                client.send(smtplib._quote_periods(content) + b".\r\n")
                for number in accepted:
                    replies[number] = client.getreply()
            return replies
