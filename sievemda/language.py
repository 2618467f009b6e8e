"""From the settings of a site to the language it offers: bounds and capabilities.

Why here: delivery, ManageSieve and the command line must compile a script alike, the language does not know the
settings, and none of them knows the others. Whoever puts the parts together passes these values on.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sievemda.config import Settings, Sieve
from sievemda.errors import ConfigurationError
from sievemda.sieve.compile import ProgramCache, Programs
from sievemda.sieve.limits import Limits
from sievemda.sieve.options import Options
from sievemda.sieve.senders import is_source
from sievemda.sieve.verdicts import SPAM, VIRUS, Scale, scales

_LEAST_HEADER = 1_024  # octets, so that a line of the longest kind has room (RFC 5293 §4)


def language_limits(settings: Settings) -> Limits:
    """The limits that a script is compiled and run under."""
    sieve, default = settings.sieve, Limits()
    return Limits(
        script_size=max(sieve.script_limit, default.script_size),
        actions=sieve.sieve_max_actions,
        redirects=sieve.sieve_max_redirects,
        notifications=sieve.sieve_notify_max_notifications,
        vacation_minimum=sieve.sieve_vacation_min_response,
        vacation_default=sieve.sieve_vacation_default_response,
        vacation_maximum=sieve.sieve_vacation_max_response,
        list_recipients=sieve.sieve_extlists_max_recipients,
        includes=sieve.sieve_include_max_includes,
        include_depth=sieve.sieve_include_max_nesting_depth,
        duplicate_default=sieve.sieve_duplicate_default_period,
        duplicate_maximum=sieve.sieve_duplicate_max_expiration,
        recipient_delimiter=settings.delivery.recipient_delimiter,
        options=language_options(settings),
    )


def language_options(settings: Settings) -> Options:
    """What single extensions do here. Raises `ConfigurationError`."""
    sieve = settings.sieve
    if sieve.sieve_editheader_max_header_size < _LEAST_HEADER:
        raise ConfigurationError(f"sieve.sieve_editheader_max_header_size: it must be at least {_LEAST_HEADER}")
    for name in ("sieve_redirect_envelope_from", "sieve_notify_mailto_envelope_from", "sieve_report_from"):
        if not is_source(getattr(sieve, name)):
            raise ConfigurationError(f"sieve.{name}: neither an address in angle brackets nor what stands for one")
    postmaster = settings.site.postmaster
    return Options(
        postmaster=postmaster if "@" in postmaster else f"{postmaster}@{settings.site.servername}",
        redirect_envelope_from=sieve.sieve_redirect_envelope_from,
        vacation_default_subject=sieve.sieve_vacation_default_subject,
        vacation_subject_template=sieve.sieve_vacation_default_subject_template,
        vacation_use_original_recipient=sieve.sieve_vacation_use_original_recipient,
        vacation_check_recipient=sieve.sieve_vacation_check_recipient,
        vacation_send_from_recipient=sieve.sieve_vacation_send_from_recipient,
        vacation_to_header_ignore_envelope=sieve.sieve_vacation_to_header_ignore_envelope,
        notify_mailto_envelope_from=sieve.sieve_notify_mailto_envelope_from,
        notify_mailto_recipients=sieve.sieve_notify_mailto_max_recipients,
        notify_mailto_headers=sieve.sieve_notify_mailto_max_headers,
        notify_https_hosts=sieve.sieve_notify_https_hosts,
        report_from=sieve.sieve_report_from,
        address_fields_only=sieve.rfc3028_strict,
        header_size=sieve.sieve_editheader_max_header_size,
        forbid_add=frozenset(name.lower() for name in sieve.sieve_editheader_forbid_add),
        forbid_delete=frozenset(name.lower() for name in sieve.sieve_editheader_forbid_delete),
        spam=_scales(sieve, "spamtest", SPAM),
        virus=_scales(sieve, "virustest", VIRUS),
    )


def _scales(sieve: Sieve, test: str, default: tuple[Scale, ...]) -> tuple[Scale, ...]:
    """How the fields of filters are to be understood."""
    names = ("status_header", "status_type", "score_max_value", "score_max_header")
    given = {name: str(getattr(sieve, f"sieve_{test}_{name}")) for name in names}
    for entry in getattr(sieve, f"sieve_{test}_text_value"):
        value, separator, text = entry.partition("=")
        if not separator or not value.strip().isdecimal():
            raise ConfigurationError(f"sieve.sieve_{test}_text_value: not VALUE=TEXT: {entry}")
        given[f"text_value/{int(value)}"] = text.strip()
    try:
        return scales(given, default)
    except ValueError as fault:
        raise ConfigurationError(f"sieve.sieve_{test}_*: {fault}") from fault


def language_extensions(settings: Settings) -> frozenset[str]:
    """Capabilities that users' scripts may require: those named, or the defaults with what `+` adds and `-` takes away.

    What is taken away does not come back with a capability that implies it. Raises `ConfigurationError` for a name
    that no capability has.
    """
    from sievemda.sieve.vocabulary import registry  # noqa: PLC0415 - loads every extension

    named = settings.sieve.sieve_extensions
    _require_known("sieve_extensions", {name.lstrip("+-") for name in named})
    exact = {name for name in named if name[0] not in "+-"}
    added, taken = ({name[1:] for name in named if name[0] == sign} for sign in "+-")
    taken |= set(settings.sieve.sieve_global_extensions)
    known = registry().extensions
    allowed = (exact or registry().default) | added
    return frozenset(name for name in allowed if name not in taken and taken.isdisjoint(known[name].implies))


def trusted_extensions(settings: Settings) -> frozenset[str]:
    """Capabilities that the administrator's scripts may require: also those that are theirs alone."""
    reserved = frozenset(settings.sieve.sieve_global_extensions)
    _require_known("sieve_global_extensions", reserved)
    return language_extensions(settings) | reserved


def language_programs(settings: Settings, without: frozenset[str] = frozenset()) -> Programs:
    """Where scripts of users and of the administrator are compiled, and remembered; none `without` those."""
    limits = language_limits(settings)
    return Programs(
        ProgramCache(limits, language_extensions(settings) - without),
        ProgramCache(limits, trusted_extensions(settings) - without),
    )


def _require_known(setting: str, names: AbstractSet[str]) -> None:
    from sievemda.sieve.vocabulary import registry  # noqa: PLC0415 - loads every extension

    if unknown := sorted(names - registry().public):
        raise ConfigurationError(f"sieve.{setting}: unknown capability {', '.join(unknown)}")
