"""Clients of SASL that others wrote: Cyrus' sivtest and lmtptest, and GNU's gsasl, whose exchange we carry.

Cyrus' packages exclude Dovecot's, so that they are taken from a directory where they were only unpacked (.ci/run does
that): $SIEVEMDA_SASL, by default ~/.cache/sievemda/sasl/tree.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from OpenSSL import SSL

TREE = Path(os.environ.get("SIEVEMDA_SASL", Path.home() / ".cache/sievemda/sasl/tree"))
LIBRARIES = TREE / "usr/lib/x86_64-linux-gnu"
PYTHON = TREE / "usr/lib/python3/dist-packages"


def program(path: str) -> str:
    """A program of the tree; skips without it."""
    found = TREE / path
    if not found.exists():
        pytest.skip(f"{found.name} is not unpacked in {TREE}")
    return str(found)


def environment(**more: str) -> dict[str, str]:
    places = f"{LIBRARIES}:{TREE / 'lib/x86_64-linux-gnu'}"
    return {**os.environ, "LD_LIBRARY_PATH": places, "SASL_PATH": str(LIBRARIES / "sasl2"), **more}


def cyrus(kind: str, port: int, mechanism: str, user: str, password: str, owner: str = "", *, tls: bool = True) -> str:
    """What sivtest or lmtptest (`kind`) says of a login; behind it comes the end of the session."""
    end = {"sivtest": "LOGOUT\r\n", "lmtptest": "QUIT\r\n"}[kind]
    options = ["-m", mechanism, "-a", user, "-u", owner or user, "-w", password, "-p", str(port)]
    process = subprocess.Popen(
        [program(f"usr/lib/cyrus/bin/{kind}"), *(["-t", ""] if tls else []), *options, "localhost"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    said = b""
    with process:
        while b"Security strength factor" not in said and (line := process.stdout.readline()):
            said += line
        try:
            process.stdin.write(end.encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdout.read()
    return said.decode(errors="replace")


class Gsasl:
    """One exchange, in base64. `bindings` are told to who asks for them."""

    def __init__(self, mechanism: str, *options: str, bindings: dict[str, bytes] | None = None) -> None:
        command = [program("usr/bin/gsasl"), "--client", "--quiet", "--mechanism", mechanism, *options]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            bufsize=0,
        )
        self._bindings = bindings or {}
        self._line()  # the name of the mechanism

    def _line(self) -> str:
        """What it says next, its questions answered."""
        assert self._process.stdout is not None
        said = b""
        while octet := self._process.stdout.read(1):
            said += octet
            if question := re.search(rb"Enter base64 encoded (\S+) channel binding: \Z", said):
                self.tell(self._bindings.get(question[1].decode(), b""))
                said = b""
            elif octet == b"\n":
                break
        return said.decode().strip()

    def tell(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(base64.b64encode(data) + b"\n")

    def first(self) -> bytes:
        return base64.b64decode(self._line())

    def answer(self, challenge: bytes) -> bytes:
        self.tell(challenge)
        return base64.b64decode(self._line())

    def close(self) -> None:
        self._process.kill()
        with self._process:
            pass


class Secure:
    """A ManageSieve session over TLS that can tell of its channel."""

    def __init__(self, port: int, certificate: tuple[Path, Path] | None = None) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if certificate is not None:
            context.use_certificate_file(str(certificate[0]))
            context.use_privatekey_file(str(certificate[1]))
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.settimeout(None)
        self._tls = SSL.Connection(context, self._socket)
        self._tls.set_connect_state()
        self._tls.do_handshake()
        self._buffer = b""
        self.capabilities = self.until_done()

    def bindings(self) -> dict[str, bytes]:
        return {"tls-exporter": self._tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")}

    def send(self, text: bytes) -> None:
        self._tls.sendall(text)

    def line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._buffer += self._tls.recv(16384)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def until_done(self) -> list[bytes]:
        lines = [self.line()]
        while not re.match(rb"(OK|NO|BYE)\b", lines[-1]):
            lines.append(self.line())
        return lines

    def challenge(self) -> bytes | None:
        """What the server asks; None when it says how it ended, which `end` then is."""
        line = self.line()
        if line.startswith(b"{"):
            return base64.b64decode(self.line())
        if line == b'""':
            return b""
        self.end = line
        return None

    def login(self, mechanism: str, client: Gsasl, *, server_first: bool = False) -> bytes:
        """The exchange that `client` leads, to the line that ends it."""
        begin = client.first()
        initial = b"" if server_first else b' "' + base64.b64encode(begin) + b'"'
        self.send(b'AUTHENTICATE "%s"%s\r\n' % (mechanism.encode(), initial))
        while (asked := self.challenge()) is not None:
            self.send(b'"%s"\r\n' % base64.b64encode(client.answer(asked)))
        client.close()
        return self.end

    def close(self) -> None:
        self._socket.close()
