"""Scripts come in through clients that others wrote, and decide about the next message."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import managesieve
import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import need
from tests.interop.site import Site, message

SCRIPT = 'require "fileinto";\nif header :contains "subject" "report" {\n    fileinto "Work";\n}\n'
BROKEN = 'require "fileinto";\nif header :contains "subject" {\n    fileinto;\n}\nnonsense;\n'


@pytest.fixture(scope="module")
def tls_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    directory = make_directory()
    certificate, key = make_certificate(directory)
    settings = {"tls_server_cert": str(certificate), "tls_server_key": str(key), "allowplaintext": "no"}
    site = Site(directory / "site", settings)
    logs["sievemda with TLS"] = site.log
    site.start()
    yield site
    site.stop()


@pytest.fixture
def owner(tls_site: Site, new_name: Callable[[str], str]) -> str:
    return tls_site.user(new_name("owner"), "Work", password="secret")


class SieveConnect:
    """The Perl client `sieve-connect`, which asks for TLS and checks the certificate."""

    def __init__(self, site: Site, user: str, directory: Path) -> None:
        need("sieve-connect")
        authority = site.directory.parent / "cert.pem"
        server = ["--server", "localhost", "--port", str(site.managesieve_port), "--nosrv", "--4"]
        self.command = ["sieve-connect", *server, "--user", user, "--tlscafile", str(authority), "--passwordfd", "0"]
        self.directory = directory

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [*self.command, *arguments],
            input="secret",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.directory,
        )
        output = done.stdout + done.stderr
        assert done.returncode == code, f"sieve-connect ended with {done.returncode}:\n{output}"
        return output


@pytest.fixture
def sieve_connect(tls_site: Site, owner: str, tmp_path: Path) -> SieveConnect:
    (tmp_path / "main.sieve").write_text(SCRIPT)
    (tmp_path / "broken.sieve").write_text(BROKEN)
    return SieveConnect(tls_site, owner, tmp_path)


def test_sieve_connect_uploads_a_script_that_then_decides(
    tls_site: Site, owner: str, sieve_connect: SieveConnect
) -> None:
    sieve_connect.run("--localsieve", "main.sieve", "--remotesieve", "main", "--upload")
    sieve_connect.run("--remotesieve", "main", "--activate")

    tls_site.lmtp(message(Subject="the report"), f"{owner}@example.org")

    assert len(tls_site.files(owner, "Work")) == 1


def test_sieve_connect_lists_downloads_and_deletes(sieve_connect: SieveConnect, tmp_path: Path) -> None:
    for name in ("main", "other"):
        sieve_connect.run("--localsieve", "main.sieve", "--remotesieve", name, "--upload")
    sieve_connect.run("--remotesieve", "main", "--activate")

    listed = sieve_connect.run("--list")
    sieve_connect.run("--localsieve", "got.sieve", "--remotesieve", "main", "--download")
    sieve_connect.run("--remotesieve", "other", "--delete")

    assert '"main" ACTIVE' in listed
    assert '"other"' in listed
    assert (tmp_path / "got.sieve").read_text() == SCRIPT
    assert "other" not in sieve_connect.run("--list")


def test_sieve_connect_is_told_every_error_of_a_script_and_nothing_is_stored(sieve_connect: SieveConnect) -> None:
    told = sieve_connect.run("--localsieve", "broken.sieve", "--remotesieve", "broken", "--upload", code=1)

    assert "2:" in told
    assert "5:" in told
    assert "broken" not in sieve_connect.run("--list")


def test_sieve_connect_checks_a_script_without_storing_it(sieve_connect: SieveConnect) -> None:
    sieve_connect.run("--localsieve", "main.sieve", "--checkscript")

    assert "main" not in sieve_connect.run("--list")


def test_sieve_connect_with_a_wrong_password_is_refused(tls_site: Site, owner: str, tmp_path: Path) -> None:
    client = SieveConnect(tls_site, owner, tmp_path)
    client.command = [part if part != owner else "somebody.else" for part in client.command]

    refused = subprocess.run([*client.command, "--list"], input="secret", capture_output=True, text=True, check=False)

    assert refused.returncode != 0


@pytest.fixture
def session(tls_site: Site, owner: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[managesieve.MANAGESIEVE]:
    """A session of the Python library, logged in under TLS; it trusts what OpenSSL trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_site.directory.parent / "cert.pem"))
    client = managesieve.MANAGESIEVE("localhost", tls_site.managesieve_port, use_tls=True)
    assert client.login("", owner, "secret") == "OK"
    secured = client.sock.sslobj
    yield client
    client.logout()
    secured.close()  # the library closes only the socket below


def test_the_python_library_stores_activates_and_reads_a_script(
    tls_site: Site, owner: str, session: managesieve.MANAGESIEVE
) -> None:
    assert session.havespace("main", len(SCRIPT)) == "OK"
    assert session.putscript("main", SCRIPT) == "OK"
    assert session.setactive("main") == "OK"
    assert session.listscripts() == ("OK", [("main", True)])
    assert session.getscript("main") == ("OK", SCRIPT)

    tls_site.lmtp(message(Subject="the report"), f"{owner}@example.org")
    assert len(tls_site.files(owner, "Work")) == 1


def test_the_python_library_is_told_why_a_script_is_refused(session: managesieve.MANAGESIEVE) -> None:
    assert session.putscript("broken", BROKEN) == "NO"
    assert "2:" in session.response_text
    assert session.listscripts() == ("OK", [])


def test_the_active_script_cannot_be_deleted_before_it_is_deactivated(session: managesieve.MANAGESIEVE) -> None:
    session.putscript("main", SCRIPT)
    session.setactive("main")

    assert session.deletescript("main") == "NO"
    assert session.setactive("") == "OK"
    assert session.deletescript("main") == "OK"
