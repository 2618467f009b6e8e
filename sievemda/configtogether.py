"""What settings must be together. Every contradiction is told by the keys that make it.

Why a contradiction is an error and not settled in favour of one: with two spaces of the same name, or one home for
everybody, mail would be filed where nobody looks for it, and the first to notice would be a user.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from sievemda import config
from sievemda.configauth import NEEDED
from sievemda.errors import ConfigurationError, DataError

_HOME_WORDS = ("{user}", "{local}", "{domain}", "{hash}", "{domainhash}")


def check_together(settings: config.Settings) -> None:
    """ConfigurationError with everything that is wrong."""
    problems = [problem for find in _CHECKS for problem in find(settings)]
    if problems:
        raise ConfigurationError(*problems)


def _data(settings: config.Settings) -> Iterator[str]:
    if settings.data.exists() and not settings.data.is_dir():
        yield f"data: {settings.data} is not a directory"


def _partitions(settings: config.Settings) -> Iterator[str]:
    """Names that no partition has, paths that cannot be one, and when there is none to choose."""
    store = settings.store
    unknown = [("defaultpartition", store.defaultpartition)] if store.defaultpartition else []
    unknown += [("partition_select_exclude", name) for name in store.partition_select_exclude]
    unknown = [(key, name) for key, name in unknown if name not in settings.partitions]
    yield from (f"store.{key}: there is no partition {name!r}" for key, name in unknown)
    if not (unknown or store.defaultpartition or settings.selectable_partitions):
        yield "store.partition_select_exclude: no partition is left to be chosen"
    seen: dict[str, str] = {}
    for name, path in settings.partitions.items():
        if os.path.exists(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112 - these raise nothing
            yield f"partition-{name}: {path} is not a directory"
        place = os.path.realpath(path)
        if other := seen.get(place):
            yield f"partition-{name}: partition {other} lies at {path} already"
        seen[place] = name


def _mail_home(settings: config.Settings) -> Iterator[str]:
    """A template that gives everybody a home of his own."""
    template = settings.store.mail_home
    if not template:
        return
    for word in re.findall(r"\{[^}]*\}", template):
        if word not in _HOME_WORDS:
            yield f"store.mail_home: {word} stands for nothing (known are {' '.join(_HOME_WORDS)})"
    if ".." in template.split("/"):
        yield "store.mail_home: '..' must not be a part of it"
    if "{user}" not in template and "{local}" not in template:
        yield "store.mail_home: all users would have the same home; write {user} or {local} into it"
    elif settings.site.virtdomains != "off" and "{user}" not in template and "{domain}" not in template:
        yield "store.mail_home: with virtdomains, {user} or {domain} must be in it"


def _prefixes(settings: config.Settings) -> Iterator[str]:
    """The three names of the alternative namespace, which must be three that no folder of the first level has."""
    names, separator = settings.names, "/" if settings.names.unixhierarchysep else "."
    if not names.altnamespace:
        return
    seen: dict[str, str] = {}
    for key in ("userprefix", "sharedprefix", "altprefix"):
        value: str = getattr(names, key)
        if not value or separator in value or value.upper() == "INBOX" or value != value.strip():
            yield f"names.{key}: {value!r} cannot be the name of a namespace"
        elif other := seen.get(value):
            yield f"names.{key}: {value!r} is what {other} is called"
        seen[value] = key


def _addresses(settings: config.Settings) -> Iterator[str]:
    delivery = settings.delivery
    if set(delivery.postuser) & {*delivery.recipient_delimiter, "@"}:
        yield f"delivery.postuser: {delivery.postuser!r} has in it what separates it from the detail or the domain"
    if delivery.lmtp_catchall_mailbox:
        from sievemda.store.names import Namespace  # noqa: PLC0415 - only who sets one loads the store

        try:
            Namespace(settings).userid(delivery.lmtp_catchall_mailbox)
        except DataError as error:
            yield f"delivery.lmtp_catchall_mailbox: {error}"


def _pairs(settings: config.Settings) -> Iterator[str]:
    """Settings that want another one beside them."""
    if (settings.lmtp.tls_server_cert is None) != (settings.lmtp.tls_server_key is None):
        yield "lmtp.tls_server_cert and lmtp.tls_server_key: set both or neither"
    if settings.lmtp.tls_server_dir is not None and settings.lmtp.tls_server_cert is None:
        yield "lmtp.tls_server_dir: tls_server_cert must be there, too, for clients that ask for no name"
    if settings.lmtp.tls_client_certs == "require" and settings.lmtp.tls_client_ca_file is None:
        yield "lmtp.tls_client_certs: to require them, tls_client_ca_file must say whose"
    if settings.outbox.srs_domain and not settings.outbox.srs_secrets:
        yield "outbox.srs_secrets: srs_domain wants a secret"
    if settings.sieve.sieve_vacation_min_response > settings.sieve.sieve_vacation_max_response:
        yield "sieve.sieve_vacation_min_response: it is more than sieve_vacation_max_response"


def _backends(settings: config.Settings) -> Iterator[str]:
    """What the back ends of credentials cannot do without."""
    auth = settings.auth
    for name, keys in NEEDED.items():
        if name in auth.auth_backends:
            yield from (f"auth.{key}: auth_backends = {name} wants it" for key in keys if not getattr(auth, key))
    if "ldap" in auth.auth_backends and not (auth.ldap_base or auth.ldap_user_dn):
        yield "auth.ldap_base: auth_backends = ldap wants it, or ldap_user_dn"


def _slots(settings: config.Settings) -> Iterator[str]:
    """Slots of active scripts that can be, and clients that look after one of them."""
    lines = settings.sieve.sieve_active_slots
    if not lines and not settings.managesieve.managesieve_slots:
        return
    from sievemda.store.slots import Slots  # noqa: PLC0415 - only who sets some loads the store

    try:
        labels = Slots(lines).labels
    except ValueError as error:
        yield f"sieve.sieve_active_slots: {error}"
        return
    for line in settings.managesieve.managesieve_slots:
        _, equals, label = line.rpartition("=")
        if not equals or (label and label not in labels):
            yield f"managesieve.managesieve_slots: {line!r} is not WHO=LABEL with a label of sieve_active_slots"


_CHECKS: tuple[Callable[[config.Settings], Iterator[str]], ...] = (
    _data,
    _partitions,
    _mail_home,
    _prefixes,
    _slots,
    _addresses,
    _pairs,
    _backends,
)
