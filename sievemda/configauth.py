"""The section of the settings tree about who may log in, and how he proves who he is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sievemda.configfields import Seconds, setting

__all__ = ["BACKENDS", "NEEDED", "Auth"]

BACKENDS = ("own", "passwd-file", "pam", "saslauthd", "dovecot")  # every kind of place where credentials can be kept
NEEDED = {"passwd-file": ("auth_passwd_file",)}  # the settings that one cannot do without


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may log in, and how he proves who he is."""

    auth_backends: tuple[str, ...] = setting(
        ("own",),
        "Where credentials are kept, in the order in which they are asked: own (`sievemda account passwd`),"
        " passwd-file, pam, saslauthd, dovecot.",
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
