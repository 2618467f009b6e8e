"""The settings that test files change: Pigeonhole's names, recorded first and in force from a reload on.

Each setting belongs to a scope: the engine (`CORE`), or one extension. A reload takes over what has been recorded for
one scope, and nothing else. Keyed settings are written with slashes, `GROUP/KEY/FIELD`.

Why the values are kept as texts and read again at each reload: what they come to depends on others (the periods of
vacation, a list and its file), and a file has few of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sievemda.sieve.testing.effective import site_of
from sievemda.sieve.testing.site import Site
from sievemda.sieve.testing.values import (
    Reader,
    address,
    address_source,
    at_least,
    boolean,
    decimal,
    one_of,
    plain,
    seconds,
    size,
    status,
    unsigned,
    whole_seconds,
    words,
)
from sievemda.sieve.vocabulary import BASE, registry

CORE = ""
_SAME = {"vacation-seconds": "vacation", "spamtestplus": "spamtest"}  # extensions that have their settings from another


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, or all of a keyed group; `scopes` are the reloads at which it takes effect."""

    scopes: tuple[str, ...]
    read: Reader
    default: str = ""


def _group(scope: str, **rows: tuple[Reader, str] | Reader) -> Iterable[tuple[str, Setting]]:
    for name, row in rows.items():
        read, default = row if isinstance(row, tuple) else (row, "")
        yield name, Setting((scope,), read, default)


def _programs(kind: str) -> Iterable[tuple[str, Setting]]:
    rows: dict[str, tuple[Reader, str] | Reader] = {
        f"sieve_{kind}_bin_dir": plain,
        f"sieve_{kind}_socket_dir": plain,
        f"sieve_{kind}_exec_timeout": (seconds, "10s"),
        f"sieve_{kind}_input_eol": (one_of("crlf", "lf"), "crlf"),
    }
    return _group(f"vnd.dovecot.{kind}", **rows)


def _verdicts(test: str) -> Iterable[tuple[str, Setting]]:
    rows: dict[str, tuple[Reader, str] | Reader] = {
        f"sieve_{test}_status_header": status,
        f"sieve_{test}_status_type": one_of("", "score", "strlen", "text"),
        f"sieve_{test}_score_max_header": status,
        f"sieve_{test}_score_max_value": decimal,
    }
    return _group(test, **rows)


SETTINGS: dict[str, Setting] = dict(
    [
        *_group(
            CORE,
            sieve_max_script_size=(size, "1M"),
            sieve_max_actions=(unsigned, "32"),
            sieve_max_redirects=(unsigned, "4"),
            sieve_max_cpu_time=(seconds, "30s"),
            sieve_resource_usage_timeout=(seconds, "1h"),
            sieve_redirect_envelope_from=address_source,
            sieve_redirect_duplicate_period=(seconds, "12h"),
            sieve_user_email=address,
            sieve_extensions=words,
            sieve_global_extensions=words,
            sieve_implicit_extensions=words,
            sieve_trace_dir=plain,
            sieve_trace_level=plain,
            sieve_trace_debug=(boolean, "no"),
            sieve_trace_addresses=(boolean, "no"),
            sieve_user_log_path=plain,
            sieve_plugins=words,
            sieve_plugin_dir=plain,
            sieve_enabled=(boolean, "yes"),
        ),
        *_group(
            "variables",
            sieve_variables_max_scope_count=(at_least(128, unsigned), "255"),
            sieve_variables_max_value_size=(at_least(4_000, size), "4k"),
            sieve_variables_max_variable_size=(at_least(4_000, size), "4k"),
        ),
        *_group(
            "include",
            sieve_include_max_includes=(unsigned, "255"),
            sieve_include_max_nesting_depth=(unsigned, "10"),
        ),
        *_group(
            "editheader",
            sieve_editheader_max_header_size=(at_least(1_024, size), "2048"),
            sieve_editheader_header=words,
        ),
        *_group(
            "vacation",
            sieve_vacation_min_period=(whole_seconds, "1d"),
            sieve_vacation_max_period=(at_least(1, whole_seconds), "60d"),
            sieve_vacation_default_period=(whole_seconds, "7d"),
            sieve_vacation_default_subject=plain,
            sieve_vacation_default_subject_template=plain,
            sieve_vacation_use_original_recipient=(boolean, "no"),
            sieve_vacation_check_recipient=(boolean, "yes"),
            sieve_vacation_send_from_recipient=(boolean, "no"),
            sieve_vacation_to_header_ignore_envelope=(boolean, "no"),
        ),
        *_group(
            "enotify",
            sieve_notify_max_notifications=(unsigned, "10"),
            sieve_notify_mailto_envelope_from=address_source,
            sieve_notify_mailto_max_recipients=(unsigned, "8"),
            sieve_notify_mailto_max_headers=(unsigned, "16"),
        ),
        *_verdicts("spamtest"),
        *_verdicts("virustest"),
        *_group("subaddress", recipient_delimiter=(plain, "+")),
        *_group("extlists", sieve_extlists_list=words),
        *_group(
            "duplicate",
            sieve_duplicate_default_period=(whole_seconds, "12h"),
            sieve_duplicate_max_period=(whole_seconds, "2d"),
        ),
        *_group("vnd.dovecot.report", sieve_report_from=address_source),
        *_programs("pipe"),
        *_programs("filter"),
        *_programs("execute"),
    ]
)

# Keyed ones. The scripts to include are looked for by the engine, which Pigeonhole reloads with either.
KEYED: tuple[tuple[re.Pattern[str], Setting], ...] = (
    (re.compile(r"sieve_script"), Setting((CORE, "include"), words)),  # the names of the next; they count without it
    (re.compile(r"sieve_script/[^/]+/.*driver"), Setting((CORE, "include"), one_of("", "file", "dict"))),
    (re.compile(r"sieve_script/[^/]+(?:/.*)?"), Setting((CORE, "include"), plain)),
    (re.compile(r"sieve_editheader_header/[^/]+/name"), Setting(("editheader",), plain)),
    (re.compile(r"sieve_editheader_header/[^/]+/forbid_(?:add|delete)"), Setting(("editheader",), boolean)),
    (re.compile(r"sieve_spamtest_text_value/(?:[0-9]|10)"), Setting(("spamtest",), plain)),
    (re.compile(r"sieve_virustest_text_value/[0-5]"), Setting(("virustest",), plain)),
    (re.compile(r"sieve_extlists_list/[^/]+/max_lookup_size"), Setting(("extlists",), size, "1024")),
    (re.compile(r"sieve_extlists_list/[^/]+/dict(?:/.*)?driver"), Setting(("extlists",), one_of("", "file"))),
    (re.compile(r"sieve_extlists_list/[^/]+/(?:name|dict(?:/.*)?)"), Setting(("extlists",), plain)),
    (re.compile(r"sieve_environment/.+"), Setting(("vnd.dovecot.environment",), plain)),
)


def find(name: str) -> Setting | None:
    known = SETTINGS.get(name)
    return known or next((setting for pattern, setting in KEYED if pattern.fullmatch(name)), None)


class Values:
    """Settings in force; one that is not set has its default."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given

    def __getitem__(self, name: str) -> Any:
        setting = find(name)
        assert setting is not None
        return setting.read(self.given.get(name, setting.default))


class Settings:
    """The settings of one test file, whose paths are relative to `directory`. `site` is what is in force."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._recorded: dict[str, str] = {}
        self._in_force: dict[str, str] = {}
        self.site: Site = site_of(Values({}), directory)

    def set(self, name: str, value: str) -> None:
        self._recorded[_plain_name(name)] = value

    def unset(self, name: str) -> None:
        self._recorded.pop(_plain_name(name), None)

    def reload(self, scope: str = CORE) -> None:
        """Take over what is recorded for this scope. Raises `ValueError`, which names the setting or the extension."""
        if scope != CORE and (scope == BASE or scope not in registry().extensions):
            raise ValueError(f"unknown extension '{scope}'")
        self._refuse_unknown()
        scope = _SAME.get(scope, scope)
        chosen = {name: text for name, text in self._recorded.items() if scope in _scopes(name)}
        for name, text in chosen.items():
            _check(name, text)
        kept = {name: text for name, text in self._in_force.items() if scope not in _scopes(name)}
        self._in_force = kept | chosen
        self.site = site_of(Values(self._in_force), self._directory)

    def reload_all(self) -> None:
        """Take over all that is recorded. Raises `ValueError`."""
        self._refuse_unknown()
        for scope in dict.fromkeys(scope for name in self._recorded for scope in _scopes(name)):
            self.reload(scope)

    def _refuse_unknown(self) -> None:
        for name in self._recorded:
            if find(name) is None:
                close = get_close_matches(name, SETTINGS, 1)
                raise ValueError(f"unknown setting '{name}'" + (f": did you mean '{close[0]}'?" if close else ""))


def _plain_name(name: str) -> str:
    """`GROUP/KEY/FIELD`, where the field may also be written with the group before it."""
    group, slash, rest = name.strip().partition("/")
    key, second, field = rest.rpartition("/")
    return f"{group}{slash}{key}{second}{field.removeprefix(group + '_')}"


def _scopes(name: str) -> tuple[str, ...]:
    setting = find(name)
    return setting.scopes if setting else ()


def _check(name: str, text: str) -> None:
    setting = find(name)
    assert setting is not None
    try:
        setting.read(text)
    except ValueError as e:
        raise ValueError(f"{name}: {e}") from e
