"""A directory: the user's password is right when one can bind with it. Needs `sievemda[ldap]`, which is ldap3.

Two ways to the DN: `ldap_user_dn` makes it of the name; otherwise it is searched for, as `ldap_bind_dn` or anonymously,
and must be one. The first cannot tell an unknown user from a wrong password, the second can.

Why ldap3: it is Python alone, where python-ldap and bonsai want OpenLDAP's headers and a compiler. Why a connection for
each question: a bind changes who a connection is, and after a wrong password that is nobody.
"""

from __future__ import annotations

import re
import socket
import ssl
import stringprep
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sievemda.auth.backends import Answer, Verdict
from sievemda.auth.backends.asking import Gate, Silence
from sievemda.auth.backends.passwordless import Passwordless
from sievemda.auth.client import Client
from sievemda.auth.names import prepared
from sievemda.config import Settings
from sievemda.errors import ConfigurationError, DataError, TemporaryTrouble

_MOST = 1024  # octets of a name or password
_SUCCESS, _NO_SUCH_OBJECT, _BAD_DN, _BAD_CREDENTIALS = 0, 32, 34, 49  # RFC 4511 §4.1.9
# Answers to a bind that are about the user: constraintViolation and unwillingToPerform (locked), inappropriate-
# Authentication (he has no password), insufficientAccessRights.
_SHUT = frozenset({19, 48, 50, 53})
_SCOPES = {"sub": "SUBTREE", "one": "LEVEL", "base": "BASE"}


class _Failed(Exception):
    """This server does not help."""


@dataclass(slots=True)
class _Line:
    """The connection of a question, for who has no more time for it."""

    connection: Any = None
    is_cut: bool = False

    def cut(self) -> None:
        """Whoever reads from it gets an error now, and there will be no other."""
        self.is_cut = True
        used = getattr(self.connection, "socket", None)
        if used is not None:
            with suppress(OSError):
                used.shutdown(socket.SHUT_RDWR)


class Ldap(Passwordless):
    name = "ldap"

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError when the library is missing."""
        try:
            import ldap3  # noqa: PLC0415 - only who uses it needs to have it
        except ImportError as e:
            raise ConfigurationError(f"auth.auth_backends: ldap: pip install 'sievemda[ldap]' ({e})") from e
        self._library: Any = ldap3
        self._options = settings.auth
        self._domain = settings.domain
        self._patience = settings.auth.auth_timeout / len(settings.auth.ldap_uri)  # seconds for each of them
        self._gate = Gate("LDAP", float(settings.auth.auth_timeout))

    def check(self, userid: str, password: str, client: Client) -> Answer:  # noqa: ARG002 - as every back end is asked
        """Without a password one would bind as nobody, and succeed (RFC 4513 §5.1.2).

        Blanks at the ends of a name, and more than one between its words, mean nothing to a directory (RFC 4518 §2.6),
        but another user to us.
        """
        try:
            lengths = [len(text.encode()) for text in (userid, password)]
        except UnicodeEncodeError:
            return Answer(Verdict.UNKNOWN)
        if not all(0 < length <= _MOST for length in lengths) or "\0" in password or _is_odd(userid):
            return Answer(Verdict.UNKNOWN)
        if all(map(stringprep.in_table_b1, password)):  # after SASLprep it may be nothing
            return Answer(Verdict.UNKNOWN)
        return Answer(self._anywhere(userid, password))

    def probe(self) -> None:
        """Bind as who searches, and search."""
        self._anywhere("", "")

    def _anywhere(self, userid: str, password: str) -> Verdict:
        """What the first server says that can be asked."""
        line = _Line()
        return self._gate.ask(lambda until: self._first(line, userid, password, until), line.cut)

    def _first(self, line: _Line, userid: str, password: str, until: float) -> Verdict:
        began = time.monotonic()
        troubles: list[str] = []
        for uri in self._options.ldap_uri:
            if troubles and time.monotonic() >= until:
                break
            try:
                return self._asked(line, uri, userid, password)
            except _Failed as e:
                troubles.append(f"{uri}: {e}")
        text = "; ".join(troubles)
        if time.monotonic() - began >= self._patience:
            raise Silence(text)
        raise TemporaryTrouble(text)

    def _asked(self, line: _Line, uri: str, userid: str, password: str) -> Verdict:
        with self._connected(line, uri) as connection:
            if self._options.ldap_user_dn:
                return self._bound(connection, self._dn(userid), password) if userid else Verdict.UNKNOWN
            self._bind(connection, self._options.ldap_bind_dn, self._options.ldap_password.encode())
            if connection.result["result"] != _SUCCESS:
                raise _Failed(f"ldap_bind_dn cannot bind: {connection.result['description']}")
            found = self._searched(connection, userid or "nobody")  # a probe, which wants to know whether that goes
        if found is None or not userid:
            return Verdict.UNKNOWN
        with self._connected(line, uri) as connection:
            verdict = self._bound(connection, found, password)
        return Verdict.WRONG if verdict is Verdict.UNKNOWN else verdict

    @contextmanager
    def _connected(self, line: _Line, uri: str) -> Iterator[Any]:
        """Raises _Failed for whatever goes wrong, inside too."""
        connection = None
        try:
            connection = line.connection = self._connection(uri)
            if line.is_cut:
                raise _Failed("no answer in time")
            connection.open()
            if self._options.ldap_start_tls and uri.startswith("ldap://") and not connection.start_tls():
                raise _Failed(f"no StartTLS: {connection.result['description']}")
            yield connection
        except _Failed:
            raise
        except Exception as e:
            raise _Failed(f"{type(e).__name__}: {' '.join(str(e).split())[:300]}") from e
        finally:
            self._close(connection)

    def _close(self, connection: Any) -> None:
        """The library leaves sockets open that did not connect, or that were closed at the other end."""
        used = getattr(connection, "socket", None)
        try:
            if connection is not None:
                connection.strategy.close()
        except Exception:  # noqa: BLE001, S110 - as above; the answer is there already
            pass
        finally:
            if used is not None:
                used.close()

    def _connection(self, uri: str) -> Any:
        ca = self._options.ldap_ca_file
        library = self._library
        tls = library.Tls(
            validate=ssl.CERT_REQUIRED,
            version=ssl.PROTOCOL_TLS_CLIENT,
            ca_certs_file=str(ca) if ca else ssl.get_default_verify_paths().cafile,
        )
        server = library.Server(uri.rstrip("/"), get_info=library.NONE, tls=tls, connect_timeout=self._patience)
        return library.Connection(
            server, auto_bind=library.AUTO_BIND_NONE, auto_referrals=False, check_names=False, read_only=True,
            receive_timeout=max(int(self._patience), 1),
        )  # fmt: skip

    def _bind(self, connection: Any, dn: str, password: bytes) -> None:
        connection.user, connection.password = dn or None, password or None
        connection.authentication = self._library.SIMPLE if dn else self._library.ANONYMOUS
        connection.bind()

    def _bound(self, connection: Any, dn: str, password: str) -> Verdict:
        for octets in _spellings(password):
            self._bind(connection, dn, octets)
            code = connection.result["result"]
            if code == _SUCCESS:
                return Verdict.RIGHT
            if code != _BAD_CREDENTIALS:
                break
        if code in {_BAD_CREDENTIALS, _NO_SUCH_OBJECT, _BAD_DN}:
            return Verdict.UNKNOWN
        if code in _SHUT:
            return Verdict.WRONG
        raise _Failed(f"bind: {connection.result['description']}")

    def _searched(self, connection: Any, userid: str) -> str | None:
        """The DN of the user. Referrals are not followed: whom they lead to would be shown his password.

        A base that is not there, or that who searches must not see, is no word about the user.
        """
        from ldap3.utils.conv import escape_filter_chars  # noqa: PLC0415 - as above

        options = self._options
        wanted = self._expanded(options.ldap_filter, userid, escape_filter_chars)
        connection.search(
            options.ldap_base, wanted, search_scope=_SCOPES[options.ldap_scope],
            attributes=["1.1"], size_limit=2, time_limit=max(int(self._patience), 1),
        )  # fmt: skip
        code = connection.result["result"]
        found = [entry["dn"] for entry in connection.response or () if entry["type"] == "searchResEntry"]
        if len(found) > 1:
            raise _Failed("more than one entry fits ldap_filter")
        if code != _SUCCESS:
            raise _Failed(f"search: {connection.result['description']}")
        return found[0] if found else None

    def _dn(self, userid: str) -> str:
        from ldap3.utils.dn import escape_rdn  # noqa: PLC0415 - as above

        return self._expanded(self._options.ldap_user_dn, userid, escape_rdn)

    def _expanded(self, template: str, userid: str, escape: Any) -> str:
        local, _, domain = userid.partition("@")
        words = {"u": userid, "U": local, "d": domain or self._domain}
        return re.sub("%(.)", lambda word: "%" if word[1] == "%" else str(escape(words[word[1]])), template)


def _spellings(password: str) -> tuple[bytes, ...]:
    """As clients of a directory are to send it, and as it was typed, where that is something else.

    RFC 4513 §5.1.3 asks for SASLprep, which most programs that set passwords leave out: what they have hashed is what
    was typed. What SASLprep does not take is no text to it, and goes as it is.
    """
    typed = password.encode()
    try:
        return tuple(dict.fromkeys((prepared(password).encode(), typed)))
    except DataError:
        return (typed,)


def _is_odd(userid: str) -> bool:
    return not userid.isprintable() or userid != " ".join(userid.split())
