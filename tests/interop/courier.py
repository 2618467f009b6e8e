"""Courier's imapd over the Maildirs of a site, with the settings of conf/courier/imapd.

Debian's packages of Courier and Dovecot exclude each other, so Courier is taken from a directory where its packages were
only unpacked (.ci/run does that): $SIEVEMDA_COURIER, by default ~/.cache/sievemda/courier/tree. Its imapd speaks on
standard input and output and learns from the environment who has logged in, as its own log-in tells it.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tests.interop.imap import Spawned
from tests.interop.processes import CONF

TREE = Path(os.environ.get("SIEVEMDA_COURIER", Path.home() / ".cache/sievemda/courier/tree"))
LIBRARIES = ("usr/lib", "usr/lib/courier-authlib", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
# What Debian's /etc/courier/imapd has and the shipped fragment leaves alone.
DEBIAN = {
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    "IMAP_USELOCKS": "1",
    "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_ENHANCEDIDLE": "0",
    "IMAP_TRASHFOLDERNAME": "Trash",
}


class Courier:
    def __init__(self, directory: Path) -> None:
        self.program = TREE / "usr/bin/imapd"
        if not self.program.exists():
            pytest.skip(f"courier-imap and what it needs are not unpacked in {TREE}")
        self.log = directory / "courier.log"

    def login(self, user: str, home: Path) -> Spawned:
        known = DEBIAN | {
            "LD_LIBRARY_PATH": ":".join(str(TREE / place) for place in LIBRARIES),
            "AUTHENTICATED": user,
            "AUTHADDR": user,
            "HOME": str(home),
            "PROTOCOL": "IMAP",
            "TCPREMOTEIP": "127.0.0.1",
            # It has changes of folders reported; who does that runs for half a minute longer than anybody needs it.
            "GAMIN_DEBUG_SERVER": str(TREE / "usr/libexec/gam_server"),
            "GAM_CLIENT_ID": f"sievemda{os.getpid()}",
        }
        told = " ".join(f"{name}={shlex.quote(value)}" for name, value in known.items())
        return Spawned(
            f"set -a; {told}; . {shlex.quote(str(CONF / 'courier/imapd'))}; cd {shlex.quote(str(home))}; "
            f'exec {shlex.quote(str(self.program))} "$HOME/$MAILDIRPATH" 2>>{shlex.quote(str(self.log))}'
        )
