"""What TLS is spoken, at every door, as openssl's own client finds it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import need
from tests.interop.site import Site

DOORS = {"on connect": [], "STARTTLS of ManageSieve": ["-starttls", "sieve"], "STARTTLS of LMTP": ["-starttls", "lmtp"]}
ANY = "DEFAULT:@SECLEVEL=0"  # whatever the client's own policy is


@pytest.fixture(scope="module")
def secured(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    need("openssl")
    directory = make_directory()
    certificate, key = make_certificate(directory)
    site = Site(directory / "site", {"tls_server_cert": str(certificate), "tls_server_key": str(key)}, workers=1)
    logs["sievemda with TLS alone"] = site.log
    site.start()
    yield site
    site.stop()


@pytest.fixture(params=DOORS)
def client(request: pytest.FixtureRequest, secured: Site) -> Callable[..., str]:
    """Runs openssl's client with these options and this input; what it says."""
    door = DOORS[request.param]
    port = secured.port if "lmtp" in door else secured.managesieve_port
    if door:
        door = [*door, "-name", "client.example"]

    def run(*options: str, stdin: bytes = b"") -> str:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *door, *options]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=30, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    return run


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_new_versions_are_spoken_without_compression(client: Callable[..., str], version: str) -> None:
    said = client(f"-tls{version}")

    assert f"TLSv{version.replace('_', '.')}" in said
    assert "Cipher is (NONE)" not in said
    assert "Compression: NONE" in said


@pytest.mark.parametrize("version", ["1", "1_1"])
def test_old_versions_are_not(client: Callable[..., str], version: str) -> None:
    assert "Cipher is (NONE)" in client(f"-tls{version}", "-cipher", ANY)


@pytest.mark.parametrize(
    "cipher", ["AES128-SHA", "AES256-SHA256", "ECDHE-RSA-AES128-SHA", "NULL-SHA256", "AECDH-AES128-SHA"]
)
def test_weak_ciphers_are_not(client: Callable[..., str], cipher: str) -> None:
    said = client("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")

    assert "Cipher is (NONE)" in said
    assert "no cipher match" not in said


@pytest.mark.parametrize("cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"])
def test_ciphers_with_forward_secrecy_are(client: Callable[..., str], cipher: str) -> None:
    assert f"Cipher is {cipher}" in client("-tls1_2", "-cipher", cipher)


def test_a_client_cannot_renegotiate(client: Callable[..., str]) -> None:
    said = client("-tls1_2", stdin=b"R\n")

    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said or "unexpected record" in said  # the greeting, where an answer was expected
