"""From the settings in force to what they come to. Raises `ValueError`, which names the setting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.sieve.limits import Limits
from sievemda.sieve.listnames import normal_name
from sievemda.sieve.options import Options
from sievemda.sieve.testing.site import (
    LIMITS,
    Dictionary,
    Folder,
    Library,
    ListFile,
    Lists,
    Programs,
    Site,
    beside,
    everything,
)
from sievemda.sieve.testing.values import UNLIMITED
from sievemda.sieve.verdicts import SPAM, VIRUS, Scale, scales
from sievemda.sieve.vocabulary import registry

_DAY = 86_400  # seconds; no program of a test takes longer, and no system call waits much longer

if TYPE_CHECKING:
    from sievemda.sieve.testing.settings import Values


def site_of(values: Values, directory: Path) -> Site:
    return Site(
        library=_library(values, directory),
        limits=_limits(values),
        available=_available(values),
        lists=_lists(values, directory),
        environment={f"vnd.dovecot.config.{key.lower()}": text for key, text in _keyed(values, "sieve_environment")},
        programs={kind: _programs(values, kind, directory) for kind in ("pipe", "filter", "execute")},
        processor_time=values["sieve_max_cpu_time"],
    )


def _limits(values: Values) -> Limits:
    least, default, most = (values[f"sieve_vacation_{which}_period"] for which in ("min", "default", "max"))
    if not least <= default <= most:
        raise ValueError(
            "sieve_vacation_default_period: it lies between sieve_vacation_min_period and sieve_vacation_max_period, "
            f"and {least} <= {default} <= {most} seconds is not so"
        )
    old = "sieve_variables_max_variable_size"
    new = "sieve_variables_max_value_size"
    return replace(
        LIMITS,
        script_size=values["sieve_max_script_size"] or UNLIMITED,
        actions=values["sieve_max_actions"],
        redirects=values["sieve_max_redirects"],
        notifications=values["sieve_notify_max_notifications"],
        variables=values["sieve_variables_max_scope_count"],
        variable_size=values[old if old in values.given and new not in values.given else new],
        vacation_minimum=least,
        vacation_default=default,
        vacation_maximum=most,
        includes=values["sieve_include_max_includes"],
        include_depth=values["sieve_include_max_nesting_depth"],
        duplicate_default=values["sieve_duplicate_default_period"],
        duplicate_maximum=values["sieve_duplicate_max_period"],
        recipient_delimiter=values["recipient_delimiter"],
        options=_options(values),
    )


def _options(values: Values) -> Options:
    return replace(
        LIMITS.options,
        user_email=values["sieve_user_email"],
        without_require=frozenset(values["sieve_implicit_extensions"]) & everything(),
        for_global_scripts=frozenset(values["sieve_global_extensions"]) & everything(),
        redirect_envelope_from=values["sieve_redirect_envelope_from"],
        vacation_default_subject=values["sieve_vacation_default_subject"],
        vacation_subject_template=values["sieve_vacation_default_subject_template"],
        vacation_use_original_recipient=values["sieve_vacation_use_original_recipient"],
        vacation_check_recipient=values["sieve_vacation_check_recipient"],
        vacation_send_from_recipient=values["sieve_vacation_send_from_recipient"],
        vacation_to_header_ignore_envelope=values["sieve_vacation_to_header_ignore_envelope"],
        notify_mailto_envelope_from=values["sieve_notify_mailto_envelope_from"],
        notify_mailto_recipients=values["sieve_notify_mailto_max_recipients"],
        notify_mailto_headers=values["sieve_notify_mailto_max_headers"],
        report_from=values["sieve_report_from"],
        header_size=values["sieve_editheader_max_header_size"],
        forbid_add=_forbidden(values, "forbid_add"),
        forbid_delete=_forbidden(values, "forbid_delete"),
        spam=_scales(values, "spamtest", SPAM),
        virus=_scales(values, "virustest", VIRUS),
    )


def _forbidden(values: Values, what: str) -> frozenset[str]:
    """Names of the fields of the keys that are listed."""
    group = "sieve_editheader_header"
    fields = ((key, f"{group}/{key}/{what}") for key in values[group])
    found = (key for key, name in fields if name in values.given and values[name])
    return frozenset((values.given.get(f"{group}/{key}/name") or key).lower() for key in found)


def _scales(values: Values, test: str, default: tuple[Scale, ...]) -> tuple[Scale, ...]:
    """How the field of the filter is to be understood; without one nothing is known of any message."""
    prefix = f"sieve_{test}_"
    given = {name.removeprefix(prefix): str(values[name]) for name in values.given if name.startswith(prefix)}
    if not given.get("status_header", "").strip():
        return ()
    try:
        return scales(given, default)
    except ValueError as e:
        raise ValueError(f"{prefix}*: {e}") from e


def _available(values: Values) -> frozenset[str]:
    """All capabilities, those that are named, or all with what `+` adds and `-` takes away."""
    named = values["sieve_extensions"]
    taken = {name[1:] for name in named if name[0] == "-"} | set(values["sieve_global_extensions"])
    added = {name[1:] for name in named if name[0] == "+"}
    exact = {name for name in named if name[0] not in "+-"}
    known = registry().extensions
    allowed = (exact | added if exact else everything()) & known.keys()
    return frozenset(name for name in allowed if name not in taken and taken.isdisjoint(known[name].implies))


def _keyed(values: Values, group: str) -> list[tuple[str, str]]:
    return [(name[len(group) + 1 :], values[name]) for name in values.given if name.startswith(f"{group}/")]


def _library(values: Values, directory: Path) -> Library:
    default = beside(directory)
    return Library(
        _place(values, "included", directory, default.personal),
        _place(values, "included-global", directory, default.common),
    )


def _place(values: Values, name: str, directory: Path, default: Folder | Dictionary) -> Folder | Dictionary:
    given = dict(_keyed(values, f"sieve_script/{name}"))
    if given.get("driver") == "dict":
        files = [text for field, text in given.items() if "dict" in field and field.endswith("path") and text]
        return Dictionary(directory / files[-1] if files else None)
    return Folder(directory / given["path"]) if given.get("path") else default


def _lists(values: Values, directory: Path) -> Lists:
    known = {}
    for key in values["sieve_extlists_list"]:
        given = dict(_keyed(values, f"sieve_extlists_list/{key}"))
        name = normal_name(given.get("name") or key)
        if name is None:
            raise ValueError(f"sieve_extlists_list/{key}/name: it is an absolute URI, or begins with a colon")
        paths = [text for field, text in given.items() if field.endswith("path")]
        most = values[f"sieve_extlists_list/{key}/max_lookup_size"]
        known[name] = ListFile(directory / paths[-1] if paths and paths[-1] else None, most)
    return Lists(known)


def _programs(values: Values, kind: str, directory: Path) -> Programs:
    bin_dir, sockets = values[f"sieve_{kind}_bin_dir"], values[f"sieve_{kind}_socket_dir"]
    return Programs(
        directory / bin_dir if bin_dir else None,
        min(values[f"sieve_{kind}_exec_timeout"], _DAY),
        values[f"sieve_{kind}_input_eol"],
        directory / sockets if sockets else None,
    )
