"""What values of settings must be beyond their type, each for itself. Raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sievemda.configauth import BACKENDS
from sievemda.configsasl import ALGORITHMS, MECHANISMS
from sievemda.errors import DataError


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


def _between(least: int, most: int) -> Callable[[int], None]:
    def check(value: int) -> None:
        if not least <= value <= most:
            raise ValueError(f"{value} is not between {least} and {most}")

    return check


def _check_word(value: str) -> None:
    if not value or re.search(r"[\s@]", value):
        raise ValueError(f"{value!r} is not the name of a host or domain")


def _with_bits(needed: int) -> Callable[[int], None]:
    def check(value: int) -> None:
        if value & needed != needed or value > 0o7777:
            raise ValueError(f"{value:04o} shuts out the owner; {needed:04o} must be in it, in octal")

    return check


def _check_uses(value: tuple[str, ...]) -> None:
    from sievemda.store.creation import special_uses  # noqa: PLC0415 - as above

    for use in value:
        _understood(special_uses, use)


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


def _check_schedule(value: str) -> None:
    from sievemda.policy.schedule import parse_schedule  # noqa: PLC0415 - as above

    parse_schedule(value)


def _check_backends(value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError(f"name one at least: {', '.join(BACKENDS)}")
    for name in value:
        if name not in BACKENDS:
            raise ValueError(f"{name!r} is not one of {', '.join(BACKENDS)}")
    if len(set(value)) < len(value):
        raise ValueError("one is named twice")


def _check_tls_versions(value: tuple[str, ...]) -> None:
    if not value or not {"tls1_2", "tls1_3"}.issuperset(value):
        raise ValueError("write tls1_2, tls1_3 or both: what is older is not safe")


def _one_of(known: tuple[str, ...]) -> Callable[[tuple[str, ...]], None]:
    def check(value: tuple[str, ...]) -> None:
        for name in value:
            if name not in known and name.upper() not in known:
                raise ValueError(f"{name!r} is not one of {', '.join(known)}")

    return check


def _check_url(value: str) -> None:
    if value and not re.fullmatch(r"https?://[^\s/?#]+([/?][^\s#]*)?", value):
        raise ValueError(f"{value!r} is no URL that begins with https:// or http://")


def _check_scheme(value: str) -> None:
    from sievemda.auth.schemes import SCHEMES  # noqa: PLC0415 - as above

    if value.upper() not in SCHEMES:
        raise ValueError(f"{value!r} is not one of {', '.join(SCHEMES)}")


def _check_format(value: str) -> None:
    words = re.findall(r"\{[^}]*\}?", value)
    if not {"{user}", "{local}"}.intersection(words) or not {"{user}", "{local}", "{domain}"}.issuperset(words):
        raise ValueError("write {user}, or {local} and {domain}, into it and no other word in braces")


def _check_service(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}", value):
        raise ValueError(f"{value!r} is not the name of a PAM service")


def _check_ldap_servers(value: tuple[str, ...]) -> None:
    for uri in value:
        if not re.fullmatch(r"ldaps?://[^/\s]+/?|ldapi:///?\S+", uri):
            raise ValueError(f"{uri!r} is neither ldap://HOST[:PORT] nor ldaps://HOST[:PORT] nor ldapi://PATH")


def _check_ldap_template(value: str) -> None:
    words = re.findall("%(.?)", value)
    if (value and not {"u", "U"}.intersection(words)) or not {"u", "U", "d", "%"}.issuperset(words):
        raise ValueError("write %u or %U into it and, beside them, nothing but %d and %% with a percent sign")


def _check_ldap_filter(value: str) -> None:
    _check_ldap_template(value)
    if not (value.startswith("(") and value.endswith(")") and value.count("(") == value.count(")")):
        raise ValueError(f"{value!r} is no filter, such as (uid=%u)")


def _check_uri(value: str) -> None:
    if value and not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("it does not begin with postgresql://")


def _understood(parse: Callable[[str], Any], value: str) -> None:
    try:
        parse(value)
    except DataError as error:
        raise ValueError(str(error)) from error


_percent = _between(0, 100)
_days = _between(0, 36500)

_MEANING: dict[str, Callable[[Any], None]] = {
    "acl.defaultacl": _check_acl,
    "auth.auth_backends": _check_backends,
    "auth.auth_database": _check_uri,
    "auth.auth_pam_service": _check_service,
    "auth.auth_passwd_scheme": _check_scheme,
    "auth.auth_timeout": _between(1, 300),
    "auth.auth_username_format": _check_format,
    "auth.ldap_filter": _check_ldap_filter,
    "auth.ldap_uri": _check_ldap_servers,
    "auth.ldap_user_dn": _check_ldap_template,
    "acl.implicit_owner_rights": _check_rights,
    "acl.deleteright": _check_deleteright,
    "lmtp.lmtp_trusted_networks": _check_networks,
    "lmtp.lmtp_listen": _check_listeners,
    "managesieve.managesieve_listen": _check_listeners,
    "outbox.smtp_host": _check_host_port,
    "site.servername": _check_word,
    "site.defaultdomain": _check_word,
    "store.message_mode": _with_bits(0o600),
    "store.folder_mode": _with_bits(0o700),
    "store.delete_days": _days,
    "store.discard_days": _days,
    "delivery.journal_days": _days,
    "delivery.memory_days": _days,
    "delivery.lmtp_exclude_specialuse": _check_uses,
    "sieve.sieve_maxscripts": _at_least(0),
    "lmtp.tls_versions": _check_tls_versions,
    "lmtp.workers": _between(0, 1024),
    "lmtp.threads": _between(1, 1024),
    "lmtp.lmtp_max_recipients": _at_least(1),
    "lmtp.lmtp_max_connections": _at_least(1),
    "lmtp.lmtp_timeout": _at_least(1),
    "managesieve.timeout": _at_least(1),
    "sasl.sasl_mech_list": _one_of(MECHANISMS),
    "sasl.oauth2_algorithms": _one_of(ALGORITHMS),
    "sasl.oauth2_introspection_url": _check_url,
    "sasl.oauth2_openid_configuration": _check_url,
    "sasl.oauth2_timeout": _between(1, 60),
    "guard.lockout_failures": _at_least(0),
    "guard.lockout_within": _at_least(1),
    "guard.lockout_time": _at_least(1),
    "guard.lockout_never": _check_networks,
    "guard.haproxy_trusted_networks": _check_networks,
    "guard.lmtp_max_strangers": _at_least(1),
    "guard.haproxy_timeout": _at_least(1),
    "managesieve.managesieve_max_connections": _between(1, 16384),
    "managesieve.managesieve_max_user_connections": _at_least(1),
    "managesieve.managesieve_max_address_connections": _at_least(0),
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
    "upkeep.expire_schedule": _check_schedule,
    "upkeep.prune_schedule": _check_schedule,
}


def check(key: str, value: Any) -> None:
    if hold := _MEANING.get(key):
        hold(value)
