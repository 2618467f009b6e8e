"""The section of the settings tree about who may log in, and how he proves who he is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sievemda.configfields import Seconds, Section, setting

__all__ = ["BACKENDS", "NEEDED", "Auth"]

BACKENDS = (
    "own",
    "passwd-file",
    "pam",
    "saslauthd",
    "dovecot",
    "ldap",
)  # every kind of place where credentials can be kept
NEEDED = {"passwd-file": ("auth_passwd_file",), "ldap": ("ldap_uri",)}  # the settings that one cannot do without


class Auth(Section):
    """Who may log in, and how he proves who he is."""

    auth_backends: tuple[str, ...] = setting(
        ("own",),
        "Where credentials are kept, in the order in which they are asked: own (`sievemda account passwd`),"
        " passwd-file, pam, saslauthd, dovecot, ldap.",
    )
    auth_database: str = setting(
        "",
        "Database of the back end own when several hosts share it: postgresql://USER@HOST/DATABASE, which wants"
        " sievemda[postgresql]; empty: SQLite, state/accounts.db below the data directory.",
        secret=True,
    )
    auth_passwd_file: Path | None = setting(
        None,
        "File of the back end passwd-file, in Dovecot's form: user:{SCHEME}password:uid:gid:gecos:home:shell:extra.",
    )
    auth_passwd_scheme: str = setting("CRYPT", "Scheme of passwords in that file that name none.")
    auth_username_format: str = setting(
        "{user}",
        "What a user is called in other programs (pam, saslauthd, dovecot): {user}, {local}, {domain} stand in it, and"
        " {domain} is the default domain of who has none.",
    )
    auth_timeout: Seconds = setting(
        Seconds(10), "Time within which such a program must answer; later, the client is told to try again."
    )
    auth_pam_service: str = setting("sievemda", "PAM service: the name of a file in /etc/pam.d.")
    auth_pam_directory: Path | None = setting(None, "Directory with that file, when it is not in /etc/pam.d.")
    saslauthd_path: Path = setting(Path("/run/saslauthd/mux"), "Socket of saslauthd.")
    dovecot_auth_socket: Path = setting(
        Path("/run/dovecot/auth-client"), "Socket of Dovecot's auth service, of the kind auth-client."
    )
    ldap_uri: tuple[str, ...] = setting(
        (), "Servers of the back end ldap, which are tried in their order: ldap://HOST, ldaps://HOST, ldapi://PATH."
    )
    ldap_start_tls: bool = setting(False, "Demand StartTLS of ldap://, so that passwords do not go in plain text.")
    ldap_ca_file: Path | None = setting(
        None, "Authorities in PEM that have signed the servers' certificates; empty: those of the system."
    )
    ldap_user_dn: str = setting(
        "",
        "DN of a user, with which he binds: %u stands for his name, %U for the part before the @, %d for the domain;"
        " empty: it is searched for.",
    )
    ldap_base: str = setting("", "Where users are searched for.")
    ldap_filter: str = setting("(uid=%u)", "What fits one entry, the user's: %u, %U, %d stand in it as above.")
    ldap_scope: Literal["sub", "one", "base"] = setting("sub", "How far below ldap_base.")
    ldap_bind_dn: str = setting("", "Who searches; empty: nobody, anonymously.")
    ldap_password: str = setting("", "Password of who searches.", secret=True)
