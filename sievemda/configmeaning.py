"""What values of settings must be beyond their type, each for itself and together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sievemda import config
from sievemda.errors import ConfigurationError, DataError


def parse_listener(text: str) -> tuple[str, str, int]:
    """`unix:PATH` -> ("unix", PATH, 0); `inet:HOST:PORT` -> ("inet", HOST, PORT). Raises ValueError."""
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest:
        return "unix", rest, 0
    host, colon, port = rest.rpartition(":")
    if kind == "inet" and colon and port.isdigit() and int(port) < 1 << 16:
        return "inet", host.strip("[]"), int(port)
    raise ValueError(f"{text!r} is neither unix:PATH nor inet:HOST:PORT")


def _check_networks(value: tuple[str, ...]) -> None:
    import ipaddress  # noqa: PLC0415 - as above

    for network in value:
        ipaddress.ip_network(network, strict=False)


def _check_listeners(value: tuple[str, ...]) -> None:
    for listener in value:
        parse_listener(listener)


def _check_host_port(value: str) -> None:
    parse_listener("inet:" + value)


def _at_least(least: int) -> Callable[[int], None]:
    def check(value: int) -> None:
        if value < least:
            raise ValueError(f"{value} is less than {least}")

    return check


def _percent(value: int) -> None:
    if not 0 <= value <= 100:
        raise ValueError(f"{value} is not between 0 and 100")


def _check_rights(value: str) -> None:
    from sievemda.policy.acl import parse_rights  # noqa: PLC0415 - as above

    _understood(parse_rights, value)


def _check_acl(value: str) -> None:
    from sievemda.policy.acl import Acl  # noqa: PLC0415 - as above

    _understood(Acl.parse, value)


def _check_deleteright(value: str) -> None:
    if len(value) != 1:
        raise ValueError(f"{value!r} is not one letter")
    _check_rights(value)


def _check_levels(value: tuple[str, ...]) -> None:
    from sievemda.policy.warnings import parse_levels  # noqa: PLC0415 - as above

    if len(value) != 1 or value[0].lower() not in ("on", "yes", "true", "off", "no", "false"):
        parse_levels(value)


def _check_language(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", value):
        raise ValueError(f"{value!r} is not the name of a language, such as en or pt-BR")


def _understood(parse: Callable[[str], Any], value: str) -> None:
    try:
        parse(value)
    except DataError as error:
        raise ValueError(str(error)) from error


_MEANING: dict[str, Callable[[Any], None]] = {
    "acl.defaultacl": _check_acl,
    "acl.implicit_owner_rights": _check_rights,
    "acl.deleteright": _check_deleteright,
    "lmtp.lmtp_trusted_networks": _check_networks,
    "lmtp.lmtp_listen": _check_listeners,
    "managesieve.managesieve_listen": _check_listeners,
    "outbox.smtp_host": _check_host_port,
    "lmtp.workers": _at_least(0),
    "lmtp.threads": _at_least(1),
    "lmtp.lmtp_max_recipients": _at_least(1),
    "lmtp.lmtp_max_connections": _at_least(1),
    "lmtp.lmtp_timeout": _at_least(1),
    "managesieve.timeout": _at_least(1),
    "delivery.maximum_hops": _at_least(1),
    "delivery.mailbox_maxmessages_email": _at_least(0),
    "quota.quota_warnings": _check_levels,
    "quota.quotawarnpercent": _percent,
    "quota.quotawarnsize": _at_least(0),
    "quota.quotawarnmsg": _at_least(0),
    "quota.quota_warning_hysteresis": _percent,
    "quota.quota_warning_language": _check_language,
    "quota.quota_check_interval": _at_least(1),
    "store.partition_select_soft_usage_limit": _percent,
    "store.partition_select_usage_reinit": _at_least(0),
}


def check(key: str, value: Any) -> None:
    if hold := _MEANING.get(key):
        hold(value)


def check_partitions(settings: config.Settings) -> None:
    """ConfigurationError for names that no partition has, or when there is none to choose."""
    default, excluded = settings.store.defaultpartition, settings.store.partition_select_exclude
    problems = [
        f"store.{key}: there is no partition {name!r}"
        for key, names in (("defaultpartition", (default,) if default else ()), ("partition_select_exclude", excluded))
        for name in names
        if name not in settings.partitions
    ]
    if not (problems or default or settings.selectable_partitions):
        problems = ["store.partition_select_exclude: no partition is left to be chosen"]
    if problems:
        raise ConfigurationError(*problems)


def check_pairs(settings: config.Settings) -> None:
    """ConfigurationError for settings that want another one beside them."""
    if (settings.lmtp.tls_server_cert is None) != (settings.lmtp.tls_server_key is None):
        raise ConfigurationError("lmtp.tls_server_cert and lmtp.tls_server_key: set both or neither")
    if settings.outbox.srs_domain and not settings.outbox.srs_secrets:
        raise ConfigurationError("outbox.srs_secrets: srs_domain wants a secret")
