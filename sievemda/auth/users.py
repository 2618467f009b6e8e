"""Who may log in, and as whom: the rules over the credentials."""

from __future__ import annotations

from collections.abc import Mapping

from sievemda.auth.names import canonical_user
from sievemda.auth.passwords import HASH, Verifier, credentials_for, look_alike, matches, verifier
from sievemda.config import Site
from sievemda.errors import DataError
from sievemda.state.credentials import Credentials


class Users:
    """A user can log in exactly when he has credentials. Methods raise TemporaryTrouble when those cannot be read."""

    def __init__(self, credentials: Credentials, site: Site) -> None:
        self._credentials = credentials
        self._site = site
        trusted = (*site.admins, *site.proxyservers)
        self._proxies = frozenset(_canonical_or_empty(name, site) for name in trusted) - {""}

    def check_password(self, name: str, password: str) -> str | None:
        """The userid when the password is right; otherwise None after the same work, whether he exists or not."""
        userid = _canonical_or_empty(name, self._site)
        kept = self._credentials.find(userid, HASH)
        return userid if matches(password, kept) else None

    def verifier(self, name: str, mechanism: str) -> Verifier:
        """What to check a SCRAM exchange with: the user's own or, when he has none, one that never fits."""
        userid = _canonical_or_empty(name, self._site)
        kept = self._credentials.find(userid, mechanism)
        fake = look_alike(self._credentials.secret(), mechanism, userid or name)
        return verifier(kept) if kept else fake

    def authorise(self, name: str, authzid: str) -> str | None:
        """The user whose scripts `name`, once recognised, may manage: himself or, for some, `authzid`.

        Those are administrators and who the setting proxyservers names.

        RFC 5804 §2.1 (proxy authentication), RFC 4616 §2.
        """
        userid = _canonical_or_empty(name, self._site)
        if not authzid:
            return userid
        owner = _canonical_or_empty(authzid, self._site)
        return owner if owner and (owner == userid or userid in self._proxies) else None

    def set_password(self, name: str, password: str) -> str:
        """Replace all credentials of the user; his userid. Raises DataError for a bad name or password."""
        userid = canonical_user(name, self._site)
        self._credentials.replace(userid, credentials_for(password))
        return userid

    def kept(self, userid: str) -> dict[str, str]:
        """The credentials of a user by their kind, for `keep`."""
        return self._credentials.of(userid)

    def keep(self, userid: str, credentials: Mapping[str, str]) -> None:
        """Replace all credentials of a user, whose name is canonical, by those that were made before; none: forget."""
        self._credentials.replace(userid, credentials)

    def forget(self, name: str) -> bool:
        """Take all credentials away; whether there were any."""
        return self._credentials.replace(canonical_user(name, self._site), {})


def _canonical_or_empty(name: str, site: Site) -> str:
    try:
        return canonical_user(name, site)
    except DataError:
        return ""
