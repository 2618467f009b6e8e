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


def sievemda(data: Path, *arguments: str, given: str = "", code: int = 0) -> str:
    """What a command says: where it is to come to an end well, on standard output."""
    command = [sys.executable, "-m", "sievemda", "--data", str(data), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done
    return done.stderr if code else done.stdout


def remote(tmp_path: Path) -> str:
    return f"env PYTHONPATH={Path(__file__).parents[2]} {sys.executable} -m sievemda --data {tmp_path}/new"


def mail(data: Path) -> list[bytes]:
    inbox = data / "mail/user/alice/Maildir"
    return sorted(file.read_bytes() for part in ("new", "cur") for file in (inbox / part).iterdir())


def filled(data: Path) -> None:
    """A site with a message of alice's."""
    sievemda(data, "mailbox", "create", "user/alice")
    (data / "mail/user/alice/Maildir/new/1700000000.M1P1.x").write_bytes(b"Subject: one\n\n" + b"x" * 100_000)


CUT = """
import os, sys
end, most = sys.argv[1].encode(), int(sys.argv[2])
while (block := os.read(0, 4096)) and end not in block and most > 0:
    os.write(1, block)
    most -= len(block)
"""


# What of the conversation comes to the other end: all until it would let him in; a piece.
@pytest.mark.parametrize(("end", "octets"), [('"do": "arrive"', 1 << 30), ("-none-", 50_000)])
def test_a_move_that_was_cut_off_is_taken_back(ssh: str, tmp_path: Path, end: str, octets: int) -> None:
    filled(tmp_path / "old")
    before = mail(tmp_path / "old")
    (tmp_path / "cut.py").write_text(CUT)
    cut = shlex.join([sys.executable, str(tmp_path / "cut.py"), end, str(octets)])
    far = ("mailbox", "move", "user/alice", "--host", "127.0.0.1", "--ssh", ssh, "--remote-command")
    assert "the connection was cut" in sievemda(tmp_path / "old", *far, f"{cut} | {remote(tmp_path)}", code=69)
    assert sievemda(tmp_path / "old", *far, remote(tmp_path), "--abort") == "user/alice stays here\n"
    assert mail(tmp_path / "old") == before
    assert not (tmp_path / "new/mail/user/alice").exists()
    assert sievemda(tmp_path / "old", *far, remote(tmp_path)) == "user/alice moved to 127.0.0.1\n"
    assert mail(tmp_path / "new") == before


def test_a_host_that_says_nothing_is_given_up(ssh: str, tmp_path: Path) -> None:
    filled(tmp_path / "old")
    far = ("mailbox", "move", "user/alice", "--host", "127.0.0.1", "--ssh", ssh, "--remote-command")
    said = sievemda(tmp_path / "old", *far, f"sleep 60; {remote(tmp_path)}", "--timeout", "3", code=75)
    assert "127.0.0.1 has said nothing for 3 seconds" in said
    assert sievemda(tmp_path / "old", *far, remote(tmp_path)) == "user/alice moved to 127.0.0.1\n"


def test_a_user_moves_over_ssh(ssh: str, tmp_path: Path) -> None:
    sievemda(tmp_path / "old", "mailbox", "create", "user/alice")
    sievemda(tmp_path / "old", "mailbox", "create", "user/alice/Größe")
    new = tmp_path / "old/mail/user/alice/Maildir/new"
    (new / "1700000000.M1P1.x").write_bytes(b"Subject: one\n\n" + bytes(range(256)) * 20_000)
    sievemda(tmp_path / "old", "script", "put", "alice", "mine", given="keep;")
    far = ("--host", "127.0.0.1", "--ssh", ssh, "--remote-command", remote(tmp_path))
    assert sievemda(tmp_path / "old", "mailbox", "move", "user/alice", *far) == "user/alice moved to 127.0.0.1\n"
    assert sievemda(tmp_path / "new", "mailbox", "list") == "user/alice\nuser/alice/Größe\n"
    assert sievemda(tmp_path / "new", "script", "list", "alice") == "mine\n"
    there = tmp_path / "new/mail/user/alice/Maildir/new/1700000000.M1P1.x"
    assert there.read_bytes() == b"Subject: one\n\n" + bytes(range(256)) * 20_000
