"""Passwords as Dovecot's `doveadm pw` writes them, and accounts as the system's mkpasswd hashes them."""

import subprocess

import pytest

from sievemda import configload
from sievemda.auth.chain import users_of
from sievemda.auth.schemes import SCHEMES
from tests.interop.processes import need

USER, PASSWORD = "alice@example.org", "pencil & süß: 'x'"
OURS = sorted(set(SCHEMES) - {"CRYPT"})


@pytest.fixture
def file(tmp_path):
    need("doveadm")
    return tmp_path / "users"


@pytest.fixture
def users(tmp_path, file):
    return users_of(
        configload.load(data=tmp_path / "data", sets=["auth_backends=passwd-file", f"auth_passwd_file={file}"])
    )


def made(scheme, *options, password=PASSWORD):
    command = ["doveadm", "pw", *options, "-s", scheme, "-u", USER, "-p", password]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def test_every_scheme_of_dovecot_is_known_or_named_as_missing(file):
    theirs = subprocess.run(["doveadm", "pw", "-l"], check=True, capture_output=True, text=True).stdout.split()
    assert set(theirs) - set(SCHEMES) == {"OTP", "PLAIN-TRUNC"}


@pytest.mark.parametrize(
    "scheme", [*OURS, "CRYPT", "SSHA512.HEX", "SSHA.b64", "SHA256.hex", "SHA512-CRYPT.b64", "CRAM-MD5.b64"]
)
def test_what_dovecot_makes_of_a_password_lets_in(users, file, scheme):
    password = "pencil" if scheme.startswith(("PLAIN", "CLEAR")) else PASSWORD
    file.write_text(
        f"other@example.org:{{PLAIN}}x\n{USER}:{made(scheme, password=password)}:1000:1000::/home/alice::\n"
    )
    assert users.check_password(USER, password) == USER
    assert users.check_password(USER, "x" + password) is None
    assert users.check_password("other@example.org", password) is None


@pytest.mark.parametrize("scheme", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_a_verifier_of_dovecot_is_one_of_ours(users, file, scheme):
    file.write_text(f"{USER}:{made(scheme)}\n")
    assert scheme in users.mechanisms()
    assert users.verifier(USER, scheme).iterations == 4096
    assert users.verifier(USER, scheme).stored_key != users.verifier("nobody", scheme).stored_key


@pytest.mark.parametrize(
    "method",
    ["yescrypt", "gost-yescrypt", "scrypt", "bcrypt", "bcrypt-a", "sha512crypt", "sha256crypt", "md5crypt", "descrypt"],
)
def test_hashes_of_the_system_let_in(users, file, method):
    need("mkpasswd")
    hashed = subprocess.run(
        ["mkpasswd", "-m", method, "-s"], input="pencil", check=True, capture_output=True, text=True
    ).stdout
    file.write_text(f"{USER}:{hashed.strip()}:1000:1000\n")
    assert users.check_password(USER, "pencil") == USER
    assert users.check_password(USER, "pen") is None
