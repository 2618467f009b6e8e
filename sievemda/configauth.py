"""The section of the settings tree about who may log in, and how he proves who he is."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.configfields import setting

__all__ = ["BACKENDS", "Auth"]

BACKENDS = ("own",)  # every kind of place where credentials can be kept


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may log in, and how he proves who he is."""

    auth_backends: tuple[str, ...] = setting(
        ("own",),
        "Where credentials are kept, in the order in which they are asked: own (`sievemda account passwd`).",
    )
    auth_database: str = setting(
        "",
        "Database of the back end own when several hosts share it: postgresql://USER@HOST/DATABASE, which wants"
        " sievemda[postgresql]; empty: SQLite, state/accounts.db below the data directory.",
        secret=True,
    )
