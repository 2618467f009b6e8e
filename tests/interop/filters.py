"""procmail and maildrop themselves, run on one message: where does it go?

Both are only unpacked (.ci/run does that): maildrop's package excludes others. $SIEVEMDA_FILTERS, by default
~/.cache/sievemda/filters/tree. Mailboxes are Maildirs, since procmail waits a second for each file of another kind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TREE = Path(os.environ.get("SIEVEMDA_FILTERS", Path.home() / ".cache/sievemda/filters/tree"))
_LIBRARIES = ("usr/lib", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/x86_64-linux-gnu")
_SENDMAIL = (
    '#!/bin/sh\nfor a in "$@"; do case "$a" in -*|"") ;; *) echo "!$a" >> "$FORWARDED" ;; esac; done\ncat > /dev/null\n'
)


class Filters:
    """A directory in which one of them delivers."""

    def __init__(self, directory: Path) -> None:
        self._base = directory
        self._mail = directory / "mail"
        self._rules = directory / "rules"
        self._forwarded = directory / "forwarded"
        self._sendmail = directory / "sendmail"
        self._sendmail.write_text(_SENDMAIL)
        self._sendmail.chmod(0o755)
        libraries = ":".join(str(TREE / part) for part in _LIBRARIES)
        self._environment = os.environ | {"LD_LIBRARY_PATH": libraries, "FORWARDED": str(self._forwarded)}
        self._programs = directory / "bin"
        self._programs.mkdir()

    def procmail(self, rules: str, message: bytes) -> list[str]:
        head = (
            f"MAILDIR={self._mail}\nDEFAULT={self._mail}/INBOX/\nSENDMAIL={self._sendmail}\nLOGFILE={self._base}/log\n"
        )
        envelope = b"From bob@example.net  Thu Nov 19 10:00:00 2026\n"
        return self._run("procmail", head + f"FORWARDED={self._forwarded}\n" + rules, envelope + message, "-m")

    def maildrop(self, rules: str, message: bytes) -> list[str]:
        head = f'DEFAULT="{self._mail}/INBOX"\nSENDMAIL="{self._sendmail}"\nMAIL="{self._mail}"\n'
        return self._run("maildrop", head + rules, b"Return-Path: <bob@example.net>\n" + message, folders=True)

    def _program(self, name: str) -> str:
        """A copy that is not set-group-id: such a one heeds no LD_LIBRARY_PATH."""
        program = TREE / "usr/bin" / name
        if not program.exists():
            pytest.skip(f"{name} is not unpacked in {TREE}")
        copy = self._programs / name
        if not copy.exists():
            shutil.copyfile(program, copy)
            copy.chmod(0o755)
        return str(copy)

    def _run(self, name: str, rules: str, message: bytes, *options: str, folders: bool = False) -> list[str]:
        shutil.rmtree(self._mail, ignore_errors=True)
        self._forwarded.unlink(missing_ok=True)
        for folder in ("INBOX", "one", "two", "three") if folders else ():
            for part in ("tmp", "new", "cur"):
                (self._mail / folder / part).mkdir(parents=True)
        self._mail.mkdir(exist_ok=True)
        self._rules.write_text(rules)
        self._rules.chmod(0o600)
        command = [self._program(name), *options, str(self._rules)]
        subprocess.run(command, input=message, cwd=self._mail, env=self._environment, check=True, capture_output=True)
        found = [str(new.parent.parent.relative_to(self._mail)) for new in self._mail.rglob("new/*")]
        sent = self._forwarded.read_text().split() if self._forwarded.exists() else []
        return sorted(found + sent)
