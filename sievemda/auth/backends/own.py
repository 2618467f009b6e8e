"""Our own table of credentials, which `sievemda account passwd` fills."""

from __future__ import annotations

import logging

from sievemda.auth.backends import Answer, Kept, Verdict, mark_of
from sievemda.auth.client import Client
from sievemda.auth.passwords import HASH, SCRAM_MECHANISMS, Verifier, matches, usable, verifier, verifiers_for
from sievemda.errors import DataError, TemporaryTrouble
from sievemda.state.credentials import Credentials

_log = logging.getLogger("sievemda.auth")


class Own:
    """`transition`: who has a hash alone and shows the right password gets verifiers from it, for SCRAM."""

    name = "own"
    looks = False

    def __init__(self, credentials: Credentials, *, transition: bool = False) -> None:
        self._credentials = credentials
        self._transition = transition

    def check(self, userid: str, password: str, client: Client) -> Answer:  # noqa: ARG002 - as every back end is asked
        """One who has verifiers only, and no hash, is known: his password is wrong after the same work."""
        kept = self._credentials.of(userid)
        if matches(password, kept.get(HASH)):
            if self._transition and not kept.keys() >= set(SCRAM_MECHANISMS):
                self._add_verifiers(userid, password, kept[HASH])
            return Answer(Verdict.RIGHT)
        return Answer(Verdict.WRONG if kept else Verdict.UNKNOWN)

    def _add_verifiers(self, userid: str, password: str, hashed: str) -> None:
        """Trouble with that is none of the user's, who has shown the right password."""
        try:
            self._credentials.add(userid, verifiers_for(usable(password)), HASH, hashed)
        except (DataError, TemporaryTrouble) as e:
            _log.warning("no verifiers for SCRAM: user=%s: %s", userid, e)

    def kept(self, userid: str, client: Client) -> Kept | None:  # noqa: ARG002 - as above
        kept = self._credentials.of(userid)
        if not kept:
            return None
        lasting = kept.get(HASH) or "\n".join(value for _, value in sorted(kept.items()))  # verifiers may be added
        verifiers = {m: verifier(kept[m]) for m in SCRAM_MECHANISMS if m in kept}
        return Kept(verifiers, mark=mark_of(lasting.encode()))

    def mechanisms(self) -> frozenset[str]:
        return frozenset(SCRAM_MECHANISMS)

    def keeps_passwords(self) -> bool:
        return False

    def sample(self, mechanism: str, number: int) -> Verifier | None:
        """Most of ours are of one form; those that were made elsewhere and imported are not.

        One that is damaged is its owner's trouble alone.
        """
        near = hex(number)[2:4]
        kept = self._credentials.somebody(mechanism, near) or self._credentials.somebody(mechanism, "")
        try:
            return verifier(kept) if kept else None
        except TemporaryTrouble:
            return None

    def probe(self) -> None:
        self._credentials.secret()
