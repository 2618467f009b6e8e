"""Our own client against a ManageSieve server that others wrote: Dovecot's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import Program, answers, free_port, need, need_root

CONFIG = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = sieve
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain login scram-sha-1 scram-sha-256 oauthbearer
passdb {{
  driver = static
  args = password={{plain}}secret
  mechanisms = plain login scram-sha-1 scram-sha-256
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={base}/homes/%u
}}
mail_location = maildir:~/Maildir
service managesieve-login {{
  inet_listener sieve {{
    port = {port}
  }}
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_quota_max_scripts = 3
}}
"""


@pytest.fixture(scope="module")
def server(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Server]:
    need("dovecot")
    need_root()
    if not Path("/usr/lib/dovecot/managesieve-login").exists():
        pytest.skip("not installed: dovecot-managesieved")
    made = Server(make_directory() / "dovecot")
    logs["dovecot"] = made.directory / "log"
    made.program.start(lambda: answers(("127.0.0.1", made.port)))
    yield made
    made.program.stop()


class Server:
    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o755)
        (directory / "homes").mkdir(mode=0o777)
        (directory / "homes").chmod(0o777)
        self.directory, self.port = directory, free_port()
        self.certificate, key = make_certificate(directory)
        config = directory / "dovecot.conf"
        config.write_text(CONFIG.format(base=directory, port=self.port, certificate=self.certificate, key=key))
        self.program = Program(["dovecot", "-F", "-c", str(config)], directory / "output")


@pytest.fixture
def shell(server: Server, new_name: Callable[[str], str], tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs the shell for a new user: (exit code, standard output, standard error)."""
    user = new_name("user")

    def run(*arguments: str, password: str = "secret", stdin: str = "") -> tuple[int, str, str]:
        place = f"{user}@localhost:{server.port}"
        done = subprocess.run(
            [sys.executable, "-m", "sievemda", "sieveshell", "--ca", str(server.certificate), *arguments, place],
            env=os.environ | {"SIEVEMDA_PASSWORD": password},
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("mechanism", ["", "PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_every_mechanism(shell: Callable[..., tuple[int, str, str]], mechanism: str) -> None:
    assert shell(*(("-m", mechanism) if mechanism else ()), "-e", "list") == (0, "", "")


def test_a_wrong_password_is_not_let_in(shell: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = shell("-e", "list", password="wrong")
    assert code == 77
    assert err.count("\n") == 1


def test_the_life_of_a_script(shell: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "big.sieve").write_text("# " + "x" * 200_000 + "\nkeep;\n")
    (tmp_path / "a.sieve").write_text("keep;\n")
    steps = (
        'put a.sieve work; activate work; list; rename work "büro x"; get "büro x"; put big.sieve big; get big there'
    )
    code, out, err = shell("-e", steps)
    assert (code, err) == (0, "")
    assert out == "work  <- active script\nkeep;\n"
    assert (tmp_path / "there").read_bytes() == (tmp_path / "big.sieve").read_bytes()
    code, out, _ = shell("--json", "-e", "list")
    assert json.loads(out) == [{"name": "big", "active": False}, {"name": "büro x", "active": True}]
    assert shell("-e", 'delete "büro x"')[0] == 77
    assert shell("-e", 'deactivate; delete "büro x"; delete big; list') == (0, "", "")


def test_errors_are_what_they_are(shell: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "bad.sieve").write_text("foo;\n")
    (tmp_path / "a.sieve").write_text("keep;\n")
    assert shell("-e", "check bad.sieve")[0] == 65
    assert shell("-e", "put bad.sieve bad")[0] == 65
    assert shell("-e", "get nothing")[0] == 67
    assert shell("-e", "activate nothing")[0] == 67
    assert shell("-e", "put a.sieve 1; put a.sieve 2; rename 1 2")[0] == 73
    assert shell("-e", "put a.sieve 3; put a.sieve 4")[0] == 77
    assert shell("-e", "try 1")[0] == 77


def test_a_script_is_edited(
    shell: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "stop;" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    (tmp_path / "a.sieve").write_text("keep;\n")
    assert shell("-e", "put a.sieve a; edit a; get a")[:2] == (0, "keep;\nstop;\n")


def test_its_greeting_is_understood_by_a_probe(server: Server) -> None:
    from sievemda.upkeep.probing.doors import Place, managesieve

    assert managesieve(Place("127.0.0.1", server.port), 10.0) == "greets"
