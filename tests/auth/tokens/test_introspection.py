"""Tokens that the issuer is asked about, over HTTP on loopback."""

import base64
import contextlib
import http.server
import json
import socket
import threading
import time
import urllib.parse

import pytest

from sievemda.auth.tokens.check import bearer
from sievemda.auth.tokens.refused import TokenRefused
from sievemda.config import Sasl
from sievemda.errors import TemporaryTrouble
from tests.ports import free_port


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, dict(self.headers), urllib.parse.parse_qs(body)))
        status, headers, answer = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def issuer():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as server:
        server.daemon_threads = True
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.says = lambda answer, status=200, **headers: setattr(
            server, "answer", (status, headers, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        )
        yield server
        server.shutdown()
        thread.join()


def asking(issuer, **options):
    return Sasl(oauth2_introspection_url=f"http://127.0.0.1:{issuer.server_address[1]}/introspect?v=1", **options)


def test_a_token_is_whose_the_issuer_says(issuer):
    issuer.says({"active": True, "sub": "alice"})
    assert bearer("opaque-token", asking(issuer, oauth2_introspection_auth="cli ent:se:cret")) == "alice"
    path, headers, form = issuer.asked[0]
    assert path == "/introspect?v=1"
    assert form == {"token": ["opaque-token"], "token_type_hint": ["access_token"]}
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"cli+ent:se%3Acret"


def test_it_may_want_a_bearer_token_of_ours(issuer):
    issuer.says({"active": True, "sub": "alice"})
    bearer("opaque-token", asking(issuer, oauth2_introspection_auth="ours"))
    assert issuer.asked[0][1]["Authorization"] == "Bearer ours"


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        ({"active": False}, {}),
        ({"active": False, "sub": "alice"}, {}),
        ({"active": True}, {}),
        ({"active": True, "sub": "alice", "exp": 1}, {}),
        ({"active": True, "sub": "alice", "nbf": 4_000_000_000}, {}),
        ({"active": True, "sub": "alice", "aud": "shop"}, {}),
        ({"active": True, "sub": "alice", "scope": "mail"}, {"oauth2_scope": ("sieve",)}),
        ({"active": True, "sub": "alice"}, {"oauth2_issuer": ("https://issuer.example",)}),
    ],
)
def test_a_token_that_is_not_valid_is_refused(issuer, answer, options):
    issuer.says(answer)
    with pytest.raises(TokenRefused):
        bearer("opaque-token", asking(issuer, **options))


@pytest.mark.parametrize(
    ("answer", "status", "headers"),
    [
        (b"", 200, {}),
        (b"no JSON", 200, {}),
        (b"[" * 60_000, 200, {}),
        ([], 200, {}),
        ({"active": "true"}, 200, {}),
        ({"sub": "alice"}, 200, {}),
        ({"active": True, "sub": "alice"}, 500, {}),
        ({"active": True, "sub": "alice"}, 401, {}),
        ({"active": True, "sub": "alice"}, 302, {"Location": "/elsewhere"}),
        (b'{"active": true, "sub": "alice", "x": "' + b"x" * 70_000 + b'"}', 200, {}),
        ({"active": True, "sub": "alice"}, 200, {"Content-Length": "100000"}),
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_trouble_and_no_refusal(issuer, answer, status, headers):
    issuer.says(answer, status, **headers)
    with pytest.raises(TemporaryTrouble):
        bearer("opaque-token", asking(issuer))
    assert len(issuer.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\0" * 60_000,
        b"no\rlog\nline\r\n",
        b"",
    ],
    ids=lambda answer: repr(answer[-10:]),
)
def test_what_is_no_http_is_trouble_that_is_told_in_few_words(answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1 << 16)

        threading.Thread(target=speak, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(TemporaryTrouble) as caught:
            bearer("opaque-token", Sasl(oauth2_introspection_url=url))
    assert len(str(caught.value)) < 400
    assert not {"\r", "\n"} & set(str(caught.value))


@pytest.mark.parametrize("url", [f"http://{'a' * 70}.example/", "http://127.0.0.1:99999/", "http://127.0.0.1/a b"])
def test_an_address_that_is_none_is_trouble(url):
    with pytest.raises(TemporaryTrouble):
        bearer("opaque-token", Sasl(oauth2_introspection_url=url))


def test_an_issuer_that_is_away_is_trouble():
    port = free_port()
    with pytest.raises(TemporaryTrouble):
        bearer("opaque-token", Sasl(oauth2_introspection_url=f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    "drip",
    [b"", b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{", b"HTTP/1.0 200 OK\r\n\r\n{"],
    ids=["nothing", "status", "length", "to the end"],
)
def test_an_issuer_that_is_slow_is_trouble_after_its_time(drip, monkeypatch):
    """One that goes on saying a little, too."""
    stop = threading.Event()

    def serve(listener):
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(drip)
            while not stop.wait(0.05):
                connection.sendall(b"x" if drip else b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            with pytest.raises(TemporaryTrouble):
                bearer("opaque-token", asking_at(listener, 0.3))
        finally:
            stop.set()
            thread.join()


def asking_at(listener, seconds):
    return Sasl(oauth2_introspection_url=f"http://127.0.0.1:{listener.getsockname()[1]}/", oauth2_timeout=seconds)


def test_signed_tokens_are_checked_here_and_others_asked_about(issuer, tmp_path):
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "keys"
    path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    issuer.says({"active": True, "sub": "bob"})
    both = asking(issuer, oauth2_keys=path)
    assert bearer(jwt.encode({"sub": "alice", "exp": time.time() + 60}, key, "EdDSA"), both) == "alice"
    assert issuer.asked == []
    assert bearer("opaque-token", both) == "bob"


def in_trouble(settings):
    with pytest.raises(TemporaryTrouble):
        bearer("opaque-token", settings)


def test_an_issuer_that_is_silent_is_asked_by_one_at_a_time(issuer):
    """So that logins with passwords do not wait behind tokens."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        settings = asking_at(silent, 60)
        first = threading.Thread(target=in_trouble, args=(settings,))
        first.start()
        connection, _ = silent.accept()
        connection.close()
        first.join()
        second = threading.Thread(target=in_trouble, args=(settings,))
        second.start()
        connection, _ = silent.accept()
        with pytest.raises(TemporaryTrouble, match="not answered lately"):
            bearer("opaque-token", settings)
        connection.close()
        second.join()
