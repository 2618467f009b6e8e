"""Pigeonhole, reading the link to several active scripts, runs them all."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sievemda.store.scripts import ScriptStore
from tests.interop.processes import need

CONFIGURATION = """\
log_path = /dev/stderr
mail_home = {home}
mail_location = maildir:{home}/Maildir
plugin {{
  sieve = file:{home}/sieve;active={home}/.dovecot.sieve
}}
"""
NAMES = ('my "own" rules', "managesieve", "sogo")


@pytest.fixture
def home() -> Iterator[Path]:
    """The home of the user that sieve-test runs as: it refuses to run as root."""
    need("sieve-test", "setpriv")
    base = Path(tempfile.mkdtemp(prefix="sievemda-"))
    base.chmod(0o777)
    yield base
    shutil.rmtree(base, ignore_errors=True)


def test_pigeonhole_runs_all_active_scripts_in_their_order(home: Path) -> None:
    scripts = ScriptStore(home, file_mode=0o666, folder_mode=0o777)
    for number, name in enumerate(NAMES):
        scripts.put(name, b'require ["fileinto", "copy"];\r\nfileinto :copy "F%d";\r\n' % number)
    scripts.set_active(NAMES)
    (home / "sieve").chmod(0o777)
    for path in (home / "sieve").iterdir():
        path.chmod(0o666)
    (home / "dovecot.conf").write_text(CONFIGURATION.format(home=home))
    (home / "m.eml").write_text("From: bob@example.net\r\nSubject: x\r\n\r\nBody\r\n")
    # The file itself is given, as sieve-test does not look for the active script.
    shutil.copy(home / ".dovecot.sieve", home / "active.sieve")
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*drop, "sieve-test", "-C", "-c", str(home / "dovecot.conf"), str(home / "active.sieve"), str(home / "m.eml")],
        capture_output=True, check=False, cwd=home, env={"HOME": str(home), "PATH": os.environ["PATH"]}, timeout=60,
    )  # fmt: skip
    told = done.stdout.decode()
    assert done.returncode == 0, told + done.stderr.decode()
    places = [line.rpartition(": ")[2] for line in told.splitlines() if "store message in folder" in line]
    assert places == ["F0", "F1", "F2", "INBOX"]
