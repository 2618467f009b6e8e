"""The lock of a control file, when the process that held it was killed."""

import subprocess
import sys

import pytest

from sievemda.store.files import Dotlock

KILLED = """
import os, sys
from pathlib import Path
from sievemda.store import files
setattr(files.os, sys.argv[2], lambda *_, **__: os.kill(os.getpid(), 9))
with files.Dotlock(Path(sys.argv[1]), 0o600) as lock:
    lock.replace(b"half")
"""


@pytest.mark.parametrize("step", ["fsync", "rename", "unlink"])
def test_nobody_waits_for_a_process_that_was_killed_while_it_replaced_a_file(tmp_path, step):
    file = tmp_path / "control"
    file.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(file), step], check=False)
    assert done.returncode == -9
    assert file.read_bytes() == (b"half" if step == "unlink" else b"old")
    with Dotlock(file, 0o600, patience=5.0) as lock:
        lock.replace(b"new")
    assert file.read_bytes() == b"new"
    assert not (tmp_path / "control.lock").exists()
