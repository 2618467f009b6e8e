"""swaks as an LMTP client: over the UNIX socket and TCP, with TLS, pipelining and refusals."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import need
from tests.interop.site import Site, message

ONE_REFUSED = 25  # swaks: no recipient taken is 24, DATA refused 26; one of several is no error


@pytest.fixture
def tls_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    directory = make_directory()
    certificate, key = make_certificate(directory)
    site = Site(directory / "site", {"tls_server_cert": str(certificate), "tls_server_key": str(key)})
    logs["sievemda with TLS"] = site.log
    site.start()
    yield site
    site.stop()


def swaks(*arguments: str, code: int = 0) -> str:
    need("swaks")
    command = ["swaks", "--protocol", "LMTP", "--helo", "mta.example.net", "--from", "bob@example.net", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, f"swaks ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_message_is_delivered_over_the_unix_socket(site: Site, user: str) -> None:
    swaks("--socket", str(site.socket), "--to", f"{user}@example.org", "--data", message("From swaks").decode())

    [file] = site.files(user)
    assert b"From swaks" in file.read_bytes()


def test_a_message_is_delivered_over_tcp_to_several_with_one_reply_each(site: Site, user: str, new_name) -> None:
    other = site.user(new_name("user"))

    dialogue = swaks(
        *("--server", "127.0.0.1", "--port", str(site.port), "--pipeline"),
        *("--to", f"{user}@example.org,nobody.here@example.org,{other}@example.org"),
    )

    assert dialogue.count("550") >= 1
    assert dialogue.count("250 2.1.5") == 4  # two at RCPT, two after DATA
    assert len(site.files(user)) == len(site.files(other)) == 1


def test_an_unknown_user_alone_is_refused(site: Site) -> None:
    dialogue = swaks("--socket", str(site.socket), "--to", "nobody.here@example.org", code=24)

    assert "550" in dialogue
    assert "5.1.1" in dialogue


def test_the_options_of_the_server_are_announced(site: Site) -> None:
    dialogue = swaks("--server", "127.0.0.1", "--port", str(site.port), "--quit-after", "LHLO")

    for option in ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE", "DSN", "IGNOREQUOTA"):
        assert any(line.split()[1:2] and option in line for line in dialogue.splitlines()), option


def test_a_message_is_delivered_under_tls(tls_site: Site) -> None:
    tls_site.user("alice")

    dialogue = swaks(
        *("--server", "127.0.0.1", "--port", str(tls_site.port), "--tls", "--to", "alice@example.org"),
    )

    assert "TLS started" in dialogue
    [file] = tls_site.files("alice")
    assert b"with LMTPS" in file.read_bytes()


def test_a_refused_message_is_reported_for_the_recipient_who_rejects_it(site: Site, user: str) -> None:
    site.script(user, 'require "reject";\nreject "Not this one";\n')

    dialogue = swaks("--socket", str(site.socket), "--to", f"{user}@example.org", code=26)

    assert "550 5.7.1" in dialogue
    assert "Not this one" in dialogue
