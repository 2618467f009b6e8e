"""Who is posting: the identity that AUTH= of MAIL gives, and nothing else (semantics, section 3).

Neither the SASL identity of the LMTP client, nor the envelope sender, nor a header field confers rights.
"""

from __future__ import annotations

from sievemda.config import Settings
from sievemda.errors import DataError
from sievemda.mail.domain import without_default
from sievemda.policy.acl import ANONYMOUS, check_identifier

_NOT_A_NAME = {"", ANONYMOUS}  # somebody who says that he is `anyone` has a name, and the rights of anyone


def posting_identity(settings: Settings, auth: str | None) -> str | None:
    """The canonical identity, or None: anonymous, which is also who cannot be canonicalised. RFC 4954 §5."""
    if auth is None:
        return None
    identity = auth.lower() if settings.site.username_tolower else auth
    identity = without_default(identity, settings.site.defaultdomain)
    if identity in _NOT_A_NAME or identity.startswith(("group:", "-")):
        return None
    try:
        check_identifier(identity)
    except DataError:
        return None
    return identity
