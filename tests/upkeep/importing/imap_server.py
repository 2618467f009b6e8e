"""A small IMAP server of one account, which can be told to misbehave."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

Mail = tuple[int, str, bytes]  # UID, flags, content


class Cut(bytes):
    """Octets behind which the connection ends."""


@dataclass
class Box:
    messages: list[Mail] = field(default_factory=list)
    flags: str = "\\HasNoChildren"
    validity: int = 7
    acl: str = ""


class ImapServer:
    """`boxes` by the names on the wire. `spoil` gets each FETCH response and may give back other octets."""

    def __init__(
        self,
        boxes: dict[str, Box],
        *,
        separator: str = "/",
        capabilities: str = "NAMESPACE ACL QUOTA",
        certificate: tuple[Path, Path] | None = None,
        tls: bool = False,
    ) -> None:
        self.certificate = certificate
        self.tls = tls  # from the beginning
        self.boxes = boxes
        self.separator = separator
        self.capabilities = capabilities
        self.namespace = '(("" "/")) NIL NIL'
        self.subscribed: list[str] = []
        self.quota = ""
        self.refuses = False
        self.spoil = lambda _uid, octets: octets
        self.fetched: list[int] = []  # UIDs that were asked for
        self.commands: list[str] = []
        self.logins: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError), self.encrypted(connection) if self.tls else connection as stream:
                with stream.makefile("rb") as file:
                    starts = _Session(self, stream, file).run()
                if starts:
                    with self.encrypted(stream) as safe, safe.makefile("rb") as file:
                        _Session(self, safe, file).run(greeting="")

    def encrypted(self, connection: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        return context.wrap_socket(connection, server_side=True)


class _Session:
    def __init__(self, server: ImapServer, connection: socket.socket, file: BinaryIO) -> None:
        self.server = server
        self.socket = connection
        self.file = file
        self.box = Box()

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode("latin-1") + b"\r\n")

    def run(self, greeting: str = "* OK ready") -> bool:
        """Whether TLS is to start."""
        if greeting:
            self.say(greeting)
        while line := self.file.readline():
            while announced := re.search(rb"\{(\d+)\}\r\n\Z", line):
                self.say("+ go on")
                line = line[: announced.start()] + self.file.read(int(announced[1])) + self.file.readline()
            tag, _, command = line.decode("latin-1").strip("\r\n").partition(" ")
            self.server.commands.append(command)
            word = command.split()[0].upper()
            word = f"UID_{command.split()[1].upper()}" if word == "UID" else word
            if word == "STARTTLS":
                self.say(f"{tag} OK begin")
                return True
            if not getattr(self, f"do_{word.lower()}")(command):
                return False
            refused = self.server.refuses and word == "AUTHENTICATE"
            self.say(f"{tag} NO wrong" if refused else f"{tag} OK done")
        return False

    def do_capability(self, _: str) -> bool:
        self.say(f"* CAPABILITY IMAP4rev1 AUTH=PLAIN {self.server.capabilities}")
        return True

    def do_authenticate(self, command: str) -> bool:
        self.say("+ ")
        self.server.logins.append(self.file.readline())
        return True

    def do_namespace(self, _: str) -> bool:
        self.say(f"* NAMESPACE {self.server.namespace}")
        return True

    def do_list(self, _: str) -> bool:
        for name, box in self.server.boxes.items():
            self.say(f'* LIST ({box.flags}) "{self.server.separator}" {{{len(name)}}}\r\n{name}')
        return True

    def do_lsub(self, _: str) -> bool:
        for name in self.server.subscribed:
            self.say(f'* LSUB () "{self.server.separator}" "{name}"')
        return True

    def do_getquotaroot(self, _: str) -> bool:
        self.say(f'* QUOTA "" ({self.server.quota})')
        return True

    def do_getacl(self, command: str) -> bool:
        self.say(f"* ACL {command.partition(' ')[2]} {self._named(command).acl}")
        return True

    def _named(self, command: str) -> Box:
        return self.server.boxes[command.partition(" ")[2].strip('"')]

    def do_examine(self, command: str) -> bool:
        self.box = self._named(command)
        self.say(f"* {len(self.box.messages)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.box.validity}] valid")
        return True

    def do_uid_search(self, _: str) -> bool:
        self.say("* SEARCH " + " ".join(str(uid) for uid, _, _ in self.box.messages))
        return True

    def do_uid_fetch(self, command: str) -> bool:
        asked = set()
        for part in command.split()[2].split(","):
            first, last = (int(number) for number in re.fullmatch(r"(\d+)(?::(\d+))?", part).groups(part))
            asked |= set(range(first, last + 1))
        for number, (uid, flags, content) in enumerate(self.box.messages, 1):
            if uid in asked and "BODY" not in command:
                self.say(f"* {number} FETCH (UID {uid} FLAGS ({flags}))")
            elif uid in asked:
                self.server.fetched.append(uid)
                head = f'* {number} FETCH (UID {uid} FLAGS ({flags}) INTERNALDATE "01-Feb-2020 10:00:00 +0100" BODY[] '
                octets = self.server.spoil(uid, f"{head}{{{len(content)}}}\r\n".encode() + content + b")\r\n")
                self.socket.sendall(octets)
                if isinstance(octets, Cut):
                    return False
        return True

    def do_logout(self, _: str) -> bool:
        self.say("* BYE")
        return True
