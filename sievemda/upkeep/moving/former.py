"""The versions of a user's scripts on their way to another host: `history` of the conversation in `wire`.

The end where he leaves says what they are, the other one which of their texts it lacks. They are kept by the id of his
INBOX, which goes with him, so he finds them there when he arrives, and nobody else does. What came before is not
noted again, so that the same may be said as often as one likes.

Why it is said once without any, before his mail is put off: what cannot take them is to be known by then.

An end of an earlier time does not say that it can take them; then they stay where they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sievemda.errors import DataError
from sievemda.scripts import passage
from sievemda.scripts.opening import open_versions
from sievemda.state.past import Past
from sievemda.state.versions import digest_of
from sievemda.upkeep.moving.wire import HISTORY, Said, Wire

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.state.versions import Versions

_LARGEST = 16 << 20  # octets of a text


def send(versions: Versions, keeper: str, wire: Wire) -> None:
    """What the other host lacks of them; without a keeper, ask whether it can take any."""
    past = versions.past(keeper) if keeper else Past()
    wanted = wire.ask({"do": HISTORY, **passage.to_json(past)})["want"]
    for digest in wanted:
        text = versions.text(str(digest))
        if text is None:
            wire.say({"gone": True})
        else:
            wire.say({"octets": len(text)}, [text])
    wire.hear()


class Arriving:
    """What has come of the versions of one user."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._versions = open_versions(settings)
        self._wire = wire

    def take(self, keeper: str, said: Said) -> Said:
        """Keep them, once. `keeper` is nothing while nobody knows whose they are."""
        past, versions = passage.from_json(said), self._versions
        if versions is not None:
            versions.known(keeper)  # TemporaryTrouble
        lacking = [digest for digest in past.digests if versions and keeper and versions.text(digest) is None]
        self._wire.say({"want": lacking})
        texts = {digest: text for digest in lacking if (text := self._text(digest)) is not None}
        if versions is not None and keeper:
            versions.join(keeper, past, texts.get, "carried")
        return {"got": len(texts)}

    def _text(self, digest: str) -> bytes | None:
        said = self._wire.hear()
        if said.get("gone"):
            return None
        if not 0 <= int(said["octets"]) <= _LARGEST:
            raise DataError(f"a script of {said['octets']} octets")
        text = b"".join(self._wire.octets(int(said["octets"])))
        if digest_of(text) != digest:
            raise DataError("a script is not the one that it should be")
        return text
