"""imapsieve: scripts that run when a message is added to a mailbox over IMAP, or its flags change. RFC 6785.

The extension has no commands: what happened is told by items of the environment (§4), which the world answers. A
script that needs it cannot have what is for deliveries alone: answers, refusals (§3.11), and `duplicate` (RFC 7352
§3.4). At an event no script can: `INAPPLICABLE` names them. The envelope cannot be tested at an event (§4.6).
"""

from __future__ import annotations

from sievemda.sieve.vocabulary import Extension

CAUSE, MAILBOX, CHANGED, USER, EMAIL = "imap.cause", "imap.mailbox", "imap.changedflags", "imap.user", "imap.email"
CAUSES = ("APPEND", "COPY", "FLAG")  # §4.3

INAPPLICABLE = ("reject", "ereject", "vacation", "vacation-seconds", "duplicate")

EXTENSIONS = (
    Extension(
        "imapsieve",
        "RFC 6785",
        excludes=INAPPLICABLE,
        note="run for an event by `sievemda sieve event`",
    ),
)
