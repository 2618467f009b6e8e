"""Who may run commands on a data directory: whom it belongs to, as the server does.

Why not root: what he makes is his own, and the server, which is not root, could not read it: mail for that user would
wait, and nobody could log in. Why he is told and not made another: files that he names may be for him alone.
"""

from __future__ import annotations

import os
import pwd
import shlex
import sys
from pathlib import Path

from sievemda.errors import NotPermitted


def refuse_others(data: Path) -> None:
    """NotPermitted, with the command as it should have been, for root and whoever cannot look into the directory."""
    try:
        owner = data.stat().st_uid
    except OSError:
        return  # it is made, or complained of, by who needs it
    us = os.geteuid()
    if owner in (0, us) or (us != 0 and os.access(data, os.R_OK | os.X_OK, effective_ids=True)):
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    why = ", and what root makes there he cannot read" if us == 0 else ""
    again = f"runuser -u {name} --" if us == 0 else f"sudo -u {name}"
    raise NotPermitted(f"{data} belongs to {name}{why}; say: {again} sievemda {shlex.join(sys.argv[1:])}")
