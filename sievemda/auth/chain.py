"""The back ends that the settings name, in their order, and the users whom they know."""

from __future__ import annotations

from collections.abc import Callable

from sievemda.auth.backends import Backend
from sievemda.auth.backends.own import Own
from sievemda.auth.users import Users
from sievemda.config import Settings
from sievemda.state.credentials import Credentials, credentials_of


def users_of(settings: Settings) -> Users:
    """Raises ConfigurationError when a back end wants a library that is not installed."""
    credentials = credentials_of(settings)
    return Users(credentials, settings.site, backends_of(settings, credentials))


def backends_of(settings: Settings, credentials: Credentials) -> tuple[Backend, ...]:
    """As `users_of`."""
    return tuple(_MAKERS[name](settings, credentials) for name in settings.auth.auth_backends)


def _own(settings: Settings, credentials: Credentials) -> Backend:
    return Own(credentials, transition=settings.sasl.sasl_auto_transition)


def _passwd_file(settings: Settings, credentials: Credentials) -> Backend:  # noqa: ARG001 - all are made alike
    from sievemda.auth.backends.passwd_file import PasswdFile  # noqa: PLC0415 - loaded where it is used

    options = settings.auth
    assert options.auth_passwd_file is not None  # `configtogether` sees to that
    return PasswdFile(options.auth_passwd_file, options.auth_passwd_scheme.upper(), settings.site)


def _pam(settings: Settings, credentials: Credentials) -> Backend:  # noqa: ARG001 - as above
    from sievemda.auth.backends.pam import Pam  # noqa: PLC0415 - as above

    return Pam(settings.auth.auth_pam_service, settings.auth.auth_pam_directory, settings)


def _saslauthd(settings: Settings, credentials: Credentials) -> Backend:  # noqa: ARG001 - as above
    from sievemda.auth.backends.saslauthd import Saslauthd  # noqa: PLC0415 - as above

    return Saslauthd(settings.auth.saslauthd_path, settings)


def _dovecot(settings: Settings, credentials: Credentials) -> Backend:  # noqa: ARG001 - as above
    from sievemda.auth.backends.dovecot import Dovecot  # noqa: PLC0415 - as above

    return Dovecot(settings.auth.dovecot_auth_socket, settings)


def _ldap(settings: Settings, credentials: Credentials) -> Backend:  # noqa: ARG001 - as above
    from sievemda.auth.backends.ldap import Ldap  # noqa: PLC0415 - as above

    return Ldap(settings)


_MAKERS: dict[str, Callable[[Settings, Credentials], Backend]] = {
    "own": _own,
    "passwd-file": _passwd_file,
    "pam": _pam,
    "saslauthd": _saslauthd,
    "dovecot": _dovecot,
    "ldap": _ldap,
}
