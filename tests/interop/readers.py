"""Programs that read and write a Maildir++ tree without a server: mbsync, and neomutt on a terminal of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

from tests.interop.processes import need

SECONDS = 30.0  # that neomutt may take
_SHOWN = re.compile(r"shown (\d+) new (\d+) flagged (\d+)")


class Mbsync:
    """Keeps `local` as a copy of what lies in `far`, a section of mbsync's configuration that describes a store."""

    def __init__(self, directory: Path, far: str) -> None:
        need("mbsync")
        self.local = directory / "local"
        self.state = directory / "state"
        self.config = directory / "mbsyncrc"
        for made in (directory, self.local, self.state):
            made.mkdir()
        self.config.write_text(
            f"{far}\n\n"
            f"MaildirStore near\nPath {self.local}/\nInbox {self.local}/INBOX\nSubFolders Verbatim\n\n"
            "Channel all\nFar :far:\nNear :near:\nPatterns *\n"
            f"Create Both\nRemove Both\nExpunge Both\nSyncState {self.state}/\n"
        )

    @classmethod
    def over_maildir(cls, directory: Path, maildir: Path) -> Mbsync:
        return cls(directory, f"MaildirStore far\nInbox {maildir}\nSubFolders Maildir++")

    @classmethod
    def over_imap(cls, directory: Path, port: int, user: str, password: str) -> Mbsync:
        account = f"Host 127.0.0.1\nPort {port}\nUser {user}\nPass {password}\nSSLType None\nAuthMechs LOGIN"
        return cls(directory, f"IMAPStore far\n{account}")

    def sync(self, *directories: Path) -> None:
        """Both ways. It waits when a directory has just changed; those that are told are made to look older."""
        past = time.time() - 10
        for directory in directories:
            for part in ("new", "cur"):
                if (directory / part).is_dir():
                    os.utime(directory / part, (past, past))
        done = subprocess.run(
            ["mbsync", "-q", "-c", str(self.config), "all"], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def files(self, folder: str = "INBOX") -> list[Path]:
        return sorted(file for part in ("new", "cur") for file in (self.local / folder / part).iterdir())


def neomutt(directory: Path, maildir: Path, folder: Path, keys: str = "") -> tuple[int, int, int]:
    """Open a folder, type `keys`, and leave; how many messages it shows, how many of them are new and flagged."""
    need("neomutt")
    settings = directory / "neomuttrc"
    settings.write_text(
        f'set mbox_type=Maildir folder="{maildir}" spoolfile="{maildir}"\n'
        "set delete=yes confirmappend=no confirmcreate=no quit=yes sleep_time=0 wait_key=no mark_old=no timeout=1\n"
        'set status_format="shown %m new %n flagged %F"\n'
        f'push "{keys}<sync-mailbox><refresh><quit>"\n'
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["neomutt", "-n", "-F", str(settings), "-f", str(folder)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "HOME": str(directory), "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        screen = _read_all(ours, process)
    os.close(ours)
    assert process.returncode == 0, screen
    shown = _SHOWN.findall(screen)
    assert shown, screen
    first = shown[0]
    return int(first[0]), int(first[1]), int(first[2])


def _read_all(terminal: int, process: subprocess.Popen[bytes]) -> str:
    screen, end = b"", time.monotonic() + SECONDS
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                screen += os.read(terminal, 65536)
            except OSError:  # it has gone, and the terminal with it
                break
        elif process.poll() is not None:
            break
    else:
        process.kill()
    return screen.decode(errors="replace")
