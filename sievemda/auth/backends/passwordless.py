"""What back ends have in common that are shown a password and say yes or no: nothing else is to be had of them."""

from __future__ import annotations

from sievemda.auth.backends import Kept
from sievemda.auth.client import Client
from sievemda.auth.passwords import Verifier


class Passwordless:
    """Keeps nothing that any mechanism beside PLAIN and LOGIN could use."""

    looks = False

    def kept(self, userid: str, client: Client) -> Kept | None:  # noqa: ARG002 - as every back end is asked
        return None

    def mechanisms(self) -> frozenset[str]:
        return frozenset()

    def keeps_passwords(self) -> bool:
        return False

    def sample(self, mechanism: str, number: int) -> Verifier | None:  # noqa: ARG002 - as above
        return None
