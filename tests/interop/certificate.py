"""A self-signed certificate for one test run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.interop.processes import need


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """Certificate and key for localhost and 127.0.0.1, in PEM."""
    need("openssl")
    certificate, key = directory / "cert.pem", directory / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key
