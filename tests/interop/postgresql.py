"""A private PostgreSQL: a cluster below a directory, at a UNIX socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.interop.processes import Program

PORT = 5432  # part of the socket's name


class Postgresql:
    """Runs as another user when we are root, since it refuses to be root."""

    def __init__(self, directory: Path) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not programs:
            pytest.skip("not installed: postgresql")
        self.programs, self.directory, self.data = programs[-1], directory, directory / "data"
        self._user = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        directory.mkdir(mode=0o755)
        os.chown(directory, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", str(self.data), "-A", "trust", "-U", "sievemda", "-E", "UTF8", "--no-sync")
        command = [
            str(self.programs / "postgres"), "-D", str(self.data), "-k", str(directory), "-p", str(PORT),
            "-c", "listen_addresses=", "-c", "fsync=off",
        ]  # fmt: skip
        self.program = Program(command, directory / "log", **self._as_user())

    def start(self) -> None:
        self.program.start(self._answers)

    def stop(self) -> None:
        self.program.stop()

    def uri(self, database: str) -> str:
        return f"postgresql://sievemda@/{database}?host={self.directory}&port={PORT}"

    def create(self, database: str) -> str:
        """A new database; its URI."""
        self._run("createdb", "-h", str(self.directory), "-U", "sievemda", database)
        return self.uri(database)

    def _answers(self) -> bool:
        ready = self.programs / "pg_isready"
        return subprocess.run([ready, "-q", "-h", self.directory], check=False).returncode == 0

    def _as_user(self) -> dict[str, object]:
        if os.geteuid() != 0:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": [], "cwd": self.directory}

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments], check=True, stdout=subprocess.DEVNULL, timeout=60, **self._as_user()
        )

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
