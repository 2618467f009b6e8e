"""The section of the settings tree about what `serve` does of itself to keep the store healthy, and when."""

from __future__ import annotations

from pathlib import Path

from sievemda.configfields import Section, setting

__all__ = ["Upkeep"]


class Upkeep(Section):
    """What is done on a schedule: `every 6h`, `daily 04:00`, `mon,thu 02:30`, `monthly 1 03:00`, or `off`."""

    expire_schedule: str = setting(
        "daily 04:00",
        "When `serve` has messages expire, as `sievemda expire` does: `every 6h`, `daily 04:00 16:00`,"
        " `mon,thu 02:30`, `monthly 1 03:00`, or `off`.",
    )
    expire_rules: Path | None = setting(
        None,
        "File of rules by which messages expire; README, Expiry. Without one only those that the annotation"
        " /vendor/cmu/cyrus-imapd/expire asks for do.",
    )
    prune_schedule: str = setting(
        "every 1h",
        "When `serve` clears away what is over, as `sievemda prune` does; unless it is `off`, it does so at its start,"
        " too.",
    )
