"""`sievemda config`: the settings themselves."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from sievemda import configload
from sievemda.cli.lazy import LazyCommands
from sievemda.config import Mode, Settings
from sievemda.errors import ConfigurationError, DataError, SievemdaError, TemporaryTrouble
from sievemda.given import read_given

_LAZY = {"describe": "config_describe:describe", "set": "config_set:set_", "unset": "config_set:unset"}


@click.group(cls=LazyCommands, lazy=_LAZY, epilog="Example: sievemda --config /etc/sievemda/sievemda.toml config check")
def config() -> None:
    """Show, check and change the settings."""


@config.command(epilog="Example: sievemda --data ./var config check")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: valid, data and problems.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> int:
    """Say whether the configuration is right; every mistake is listed, exit code 78."""
    try:
        settings: Settings = ctx.meta["sievemda.load"]()
        check_deeply(settings)
    except ConfigurationError as e:
        if not as_json:
            raise
        click.echo(json.dumps({"valid": False, "data": None, "problems": e.problems}))
        return e.exit_code
    if as_json:
        click.echo(json.dumps({"valid": True, "data": str(settings.data), "problems": []}))
    else:
        click.echo(f"the configuration is right; data lie in {settings.data}")
    return 0


def check_deeply(settings: Settings) -> None:
    """ConfigurationError for what the server would stumble over later: capabilities, and files that settings name."""
    problems: list[str] = []
    for look in (
        _check_language,
        _check_files,
        _check_tls,
        _check_socket_group,
        _check_keys,
        _check_notices,
        _check_expiry,
        _check_store,
        _check_backends,
    ):
        try:
            look(settings)
        except ConfigurationError as e:
            problems += e.problems
    if problems:
        raise ConfigurationError(*problems)


def _check_language(settings: Settings) -> None:
    from sievemda.language import language_limits, trusted_extensions

    language_limits(settings)
    trusted_extensions(settings)


def _check_files(settings: Settings) -> None:
    named = {
        "acl.groups_file": settings.acl.groups_file,
        "autocreate.autocreate_sieve_script": settings.autocreate.autocreate_sieve_script,
        "lmtp.tls_server_cert": settings.lmtp.tls_server_cert,
        "lmtp.tls_server_key": settings.lmtp.tls_server_key,
        "managesieve.managesieve_referrals": settings.managesieve.managesieve_referrals,
        "sieve.sieve_notify_https_ca": settings.sieve.sieve_notify_https_ca,
    }
    problems = []
    for key, path in named.items():
        try:
            if path is not None:
                read_given(path)
        except OSError as e:
            problems.append(f"{key}: {path}: {e.strerror}")
    for kind in ("pipe", "filter", "execute", "convert"):
        directory: Path | None = getattr(settings.sieve, f"sieve_{kind}_bin_dir")
        if directory is not None and not directory.is_dir():
            problems.append(f"sieve.sieve_{kind}_bin_dir: {directory} is no directory")
    if problems:
        raise ConfigurationError(*problems)


def _check_tls(settings: Settings) -> None:
    """ConfigurationError for certificates that can be read and are none, or do not fit their key."""
    import ssl

    from sievemda.assembly import identities_of

    try:
        with suppress(FileNotFoundError, PermissionError):  # which are told of already
            if (ca := settings.sieve.sieve_notify_https_ca) is not None:
                ssl.create_default_context(cafile=str(ca))
    except OSError as e:
        raise ConfigurationError(f"sieve.sieve_notify_https_ca: {ca}: {e}") from e
    lmtp = settings.lmtp
    if all(path is not None and os.access(path, os.R_OK) for path in (lmtp.tls_server_cert, lmtp.tls_server_key)):
        identities_of(settings, b"")


def _check_keys(settings: Settings) -> None:
    """ConfigurationError for keys by which tokens and tickets are checked, when they are none."""
    problems = []
    if (file := settings.sasl.oauth2_keys) is not None:
        from sievemda.auth.tokens.keys import parse_keys

        try:
            parse_keys(read_given(file))
        except (OSError, ValueError) as e:
            problems.append(f"sasl.oauth2_keys: {file}: {e}")
    if settings.sasl.gssapi_keytab is not None:
        from sievemda.auth.sasl.kerberos import check_keytab

        try:
            check_keytab(settings.sasl.gssapi_keytab)
        except TemporaryTrouble as e:
            problems.append(f"sasl.gssapi_keytab: {e}")
    if problems:
        raise ConfigurationError(*problems)


def _check_socket_group(settings: Settings) -> None:
    import grp

    if group := settings.lmtp.lmtp_socket_group:
        try:
            grp.getgrnam(group)
        except KeyError as e:
            raise ConfigurationError(f"lmtp.lmtp_socket_group: there is no group {group}") from e


def _check_expiry(settings: Settings) -> None:
    """ConfigurationError for what is wrong in the rules by which messages expire."""
    from sievemda.assembly import expiry_rules
    from sievemda.store.mailstore import MailStore

    if (path := settings.upkeep.expire_rules) is None:
        return
    try:
        expiry_rules(settings, MailStore(settings), path)
    except (SievemdaError, OSError) as e:
        text = f"{path}: {e.strerror}" if isinstance(e, OSError) else str(e)
        raise ConfigurationError(f"upkeep.expire_rules: {text}") from e


def _check_backends(settings: Settings) -> None:
    """ConfigurationError for back ends of credentials that do not answer, or want what is not installed."""
    if settings.auth.auth_backends == ("own",) and not settings.auth.auth_database:
        return  # SQLite makes its file when it is asked
    from sievemda.auth.chain import users_of

    if problems := [f"auth.auth_backends: {name}: {text}" for name, text in users_of(settings).probe()]:
        raise ConfigurationError(*problems)


def _check_notices(settings: Settings) -> None:
    """ConfigurationError for what is wrong in files about full mailboxes that the settings name."""
    if settings.quota.quota_rules is None and not settings.quota.quota_warning_template:
        return
    from sievemda.delivery.fullness import rules
    from sievemda.store.names import Namespace

    try:
        rules.site_template(settings)
        if settings.quota.quota_rules is not None:
            rules.read_rules(settings.quota.quota_rules, Namespace(settings))
    except (DataError, OSError) as e:
        raise ConfigurationError(f"{e.filename}: {e.strerror}" if isinstance(e, OSError) else str(e)) from e


def _check_store(settings: Settings) -> None:
    from sievemda.store.mailstore import MailStore

    MailStore(settings)


@config.command(epilog="Example: sievemda --data ./var config show --changed")
@click.option("--changed", is_flag=True, help="Only what differs from the defaults.")
@click.option("--secrets", is_flag=True, help="Print secrets, too, which are *** otherwise.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def show(ctx: click.Context, changed: bool, secrets: bool, as_json: bool) -> None:
    """Print every setting in force, with its full key."""
    settings: Settings = ctx.meta["sievemda.load"]()
    found = [(key, value) for key, value in values_of(settings) if not changed or differs(key, value)]
    values = {key: plain(key, value) if secrets else discreet(key, value) for key, value in found}
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for key, value in values.items():
        click.echo(f"{key} = {configload.spelled(value)}")


@config.command(epilog="Example: sievemda config reference > sievemda.toml")
def reference() -> None:
    """Print a configuration file with every setting, its default and its meaning."""
    click.echo(configload.reference(), nl=False)


def values_of(settings: Settings) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("data", settings.data)]
    for section in configload.sections():
        found += [(f"{section}.{name}", value) for name, value in vars(getattr(settings, section)).items()]
    return found


def differs(key: str, value: Any) -> bool:
    return key == "data" or bool(value != configload.known()[key].default)


def plain(key: str, value: Any) -> Any:
    if key != "data" and configload.kind_of(key) is Mode:
        return f"{value:04o}"
    if isinstance(value, dict):
        return {k: str(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (bool, int)) else str(value or "")


def discreet(key: str, value: Any) -> Any:
    """As `plain`, for a terminal that others may see: of secrets only how many there are."""
    shown = plain(key, value)
    if key == "data" or not configload.known()[key].secret:
        return shown
    return ["***"] * len(shown) if isinstance(shown, list) else shown and "***"
