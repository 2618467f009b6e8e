"""Cyrus' sivtest, which logs in and then leaves the line to whoever types: here, to commands of the protocol."""

from __future__ import annotations

import re
import subprocess

from tests.interop import sasl
from tests.interop.clients.session import Client, Login, Place, Refused

__all__ = ["CLIENTS"]


class _Sivtest:
    def __init__(self, place: Place, login: Login) -> None:
        options = ["-a", login.user, "-u", login.user, "-w", login.password, "-p", str(place.port)]
        options += ["-m", login.mechanism] if login.mechanism else []
        options += ["-t", str(login.key or "")] if place.tls == "starttls" else []
        self._process = subprocess.Popen(
            [sasl.program("usr/lib/cyrus/bin/sivtest"), *options, "localhost"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=sasl.environment(), bufsize=0,
        )  # fmt: skip
        said = b""
        while b"Security strength factor" not in said and (line := self._line()):
            said += line
        if b"\nAuthenticated." not in said:
            self._leave()
            raise Refused(said.decode())

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _leave(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"LOGOUT\r\n")
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        assert self._process.stdout is not None
        self._process.stdout.read()
        with self._process:
            pass

    def _do(self, command: bytes) -> bytes:
        """What comes before the OK."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + b"\r\n")
        said = b""
        while not (end := re.match(rb"(OK|NO|BYE)\b", line := self._line())):
            assert line, said
            said += line
            if literal := re.search(rb"\{(\d+)\}\r\n\Z", line):
                rest = int(literal[1])
                while rest > 0:
                    part = self._process.stdout.read(rest)
                    said, rest = said + part, rest - len(part)
        if end[1] != b"OK":
            if literal := re.search(rb"\{(\d+)\}\r\n\Z", line):
                line += self._process.stdout.read(int(literal[1]))
                self._line()
            raise Refused(line.decode())
        return said

    def list(self) -> dict[str, bool]:
        found = re.findall(r'^"(.*)"( ACTIVE)?\r$', self._do(b"LISTSCRIPTS").decode(), re.MULTILINE)
        return {name: bool(active) for name, active in found}

    def put(self, name: str, script: bytes) -> None:
        self._do(b"PUTSCRIPT %s {%d+}\r\n%s" % (_quoted(name), len(script), script))

    def activate(self, name: str) -> None:
        self._do(b"SETACTIVE " + _quoted(name))

    def get(self, name: str) -> bytes:
        return self._do(b"GETSCRIPT " + _quoted(name)).partition(b"\r\n")[2].removesuffix(b"\r\n")

    def rename(self, old: str, new: str) -> None:
        self._do(b"RENAMESCRIPT %s %s" % (_quoted(old), _quoted(new)))

    def delete(self, name: str) -> None:
        self._do(b"DELETESCRIPT " + _quoted(name))

    def close(self) -> None:
        self._leave()


def _quoted(name: str) -> bytes:
    return b'"%s"' % name.encode()


_MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN")

CLIENTS = [Client("sivtest", _Sivtest, (*_MECHANISMS, "GSSAPI", "EXTERNAL"))]
