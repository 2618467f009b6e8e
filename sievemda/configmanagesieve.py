"""The section of the settings tree about ManageSieve: where it listens, and what its clients may do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sievemda.configfields import Seconds, Section, setting

__all__ = ["ManageSieve"]


class ManageSieve(Section):
    """How scripts come in."""

    managesieve_listen: tuple[str, ...] = setting(
        (),
        "Listeners: inet:HOST:PORT, where TLS may come at once or by STARTTLS, or unix:PATH. The registered port is"
        " 4190.",
    )
    timeout: Seconds = setting(
        Seconds(600),
        "Time within which a client must log in; thrice as long, and never less than half an hour, may pass between"
        " commands after that.",
    )
    allowplaintext: bool = setting(False, "Offer SASL PLAIN without TLS on loopback.")
    managesieve_history: Literal["off", "on", "list"] = setting(
        "on",
        "Whether users can read what has become of their scripts, as script /history; `list`: it stands among theirs.",
    )
    managesieve_slots: tuple[str, ...] = setting(
        (),
        "Which of sieve_active_slots a client looks after, so that it sees and changes only the scripts of that one:"
        " WHO=LABEL, where WHO is who logs in for others, the client's address, or the port that he comes to. Who is"
        " not named sees all, and as active that of the slot which he worked on last, or the first one.",
    )
    managesieve_max_connections: int = setting(
        500, "Sessions at once, over all worker processes; more are told to come back later."
    )
    managesieve_max_user_connections: int = setting(30, "Sessions of one user at once.")
    managesieve_max_address_connections: int = setting(
        100, "Sessions of one address at once that have not logged in; 0, and for lockout_never: no limit of its own."
    )
    managesieve_checkscript_anonymous: bool = setting(
        False, "Whether who has not logged in may have scripts checked (CHECKSCRIPT), of up to 64 KiB."
    )
    managesieve_referrals: Path | None = setting(
        None,
        "File with the servers of users who are elsewhere, USER HOST or @DOMAIN HOST on a line, with :PORT where that"
        " is not 4190: after login they are referred there (REFERRAL).",
    )
    managesieve_try_max: int = setting(
        1000,
        "So many of his messages a user may have a script tried on (XTRYSCRIPT); 0 does not offer that.",
    )
    managesieve_try_last: int = setting(
        0,
        "Where it is not 0, SETACTIVE warns of those of the user's last so many messages that the script would have"
        " treated differently from the one before.",
    )
