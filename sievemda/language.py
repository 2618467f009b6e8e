"""From the settings of a site to the language it offers: bounds and capabilities.

Why here: delivery, ManageSieve and the command line must compile a script alike, the language does not know the
settings, and none of them knows the others. Whoever puts the parts together passes these values on.
"""

from __future__ import annotations

from sievemda.config import Settings
from sievemda.errors import ConfigurationError
from sievemda.sieve.limits import Limits


def language_limits(settings: Settings) -> Limits:
    """The limits that a script is compiled and run under."""
    sieve, default = settings.sieve, Limits()
    return Limits(
        script_size=max(sieve.sieve_maxscriptsize or default.script_size, default.script_size),
        actions=sieve.sieve_max_actions,
        redirects=sieve.sieve_max_redirects,
        vacation_minimum=sieve.sieve_vacation_min_response,
        vacation_default=sieve.sieve_vacation_default_response,
        vacation_maximum=sieve.sieve_vacation_max_response,
        list_recipients=sieve.sieve_extlists_max_recipients,
        recipient_delimiter=settings.delivery.recipient_delimiter,
    )


def language_extensions(settings: Settings) -> frozenset[str]:
    """Capabilities that scripts may require: those named, or the defaults with what `+` adds and `-` takes away.

    Raises `ConfigurationError` for a name that no capability has.
    """
    from sievemda.sieve.vocabulary import registry  # noqa: PLC0415 - loads every extension

    named = settings.sieve.sieve_extensions
    unknown = sorted({name.lstrip("+-") for name in named} - registry().public)
    if unknown:
        raise ConfigurationError(f"sieve.sieve_extensions: unknown capability {', '.join(unknown)}")
    exact = {name for name in named if name[0] not in "+-"}
    added, taken = ({name[1:] for name in named if name[0] == sign} for sign in "+-")
    return frozenset((exact or registry().default) | added) - taken
