"""The libraries of Perl, PHP and Emacs, each in a program that takes our calls as lines of JSON."""

from __future__ import annotations

import base64
import json
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.interop.clients.session import Client, Login, Place, Refused
from tests.interop.processes import need

__all__ = ["CLIENTS"]

_HERE = Path(__file__).parent
_PACKAGES = {
    "net_sieve.pl": Path("/usr/share/perl5/Net/Sieve.pm"),
    "net_managesieve.pl": Path("/usr/share/perl5/Net/ManageSieve.pm"),
    "net_sieve.php": Path("/usr/share/php/Net/Sieve.php"),
    "sieve_manage.el": Path("/usr/bin/emacs"),
}
_EMACS = ["emacs", "--quick", "--batch", "--load"]


class _Foreign:
    def __init__(self, language: str, program: str, place: Place, login: Login) -> None:
        need(language)
        if not _PACKAGES[program].exists():
            pytest.skip(f"not installed: {_PACKAGES[program]}")
        self._log = (place.directory / "client.log").open("w+")
        self._process = subprocess.Popen(
            [*(_EMACS if language == "emacs" else [language]), str(_HERE / program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        words = {"user": login.user, "password": login.password, "mechanism": login.mechanism}
        words["key"] = str(login.key or "")
        try:
            self._call("open", port=place.port, tls=place.tls, authority=str(place.authority), **words)
        except Refused:
            self._end()
            raise

    def _call(self, what: str, **words: object) -> object:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **words}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise AssertionError(f"the client has ended:\n{self._log.read()}")
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["value"]

    def _end(self) -> None:
        self._process.communicate()
        self._log.close()

    def list(self) -> dict[str, bool]:
        found = self._call("list")
        assert isinstance(found, dict)
        return found

    def put(self, name: str, script: bytes) -> None:
        self._call("put", name=name, script=base64.b64encode(script).decode())

    def activate(self, name: str) -> None:
        self._call("activate", name=name)

    def get(self, name: str) -> bytes:
        return base64.b64decode(str(self._call("get", name=name)))

    def delete(self, name: str) -> None:
        self._call("delete", name=name)

    def close(self) -> None:
        try:
            self._call("close")
        finally:
            self._end()


def _simple_lines(script: bytes) -> bytes:
    """Net::ManageSieve ends a script with one LF, whatever there was."""
    return script.rstrip() + b"\n"


def _and_line_end(script: bytes) -> bytes:
    """Net_Sieve gives the end of the line behind the script, too."""
    return script + b"\r\n"


PERL: tuple[str, ...] = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5")  # of Debian's Authen::SASL

CLIENTS = [
    Client(
        "libnet-managesieve-perl",
        partial(_Foreign, "perl", "net_managesieve.pl"),
        PERL,
        renames=False,
        gives=_simple_lines,
    ),
    Client(
        "libnet-sieve-perl", partial(_Foreign, "perl", "net_sieve.pl"), (*PERL, "EXTERNAL", "GSSAPI"), renames=False
    ),
    Client(
        "emacs",
        partial(_Foreign, "emacs", "sieve_manage.el"),
        ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"),
        tls_on_connect=True,
        renames=False,
        lists_quotes=False,
    ),
    Client(
        "php-net-sieve",
        partial(_Foreign, "php", "net_sieve.php"),
        ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "XOAUTH2"),
        tls_on_connect=True,
        renames=False,
        gives=_and_line_end,
    ),
]
