"""The libraries managesieve, sievelib and sievemgr, from PyPI."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import managesieve
import sievelib.managesieve
import sievemgr

from tests.interop.clients.session import Client, Login, Place, Refused

__all__ = ["CLIENTS"]


@contextmanager
def _trusting(authority: Path) -> Iterator[None]:
    """These libraries trust whom OpenSSL trusts."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(authority)
    yield
    if before is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = before


class _Managesieve:
    def __init__(self, place: Place, login: Login) -> None:
        with _trusting(place.authority):
            self._client = managesieve.MANAGESIEVE("localhost", place.port, use_tls=place.tls == "starttls")
        words = [login.user, login.password]
        if not login.mechanism:
            self._expect(self._client.login("", *words))
        else:
            self._expect(self._client.authenticate(login.mechanism, *words))

    def _expect(self, reply: str) -> None:
        if reply != "OK":
            text = self._client.response_text or reply
            self._leave()
            raise Refused(text)

    def _leave(self) -> None:
        """Only after a refused login: there is no session that would end."""
        if self._client.state == "NONAUTH":
            self.close()

    def list(self) -> dict[str, bool]:
        reply, scripts = self._client.listscripts()
        self._expect(reply)
        return dict(scripts)

    def put(self, name: str, script: bytes) -> None:
        self._expect(self._client.putscript(name, script.decode()))

    def activate(self, name: str) -> None:
        self._expect(self._client.setactive(name))

    def get(self, name: str) -> bytes:
        reply, script = self._client.getscript(name)
        self._expect(reply)
        return script.encode()

    def delete(self, name: str) -> None:
        self._expect(self._client.deletescript(name))

    def close(self) -> None:
        secured = getattr(self._client.sock, "sslobj", None)
        try:
            assert self._client.logout() == "OK"
        finally:
            if secured is not None:
                secured.close()  # the library closes only the socket below


class _Sievelib:
    def __init__(self, place: Place, login: Login) -> None:
        self._client = sievelib.managesieve.Client("localhost", place.port)
        with _trusting(place.authority):
            self._expect(
                self._client.connect(
                    login.user,
                    login.password,
                    starttls=place.tls == "starttls",
                    ssl=place.tls == "connect",
                    authmech=login.mechanism or None,
                )
            )

    def _expect(self, done: object) -> None:
        if not done:
            raise Refused(self._client.errmsg.decode())

    def list(self) -> dict[str, bool]:
        found = self._client.listscripts()
        self._expect(found)
        active, others = found
        return dict.fromkeys(others, False) | ({active: True} if active is not None else {})

    def put(self, name: str, script: bytes) -> None:
        self._expect(self._client.putscript(name, script.decode()))

    def activate(self, name: str) -> None:
        self._expect(self._client.setactive(name))

    def get(self, name: str) -> bytes:
        script = self._client.getscript(name)
        self._expect(script is not None)
        return script.encode()

    def rename(self, old: str, new: str) -> None:
        self._expect(self._client.renamescript(old, new))

    def delete(self, name: str) -> None:
        self._expect(self._client.deletescript(name))

    def close(self) -> None:
        self._client.logout()
        self._client.sock.close()


class _Sievemgr:
    def __init__(self, place: Place, login: Login) -> None:
        context = ssl.create_default_context(cafile=str(place.authority))
        if login.key:
            context.load_cert_chain(login.key)
        self._client = sievemgr.SieveManager()
        self._client.sslcontext = context
        self._client.open("localhost", place.port, tls=place.tls == "starttls", ocsp=False)
        mechanisms = {each.name.upper(): each for each in sievemgr.BasePwdAuth.getmechs(obsolete=True)}
        mechanisms["EXTERNAL"] = sievemgr.ExternalAuth
        chosen = {"sasl": mechanisms[login.mechanism]} if login.mechanism else {}
        words = () if login.mechanism == "EXTERNAL" else (login.password,)
        try:
            with self._told():
                self._client.authenticate(login.user, *words, **chosen)
        except Refused:
            self._client.logout()
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sievemgr.SieveOperationError, sievemgr.SASLError, sievemgr.SASLCapabilityError) as e:
            raise Refused(str(e)) from e

    def list(self) -> dict[str, bool]:
        with self._told():
            return dict(self._client.listscripts())

    def put(self, name: str, script: bytes) -> None:
        with self._told():
            self._client.putscript(script.decode(), name)

    def activate(self, name: str) -> None:
        with self._told():
            self._client.setactive(name)

    def get(self, name: str) -> bytes:
        with self._told():
            return self._client.getscript(name).encode()

    def rename(self, old: str, new: str) -> None:
        with self._told():
            self._client.renamescript(old, new, emulate=False)

    def delete(self, name: str) -> None:
        with self._told():
            self._client.deletescript(name)

    def close(self) -> None:
        self._client.logout()


def _lines(script: bytes) -> bytes:
    """sievelib gives the lines of a script, without what ends the last one."""
    return b"\n".join(script.splitlines())


SCRAM = ("SCRAM-SHA-1", "SCRAM-SHA-256")

CLIENTS = [
    Client("managesieve", _Managesieve, ("PLAIN", "LOGIN"), renames=False),
    # Its XOAUTH2 puts a comma behind the user's name, so that he is nobody.
    Client(
        "sievelib",
        _Sievelib,
        ("PLAIN", "LOGIN", "OAUTHBEARER"),
        tls_on_connect=True,
        unheard=("OAUTHBEARER",),
        gives=_lines,
    ),
    Client(
        "sievemgr",
        _Sievemgr,
        ("PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", *SCRAM, *(f"{name}-PLUS" for name in SCRAM)),
        lists_quotes=False,
    ),
]
