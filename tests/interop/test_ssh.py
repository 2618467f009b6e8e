"""A user moves to another host over the real ssh: an sshd of the test's own on loopback, with keys of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.processes import Program, answers, free_port, need

SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {directory}/host
AuthorizedKeysFile {directory}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin yes
"""


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[str]:
    """The command that reaches 127.0.0.1."""
    need("ssh", "ssh-keygen", "/usr/sbin/sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    port = free_port()
    (tmp_path / "sshd_config").write_text(SERVER.format(port=port, directory=tmp_path))
    server = Program(["/usr/sbin/sshd", "-D", "-e", "-f", str(tmp_path / "sshd_config")], tmp_path / "sshd.log")
    server.start(lambda: answers(("127.0.0.1", port)))
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "LogLevel=ERROR"]
    yield shlex.join(["ssh", "-p", str(port), "-i", str(tmp_path / "user"), *(f"-o{option}" for option in options)])
    server.stop()


def test_a_user_moves_over_ssh(ssh: str, tmp_path: Path) -> None:
    def sievemda(site: str, *arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "sievemda", "--data", str(tmp_path / site), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    sievemda("old", "mailbox", "create", "user/alice")
    sievemda("old", "mailbox", "create", "user/alice/Größe")
    new = tmp_path / "old/mail/user/alice/Maildir/new"
    (new / "1700000000.M1P1.x").write_bytes(b"Subject: one\n\n" + bytes(range(256)) * 20_000)
    sievemda("old", "script", "put", "alice", "mine", given="keep;")
    remote = f"env PYTHONPATH={Path(__file__).parents[2]} {sys.executable} -m sievemda --data {tmp_path}/new"
    far = ("--host", "127.0.0.1", "--ssh", ssh, "--remote-command", remote)
    assert sievemda("old", "mailbox", "move", "user/alice", *far) == "user/alice moved to 127.0.0.1\n"
    assert sievemda("new", "mailbox", "list") == "user/alice\nuser/alice/Größe\n"
    assert sievemda("new", "script", "list", "alice") == "mine\n"
    there = tmp_path / "new/mail/user/alice/Maildir/new/1700000000.M1P1.x"
    assert there.read_bytes() == b"Subject: one\n\n" + bytes(range(256)) * 20_000
