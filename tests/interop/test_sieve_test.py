"""Pigeonhole's sieve-test does with the corpus what we do, or the corpus says which section of an RFC decides.

What is compared: mailboxes with flags, addresses of redirects, and that there is a refusal, an answer, a notification
or a run-time error. sieve-test shows an answer without asking whether it is proper, so a suppressed one counts. It
cannot be told of the null reverse-path.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.reading import Case, cases
from tests.interop.processes import need

CONFIGURATION = """\
mail_location = maildir:{base}/mail
plugin {{
  sieve_extensions = +editheader +spamtest +spamtestplus +virustest +imapflags +notify +vnd.dovecot.environment \
+mboxmetadata +servermetadata +special-use
  sieve_spamtest_status_type = score
  sieve_spamtest_status_header = X-Spam-Score:[[:space:]]*([0-9.]+)
  sieve_spamtest_max_value = 10
}}
"""
# The extensions of Pigeonhole 0.5.19; a case with another one is not for it.
KNOWN = frozenset(
    re.findall(
        r"\S+",
        """
        body comparator-i;ascii-casemap comparator-i;ascii-numeric comparator-i;octet copy date duplicate editheader
        encoded-character enotify envelope environment extracttext fileinto foreverypart ihave imap4flags imapflags
        include index mailbox mime notify regex reject relational spamtest spamtestplus subaddress vacation variables
        virustest
        """,
    )
)
_REQUIRED = re.compile(r'^require\s+(\[[^\]]*\]|"[^"]*")', re.MULTILINE | re.IGNORECASE)
_KINDS = {"reject": "reject", "send vacation message": "vacation", "send notification": "notify", "discard": "discard"}


def theirs_too(case: Case) -> bool:
    """Whether sieve-test can be asked."""
    names = {name for found in _REQUIRED.findall(case.script) for name in re.findall(r'"([^"]*)"', found)}
    return names <= KNOWN and case.sender != "<>"


CASES = [case for case in cases() if theirs_too(case)]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory in which the user that sieve-test runs as may write: it refuses to run as root."""
    need("sieve-test", "setpriv")
    base = Path(tempfile.mkdtemp(prefix="sievemda-"))
    base.chmod(0o777)
    (base / "dovecot.conf").write_text(CONFIGURATION.format(base=base))
    yield base
    shutil.rmtree(base, ignore_errors=True)


def by_pigeonhole(case: Case, place: Path) -> list[str]:
    (place / "s.sieve").write_text(case.script)
    (place / "m.eml").write_text(case.message)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    options = ["-C", "-c", f"{place}/dovecot.conf", "-f", case.sender, "-r", case.recipient]
    environment = {"HOME": str(place), "PATH": os.environ["PATH"], "TZ": "UTC"}
    done = subprocess.run(
        [*drop, "sieve-test", *options, f"{place}/s.sieve", f"{place}/m.eml"],
        capture_output=True, check=False, cwd=place, env=environment, timeout=60,
    )  # fmt: skip
    assert b"failed to compile" not in done.stderr, done.stderr.decode()
    if done.returncode:
        return ["error"]
    return sorted(_told(done.stdout.decode("utf-8", "replace")))


def _told(output: str) -> Iterator[str]:
    """The actions in the report of sieve-test; side effects, flags among them, stand on the lines behind a store."""
    for stored, effects in re.findall(r"^ \* store message in folder: (.*)\n((?:\s+\+ .*\n)*)", output, re.MULTILINE):
        flags = re.search(r"\+ add IMAP flags: (.*)", effects)
        yield _store(stored, flags[1].split() if flags else [])
    for line in output.splitlines():
        if sent := re.match(r" \* redirect message to: <(.*)>", line):
            yield f"redirect {sent[1]}"
        else:
            yield from (kind for start, kind in _KINDS.items() if line.startswith(f" * {start}"))


def _store(mailbox: str, flags: list[str]) -> str:
    name = "INBOX" if mailbox.upper() == "INBOX" else mailbox
    return " ".join(["store", name, *sorted(flag.lower() for flag in flags)])


def by_us(actions: list[dict[str, Any]]) -> list[str]:
    return sorted(map(_ours, actions))


def _ours(action: dict[str, Any]) -> str:
    if "error" in action:
        return "error"
    match action["action"]:
        case "keep" | "fileinto":
            return _store(action.get("mailbox", "INBOX"), action["flags"])
        case "redirect":
            return f"redirect {action['address']}"
        case "ereject":
            return "reject"
    return action["action"]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_same_actions_as_pigeonhole(case, place):
    alike = by_pigeonhole(case, place) == by_us(case.actions())
    assert alike or case.differs
    assert not (alike and case.differs), "the difference that is recorded is none any more"
