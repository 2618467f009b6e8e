"""Commands that are called for every message, or by hand all day, load nothing that they do not need."""

import subprocess
import sys

import pytest

from sievemda.config import Settings
from sievemda.store.mailstore import MailStore

CODE = "import sys; from sievemda.cli import main; main.run(sys.argv[1:]); print(*sys.modules)"
MOVING = {f"sievemda.store.{name}" for name in ("catchup", "clearing", "journey", "leftovers", "moves", "undelete")}
FOREIGN = {"aiosmtpd", "asyncio", "dns", "email", "lark", "OpenSSL", "sqlite3", "ssl", "tomllib", "uvloop"}


@pytest.mark.parametrize(
    ("command", "without"),
    [
        (("mailbox", "list"), {*FOREIGN, *MOVING, "sievemda.store.slots"}),
        (("quota", "list"), {*FOREIGN, *MOVING}),
        (("deliver", "alice"), {*FOREIGN, *MOVING, "sievemda.store.slots", "sievemda.store.mailstore", "difflib"}),
    ],
    ids=["mailbox list", "quota list", "deliver"],
)
def test_a_short_command_loads_nothing_heavy(tmp_path, command, without):
    store = MailStore(Settings(data=tmp_path))
    store.create(store.namespace.parse_admin("user/alice"))
    done = subprocess.run(
        [sys.executable, "-c", CODE, "--data", str(tmp_path), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "sievemda.configload" in loaded, done.stderr
    assert loaded & without == set()


def test_a_shell_loads_what_it_has_a_use_for():
    """No mechanism before it is chosen, nothing for editing before somebody edits."""
    arguments = ["sieveshell", "--no-tls", "127.0.0.1:1", "-e", "list"]
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=False)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "sievemda.managesieve.client.session" in loaded, done.stderr
    assert loaded & {"scramp", "email", "subprocess", "tempfile", "dns", "cryptography", "lark"} == set()
