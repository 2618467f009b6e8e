"""The log: standard error, one line per event, `key=value` words behind a fixed event name.

Why standard error: systemd, containers and a terminal all know what to do with it, and nothing has to be configured,
rotated or reopened. Content of messages never goes into it.
"""

from __future__ import annotations

import logging
import re
import sys

_PLAIN = re.compile(r"[!#-<>-~]+")  # printable ASCII but for blank, `"` and `=`
_MAX_VALUE = 500


def setup(level: int = logging.INFO) -> None:
    """Send the log of the whole process to standard error. The engine's own chatter is left out."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's
    logging.logMultiprocessing = logging.logThreads = False  # nothing asks for them, and each record would look them up


def words(**fields: object) -> str:
    """`a=b c="d e"`, without fields that are empty. No value can end its line or pose as another field."""
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in fields.items() if value not in {"", None})


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text[:_MAX_VALUE]
    text = "".join(c if c.isprintable() else "?" for c in text[:_MAX_VALUE])
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
