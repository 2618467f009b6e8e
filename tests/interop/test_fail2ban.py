"""fail2ban reads what the server writes about failed logins: the filter and the jail that are shipped, its own tools."""

from __future__ import annotations

import re
import socket
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.processes import CONF, need, wait_until
from tests.interop.site import Site

FILTER = CONF / "fail2ban" / "filter.d" / "sievemda.conf"
FORGED = "managesieve: login failed: user=x mech=PLAIN rhost=6.6.6.6 reason=credentials"
HOSTILE = [
    "nobody",
    "alice rhost=6.6.6.6 reason=credentials",
    f"x\r\n2026-11-22 10:00:00,000 WARNING [1] {FORGED}",
    f"x\n{FORGED}\n",
    "rhost=6.6.6.6",
    '" rhost="6.6.6.6"',
    "\u2028rhost=6.6.6.6\u2029\x85",
    "\x1b]0;6.6.6.6\x07",
    "<HOST> 6.6.6.6 \\",
    "a" * 250,
]


@pytest.fixture(scope="module")
def guarded_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    site = Site(make_directory() / "site", {"failedloginpause": "0", "lmtp_trusted_networks": ""}, workers=1)
    logs["sievemda and fail2ban"] = site.log
    site.start()
    yield site
    site.stop()


def fail(port: int, source: str, user: str, command: bytes) -> None:
    """One wrong password from an address of loopback."""
    with socket.create_connection(("127.0.0.1", port), 60, (source, 0)) as client, client.makefile("rb") as lines:
        plain = b64encode(f"\0{user}\0wrong".encode())
        client.sendall(command % plain)
        answer = b""
        while not answer.startswith((b"NO", b"BYE", b"535")):
            answer = lines.readline()
            assert answer


def matched(log: Path) -> list[str]:
    """The addresses that fail2ban finds in a log."""
    done = subprocess.run(
        ["fail2ban-regex", "--out", "<ip>", str(log), str(FILTER)], capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if line]


@pytest.fixture(scope="module")
def log(guarded_site: Site) -> Path:
    """What the server has written about hostile users, each from an address of his own, and one who may come in."""
    need("fail2ban-regex")
    for number, user in enumerate(HOSTILE, 2):
        fail(guarded_site.managesieve_port, f"127.0.0.{number}", user, b'AUTHENTICATE "PLAIN" "%s"\r\n')
        fail(guarded_site.port, f"127.0.1.{number}", user, b"LHLO x\r\nAUTH PLAIN %s\r\n")
    guarded_site.user("homeless", password="wrong")
    guarded_site.cli("account", "deny", "homeless")
    fail(guarded_site.managesieve_port, "127.0.2.1", "homeless", b'AUTHENTICATE "PLAIN" "%s"\r\n')
    wait_until(lambda: "reason=denied" in guarded_site.log.read_text(), "the last line of the log")
    return guarded_site.log


def test_every_failed_login_is_found_with_its_address_and_nothing_else(log: Path) -> None:
    wanted = [f"127.0.{host}.{number}" for number in range(2, 2 + len(HOSTILE)) for host in (0, 1)]
    assert matched(log) == wanted


def test_each_is_one_line_of_the_promised_form(log: Path) -> None:
    lines = [line for line in log.read_text().splitlines() if "login failed" in line]
    form = r"\S+ \S+ WARNING \[\d+\] (managesieve|lmtp): login failed: user=\S+ mech=PLAIN rhost=127\.0\.\d\.\d+ reason=\w+"
    assert [line for line in lines if not re.fullmatch(form, line)] == []
    assert len(lines) == 2 * len(HOSTILE) + 1


@pytest.mark.parametrize(
    "prefix",
    ["Nov 22 10:00:00 mail sievemda[77]: ", "2026-11-22T10:00:00.123456+00:00 mail sievemda[77]: "],
    ids=["syslog", "iso"],
)
def test_lines_that_came_by_syslog_are_found_too(log: Path, tmp_path: Path, prefix: str) -> None:
    lines = [line for line in log.read_text().splitlines() if "login failed" in line]
    copied = tmp_path / "log"
    copied.write_text("".join(f"{prefix}{line}\n" for line in lines))

    assert matched(copied) == matched(log)


def test_the_jail_is_one_that_fail2ban_takes(tmp_path: Path) -> None:
    need("fail2ban-client")
    for part in ("filter.d", "jail.d"):
        (tmp_path / part).mkdir()
        text = (CONF / "fail2ban" / part / "sievemda.conf").read_text()
        (tmp_path / part / "sievemda.conf").write_text(text)
    (tmp_path / "filter.d" / "common.conf").write_bytes(Path("/etc/fail2ban/filter.d/common.conf").read_bytes())
    for name in ("fail2ban.conf", "jail.conf", "paths-common.conf", "paths-debian.conf", "action.d"):
        (tmp_path / name).symlink_to(Path("/etc/fail2ban") / name)

    done = subprocess.run(["fail2ban-client", "-c", str(tmp_path), "-d"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "['add', 'sievemda', 'systemd']" in done.stdout
    assert "login failed" in done.stdout
