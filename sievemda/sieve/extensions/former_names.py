"""Names that capabilities had before they were published, and that scripts still require.

Each brings the capability of today with it, and is no line in what is advertised. RFC 7352, RFC 9671 and the draft of
snooze say what they came to be.
"""

from __future__ import annotations

from sievemda.sieve.vocabulary import Extension

EXTENSIONS = (
    Extension("vnd.dovecot.duplicate", "RFC 7352", implies=("duplicate",), advertised=False),
    Extension("vnd.cyrus.imip", "RFC 9671", implies=("processcalendar",), default=False, advertised=False),
    Extension("vnd.cyrus.snooze", "draft-ietf-extra-sieve-snooze", implies=("snooze",), advertised=False),
    Extension("x-cyrus-snooze", "draft-ietf-extra-sieve-snooze", implies=("snooze",), advertised=False),
)
