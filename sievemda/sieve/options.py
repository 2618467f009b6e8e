"""What a site decides for single extensions, in one frozen value: `Limits.options`. The defaults suit a bare command.

The language does not know the settings of the program; `sievemda.language` makes these values from them, and the test
language from its own settings.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    user_email: str = ""  # the owner's own address, where the site knows it; empty: the envelope recipient
    postmaster: str = "postmaster"  # whom reports and notices come from
