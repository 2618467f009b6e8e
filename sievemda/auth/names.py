"""The one form of a user's name, whoever spells it: SASL, the command line, an administrator acting for a user."""

from __future__ import annotations

from sievemda.config import Site
from sievemda.errors import DataError
from sievemda.mail.domain import without_default

MAX_NAME = 255  # octets; RFC 4616 §2 asks for so many


def prepared(text: str) -> str:
    """`text` after SASLprep (RFC 4013); raises DataError when it must not be used or nothing is left of it."""
    if text.isascii() and text.isprintable() and text:  # stays as it is, and SASL need not be loaded
        return text
    from scramp.core import ScramException  # noqa: PLC0415 - as said
    from scramp.utils import saslprep  # noqa: PLC0415

    try:
        found = str(saslprep(text))
    except (ScramException, UnicodeError) as e:
        raise DataError("there are characters in it that cannot be used (control, unassigned, mixed directions)") from e
    if not found:
        raise DataError("it is empty")
    return found


def canonical_user(name: str, site: Site) -> str:
    """The userid that `name` stands for; raises DataError for what cannot be a user's name.

    `@defaultdomain` is dropped and letters are lowered as the settings say, so that one user has one set of
    credentials and one home.
    """
    try:
        userid = without_default(prepared(name), site.defaultdomain)
        if site.username_tolower and userid:
            userid = prepared(userid.lower())  # the small form of some letters is younger than SASLprep
    except DataError as e:
        raise DataError(f"{name!r} is not a user name: {e}") from e
    unsafe = "/" in userid or not {".", ".."}.isdisjoint(userid.split("@"))  # a name becomes part of a path
    if not userid or len(userid.encode()) > MAX_NAME or unsafe:
        raise DataError(f"{name!r} is not a user name")
    return userid
