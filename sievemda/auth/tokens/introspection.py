"""Asking who issued a token whether it is valid: RFC 7662.

Whatever keeps an answer from coming, in time and in form, is TemporaryTrouble: nobody knows then whether the token is
valid. Redirections are not followed, since the token and our own secret would go along. *Why* http.client and a timer
that shuts the connection: one request with a small answer, and a time limit that holds for the whole of it, where
those of libraries hold from one packet to the next.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Mapping
from typing import Any

from sievemda.auth.backends.asking import Gate, Silence
from sievemda.auth.tokens.refused import TokenRefused
from sievemda.config import Sasl
from sievemda.errors import TemporaryTrouble

_MAX_ANSWER = 64 << 10  # octets
_MAX_TOLD = 200  # characters of what went wrong: some errors repeat the answer


def claims(token: str, settings: Sasl) -> Mapping[str, Any]:
    """What the issuer says of it. Raises TokenRefused when it is not valid (any more), TemporaryTrouble."""
    status, answer = _gate(settings).ask(lambda _until: _answer(token, settings))
    try:
        found = json.loads(answer) if status == http.client.OK else None
    except (ValueError, RecursionError) as e:
        raise TemporaryTrouble(f"introspection of a token: {e}") from e
    if found is None:
        raise TemporaryTrouble(f"introspection of a token: HTTP status {status}")
    if not isinstance(found, dict) or not isinstance(found.get("active"), bool):
        raise TemporaryTrouble("introspection of a token: the answer does not say whether it is active")
    if not found["active"]:
        raise TokenRefused("invalid_token", "its issuer says that it is not active")
    return found


def _answer(token: str, settings: Sasl) -> tuple[int, bytes]:
    try:
        return _ask(token, settings)
    except (OSError, http.client.HTTPException, ValueError) as e:  # the last: a size below zero, a host that is no name
        raise Silence(f"introspection of a token: {type(e).__name__}: {' '.join(str(e).split())[:_MAX_TOLD]}") from e


_gates: dict[str, Gate] = {}
_making = threading.Lock()


def _gate(settings: Sasl) -> Gate:
    """An issuer that is silent keeps few waiting: he is asked by one at a time until he answers again."""
    with _making:
        name = settings.oauth2_introspection_url
        return _gates.setdefault(name, Gate("introspection of a token", float(settings.oauth2_timeout)))


def _ask(token: str, settings: Sasl) -> tuple[int, bytes]:
    url = urllib.parse.urlsplit(settings.oauth2_introspection_url)
    seconds = float(settings.oauth2_timeout)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=seconds)
    sockets: list[socket.socket] = []
    late = threading.Timer(seconds, _shut, (connection, sockets))
    late.daemon = True
    late.start()
    try:
        connection.connect()
        sockets.append(connection.sock)  # it forgets its socket when no other answer is to come, and reads on
        body = urllib.parse.urlencode({"token": token, "token_type_hint": "access_token"})
        path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
        connection.request("POST", path, body, _headers(settings.oauth2_introspection_auth))
        with connection.getresponse() as response:
            answer = response.read(_MAX_ANSWER + 1)
            left = response.length
        if len(answer) > _MAX_ANSWER or left:
            raise http.client.HTTPException("the answer is too long, or a part of it is missing")
        if late.finished.is_set():
            raise TimeoutError("the answer took too long")
        return response.status, answer
    finally:
        late.cancel()
        connection.close()


def _headers(auth: str) -> dict[str, str]:
    """RFC 7662 §2.1; a client's name and secret are encoded as RFC 6749 §2.3.1 says."""
    found = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    client, colon, secret = auth.partition(":")
    if colon:
        pair = f"{urllib.parse.quote_plus(client)}:{urllib.parse.quote_plus(secret)}"
        found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif auth:
        found["Authorization"] = f"Bearer {auth}"
    return found


def _shut(connection: http.client.HTTPConnection, sockets: list[socket.socket]) -> None:
    """Whoever waits for the answer gets an error now, or an end."""
    for one in (*sockets, connection.sock):
        if one is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)  # below TLS, which another thread is using
