"""The section of the settings tree about who may log in, and how he proves who he is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sievemda.configfields import setting

__all__ = ["BACKENDS", "NEEDED", "Auth"]

BACKENDS = ("own", "passwd-file")  # every kind of place where credentials can be kept
NEEDED = {"passwd-file": ("auth_passwd_file",)}  # the settings that one cannot do without


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may log in, and how he proves who he is."""

    auth_backends: tuple[str, ...] = setting(
        ("own",),
        "Where credentials are kept, in the order in which they are asked: own (`sievemda account passwd`),"
        " passwd-file.",
    )
    auth_database: str = setting(
        "",
        "Database of the back end own when several hosts share it: postgresql://USER@HOST/DATABASE, which wants"
        " sievemda[postgresql]; empty: SQLite, state/accounts.db below the data directory.",
        secret=True,
    )
    auth_passwd_file: Path | None = setting(
        None,
        "File of the back end passwd-file, in Dovecot's form: user:{SCHEME}password:uid:gid:gecos:home:shell:extra.",
    )
    auth_passwd_scheme: str = setting("CRYPT", "Scheme of passwords in that file that name none.")
