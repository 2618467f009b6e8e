"""Who may log in, and as whom: the rules over the back ends that keep credentials.

Back ends are asked in their order. The first one that knows the user decides: a wrong password is refused there and
not tried elsewhere, so that an old password in a second place does not outlive the change in the first. One that does
not know him, or cannot tell that from a wrong password (saslauthd, Dovecot), passes him on to the next. One that does
not answer ends it: TemporaryTrouble, since nobody can say then who would have decided.

Why SCRAM and the like are offered only when every back end keeps what they want: a client takes the strongest mechanism
that is offered, before anybody knows who he is, and most do not try another one when it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from sievemda.auth.backends import Answer, Backend, Kept, Verdict
from sievemda.auth.backends.own import Own
from sievemda.auth.client import Client
from sievemda.auth.names import canonical_user
from sievemda.auth.passwords import SCRAM_MECHANISMS, Verifier, credentials_for, derived, look_alike, number_of
from sievemda.config import Site
from sievemda.errors import DataError, TemporaryTrouble
from sievemda.state.credentials import Credentials

_SOMEBODY = Client("")  # of whom nothing is known


class Users:
    """A user can log in exactly when a back end has credentials of him.

    Methods raise TemporaryTrouble when those cannot be read. `credentials` are ours, which hold the site's secret too.
    """

    def __init__(self, credentials: Credentials, site: Site, backends: Sequence[Backend] | None = None) -> None:
        self._credentials = credentials
        self._site = site
        self._backends: Sequence[Backend] = (Own(credentials),) if backends is None else backends
        self.at_hand = not any(backend.looks for backend in self._backends)  # whether `mechanisms` never blocks
        trusted = (*site.admins, *site.proxyservers)
        self._proxies = frozenset(_canonical_or_empty(name, site) for name in trusted) - {""}
        self._admins = frozenset(_canonical_or_empty(name, site) for name in site.admins) - {""}

    def mechanisms(self) -> frozenset[str]:
        """The mechanisms by which every user can log in: PLAIN always, others where all back ends keep their wants."""
        first, *others = (backend.mechanisms() for backend in self._backends)
        return first.intersection(*others) | {"PLAIN"}

    def check_password(self, name: str, password: str, client: Client = _SOMEBODY) -> str | None:
        """The userid when the password is right; otherwise None after the same work, whether he exists or not."""
        answers = list(self.asked(name, password, client))
        _, answer = answers[-1]
        if answer.verdict is Verdict.WRONG:
            for backend in self._backends[len(answers) :]:  # they would have hashed it for a user whom nobody knows
                with suppress(TemporaryTrouble):
                    backend.check("", password, client)
        return self.recognised(name, answer)

    def asked(self, name: str, password: str, client: Client = _SOMEBODY) -> Iterator[tuple[str, Answer]]:
        """Name and answer of each back end up to the one that decides."""
        userid = _canonical_or_empty(name, self._site)
        for backend in self._backends:
            answer = backend.check(userid, password, client)
            yield backend.name, answer
            if answer.verdict is not Verdict.UNKNOWN:
                return

    def mechanisms_of(self, name: str) -> frozenset[str]:
        """Those by which this user can log in, as far as that can be told without his password; none: who knows."""
        kept = self._kept(_canonical_or_empty(name, self._site), _SOMEBODY)
        if kept is None:
            return frozenset()
        return frozenset({"PLAIN", *kept.verifiers, *(SCRAM_MECHANISMS if kept.plain else ())})

    def probe(self) -> Iterator[tuple[str, str]]:
        """Name of each back end that does not answer, and what is wrong with it."""
        for backend in self._backends:
            try:
                backend.probe()
            except TemporaryTrouble as e:
                yield backend.name, str(e)

    def recognised(self, name: str, answer: Answer) -> str | None:
        """The userid of who was asked for by that name; None when the answer does not let him in."""
        if answer.verdict is not Verdict.RIGHT:
            return None
        return _canonical_or_empty(answer.userid or name, self._site) or None

    def verifier(self, name: str, mechanism: str, client: Client = _SOMEBODY) -> Verifier:
        """What to check a SCRAM exchange with: the user's own or, when he has none, one that never fits.

        The work is the same for both, and the second looks like somebody's.
        """
        userid, secret = _canonical_or_empty(name, self._site), self._credentials.secret()
        kept = self._kept(userid, client) or Kept()
        number = number_of(secret, userid or name)
        samples = [backend.sample(mechanism, number) for backend in self._backends]
        found = look_alike(secret, mechanism, userid or name, samples[number % len(samples)])
        if any(backend.keeps_passwords() for backend in self._backends):
            with suppress(DataError):  # what cannot be a password fits none
                made = derived(secret, mechanism, userid or name, kept.plain or "nobody's password")
                found = made if kept.plain else found
        return kept.verifiers.get(mechanism, found)

    def plain_password(self, name: str, client: Client = _SOMEBODY) -> str | None:
        """The password itself, for mechanisms that want it; None where it is not kept. An empty one is none."""
        kept = self._kept(_canonical_or_empty(name, self._site), client)
        return (kept.plain or None) if kept else None

    def known_as(self, name: str, client: Client = _SOMEBODY) -> str:
        """The userid of who has proved, without sending his password, that he is `name`; empty when it can be none."""
        userid = _canonical_or_empty(name, self._site)
        kept = self._kept(userid, client)
        return _canonical_or_empty(kept.userid, self._site) if kept and kept.userid else userid

    def mark(self, userid: str, client: Client) -> str:
        """What is another one once his password is; empty where none is kept here, or he may not come from there."""
        kept = self._kept(userid, client)
        return kept.mark if kept else ""

    def _kept(self, userid: str, client: Client) -> Kept | None:
        found = (backend.kept(userid, client) for backend in self._backends)
        return next((kept for kept in found if kept is not None), None)

    def authorise(self, name: str, authzid: str) -> str | None:
        """The user whose scripts `name`, once recognised, may manage: himself or, for some, `authzid`.

        Those are administrators and who the setting proxyservers names. Administrators alone may manage what is
        nobody's: /global and the like, which are no users' names.

        RFC 5804 §2.1 (proxy authentication), RFC 4616 §2.
        """
        userid = _canonical_or_empty(name, self._site)
        if not authzid:
            return userid
        if authzid.startswith("/"):
            return authzid if userid in self._admins else None
        owner = _canonical_or_empty(authzid, self._site)
        return owner if owner and (owner == userid or userid in self._proxies) else None

    def is_admin(self, userid: str) -> bool:
        """Whether he has administrative rights."""
        return userid in self._admins

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
