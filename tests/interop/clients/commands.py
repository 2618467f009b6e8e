"""Programs for a shell: sieve-connect, and Cyrus' sieveshell. Each call starts one, which logs in and out."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.interop import sasl
from tests.interop.clients.session import Client, Login, Place, Refused
from tests.interop.processes import need

__all__ = ["CLIENTS"]

_TREE = Path(os.environ.get("SIEVEMDA_CYRUS", Path.home() / ".cache/sievemda/cyrus/tree"))


class _Program:
    def __init__(self, place: Place, login: Login) -> None:
        self._place, self._login = place, login

    def _run(self, command: Sequence[str], stdin: str = "", **environment: str) -> str:
        done = subprocess.run(
            command,
            input=stdin.encode(),
            capture_output=True,
            cwd=self._place.directory,
            env=os.environ | environment,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise Refused((done.stdout + done.stderr).decode(errors="replace"))
        return done.stdout.decode()

    def close(self) -> None:
        """Each call has said LOGOUT itself."""

    def _write(self, name: str, script: bytes) -> str:
        (self._place.directory / name).write_bytes(script)
        return name


class _SieveConnect(_Program):
    def _do(self, *arguments: str) -> str:
        need("sieve-connect")
        place, login = self._place, self._login
        server = ("--server", "localhost", "--port", str(place.port), "--nosrv", "--4")
        trust = ("--notlsverify",) if place.tls == "relay" else ("--tlscafile", str(place.authority))
        how = ("--authmech", login.mechanism) if login.mechanism else ()
        key = ("--clientkeycert", str(login.key)) if login.key else ()
        who = ("--user", login.user, "--passwordfd", "0")
        return self._run(["sieve-connect", *server, *trust, *how, *key, *who, *arguments], login.password)

    def list(self) -> dict[str, bool]:
        found = re.findall(r'^"(.*)"( ACTIVE)?$', self._do("--list"), re.MULTILINE)
        return {name: bool(active) for name, active in found}

    def put(self, name: str, script: bytes) -> None:
        self._do("--localsieve", self._write("local", script), "--remotesieve", name, "--upload")

    def activate(self, name: str) -> None:
        self._do("--remotesieve", name, "--activate")

    def get(self, name: str) -> bytes:
        self._do("--localsieve", "got", "--remotesieve", name, "--download")
        return (self._place.directory / "got").read_bytes()

    def delete(self, name: str) -> None:
        self._do("--remotesieve", name, "--delete")


class _Sieveshell(_Program):
    """It takes the strongest mechanism that it has a plug-in of SASL for: only that of the wanted one is shown."""

    def _do(self, command: str) -> str:
        shell = _TREE / "usr/lib/cyrus/bin/sieveshell"
        if not shell.exists():
            pytest.skip(f"sieveshell is not unpacked in {_TREE}")
        login = self._login
        given = sasl.environment()
        given["PERL5LIB"] = str(_TREE / "usr/lib/x86_64-linux-gnu/perl5/5.36")
        if login.mechanism:
            given["SASL_PATH"] = str(self._only(login.mechanism))
        who = ["-u", login.user, "-a", login.user, "-p", login.password]
        return self._run(["perl", str(shell), *who, "-e", command, f"localhost:{self._place.port}"], **given)

    def _only(self, mechanism: str) -> Path:
        sasl.program("usr/lib/cyrus/bin/sivtest")  # the plug-ins lie in its tree
        plugins = self._place.directory / "plugins"
        plugins.mkdir(exist_ok=True)
        name = f"lib{_PLUGINS[mechanism]}.so"
        if not (plugins / name).exists():
            (plugins / name).symlink_to(sasl.LIBRARIES / "sasl2" / name)
        return plugins

    def list(self) -> dict[str, bool]:
        lines = self._do("list").splitlines()[1:]
        return {line.removesuffix("  <- active script").rstrip(): line.endswith("<- active script") for line in lines}

    def put(self, name: str, script: bytes) -> None:
        self._do(f"put {self._write('local', script)} {name}")

    def activate(self, name: str) -> None:
        self._do(f"activate {name}")

    def get(self, name: str) -> bytes:
        self._do(f"get {name} got")
        return (self._place.directory / "got").read_bytes()

    def delete(self, name: str) -> None:
        self._do(f"delete {name}")


_PLUGINS = {
    "PLAIN": "plain",
    "LOGIN": "login",
    "CRAM-MD5": "crammd5",
    "DIGEST-MD5": "digestmd5",
    "SCRAM-SHA-256": "scram",
    "GSSAPI": "gssapiv2",
}

CLIENTS = [
    Client(
        "sieve-connect",
        _SieveConnect,
        ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "GSSAPI"),
        renames=False,
    ),
    Client(
        "sieveshell",
        _Sieveshell,
        tuple(_PLUGINS),
        starttls=False,
        renames=False,
        takes_warnings=False,
        lists_utf8=False,
    ),
]
