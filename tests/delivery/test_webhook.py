"""Webhooks against a real web server with TLS."""

import http.server
import json
import socket
import ssl
import threading
import time

import pytest

from sievemda.delivery import webhook
from sievemda.delivery.outbox import Outbox
from sievemda.delivery.outgoing import Outgoing
from sievemda.delivery.submission import Delay, Refusal
from tests.delivery.world import changed, message
from tests.interop.certificate import make_certificate
from tests.ports import free_port

BODY = b'{"message": "hi"}'


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, certificate, key):
        super().__init__(("127.0.0.1", 0), Requests)
        self.got, self.status, self.location, self.slow, self.finished = [], 204, "", False, False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""


class Requests(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.server.slow:
            for _ in range(600):
                self.wfile.write(b"H")
                self.wfile.flush()
                time.sleep(0.1)
            self.server.finished = True
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *_):
        """Into nobody's terminal."""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate):
    server = Server(*certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(world, certificate):
    return changed(
        world.settings,
        sieve_notify_https_hosts=("127.0.0.1",),
        sieve_notify_https_networks=("127.0.0.0/8", "::1/128"),
        sieve_notify_https_ca=certificate[0],
    )


def url(server, path="/hook?a=b"):
    return f"https://127.0.0.1:{server.server_port}{path}"


def test_it_is_posted_as_json(settings, server):
    assert webhook.post(settings, url(server), BODY) is None
    ((path, headers, body),) = server.got
    assert (path, body) == ("/hook?a=b", BODY)
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert headers["User-Agent"].startswith("sievemda/")


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_taken(settings, server, status):
    server.status = status
    assert webhook.post(settings, url(server), BODY) is None


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_refused_for_good(settings, server, status):
    server.status = status
    assert webhook.post(settings, url(server), BODY) == Refusal("5.3.0", f"127.0.0.1 answered {status}")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_to_be_tried_again(settings, server, status):
    server.status = status
    assert webhook.post(settings, url(server), BODY) == Delay(f"127.0.0.1 answered {status}")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(settings, server, status):
    server.status, server.location = status, url(server, "/other")
    assert isinstance(webhook.post(settings, url(server), BODY), Refusal)
    assert len(server.got) == 1


def test_an_address_of_our_own_network_is_refused_unless_the_site_lists_it(world, server):
    answer = webhook.post(world.settings, url(server), BODY)
    assert isinstance(answer, Refusal)
    assert "is not on the Internet" in answer.text
    assert server.got == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "0.0.0.0", "100.64.0.1", "224.0.0.1"],
)  # fmt: skip
def test_addresses_that_are_not_of_the_internet(world, host):
    assert isinstance(webhook.post(world.settings, f"https://{host}/", BODY), Refusal)


def test_a_certificate_that_nobody_signed_is_no_server(settings, server):
    answer = webhook.post(changed(settings, sieve_notify_https_ca=None), url(server), BODY)
    assert isinstance(answer, Delay)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.text
    assert server.got == []


def test_nobody_there_is_a_delay_that_holds_up_nothing_else(settings):
    answer = webhook.post(settings, f"https://127.0.0.1:{free_port()}/", BODY)
    assert isinstance(answer, Delay)
    assert not answer.nobody_there


def test_what_speaks_no_tls_is_a_delay(settings):
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def greet():
            with plain.accept()[0] as client:
                client.sendall(b"220 hello\r\n" * 10)

        talk = threading.Thread(target=greet)
        talk.start()
        assert isinstance(webhook.post(settings, f"https://127.0.0.1:{plain.getsockname()[1]}/", BODY), Delay)
        talk.join()


def test_an_answer_that_drips_is_cut_off(settings, server, monkeypatch):
    monkeypatch.setattr(webhook, "_ALL", 0.5)
    server.slow = True
    assert isinstance(webhook.post(settings, url(server), BODY), Delay)
    assert not server.finished


# --- in the outbox ---


def hook(server):
    return Outgoing("webhook", "", url(server), BODY)


def test_the_outbox_posts_it_and_is_done(settings, server):
    outbox = Outbox(settings)
    outbox.put(hook(server))
    assert outbox.run_due(time.time()) == 1
    assert server.got[0][2] == BODY
    assert list(outbox._new.iterdir()) == []


def test_the_outbox_tries_again_and_gives_up_in_the_end(settings, server):
    server.status = 503
    outbox = Outbox(changed(settings, outbox_retry=300, outbox_expire=3600))
    outbox.put(hook(server))
    now = time.time()
    assert outbox.run_due(now) == 0
    assert outbox.run_due(now + 299) == 0
    assert outbox.run_due(now + 4000) == 1
    assert len(server.got) == 2
    assert list(outbox._new.iterdir()) == []


def test_mail_goes_before_webhooks(settings, server, tmp_path):
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\ncat > /dev/null\n")
    program.chmod(0o700)
    outbox = Outbox(changed(settings, sendmail=program))
    outbox.put(hook(server))
    outbox.put(Outgoing("redirect", "a@b", "c@d", b"A: b\n\n"))
    due = outbox._due(time.time() + 1)
    assert [name.endswith(".hook") for name in due] == [False, True]
    assert outbox.run_due(time.time()) == 2


def test_what_a_script_says_arrives(make_world, certificate, server):
    world = make_world(
        sieve_notify_https_hosts=(f"127.0.0.1:{server.server_port}",),
        sieve_notify_https_networks=("127.0.0.1",),
        sieve_notify_https_ca=certificate[0],
    )
    world.user("alice", script=f'require "enotify"; notify :message "Grüße" "{url(server)}";')
    world.deliver("alice@x", message())
    assert world.outbox.run_due(time.time()) == 1
    assert json.loads(server.got[0][2])["message"] == "Grüße"
