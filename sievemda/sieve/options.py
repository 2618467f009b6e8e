"""What a site decides for single extensions, in one frozen value: `Limits.options`. The defaults suit a bare command.

The language does not know the settings of the program; `sievemda.language` makes these values from them, and the test
language from its own settings.

An address source is one of `sender`, `recipient`, `orig_recipient`, `user_email`, `postmaster`, or an address in angle
brackets, `<>` for nobody; empty is the default of whoever asks (see `sieve.senders`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.sieve.verdicts import SPAM, VIRUS, Scale


@dataclass(frozen=True, slots=True)
class Options:
    user_email: str = ""  # the owner's own address, where the site knows it; empty: the envelope recipient
    postmaster: str = "postmaster"  # whom reports and notices come from

    without_require: frozenset[str] = frozenset()  # capabilities that every script has
    for_global_scripts: frozenset[str] = frozenset()  # capabilities that included global scripts may have beside others

    address_fields_only: bool = True  # the address test takes only fields that hold addresses, RFC 5228 §5.1

    redirect_envelope_from: str = ""  # address source; empty: the reverse-path of the message

    # vacation
    vacation_default_subject: str = ""  # of the answer to a message without subject; empty: `Automated reply`
    vacation_subject_template: str = ""  # `%{subject}` is that of the message; empty: `Auto: %{subject}`
    vacation_use_original_recipient: bool = True  # the address that was first written to (ORCPT) is the owner's too
    vacation_check_recipient: bool = True  # answer only what is addressed to the owner
    vacation_send_from_recipient: bool = False  # MAIL FROM of the answer is the recipient, not nobody
    vacation_to_header_ignore_envelope: bool = False  # To is who wrote, even where the reverse-path is another

    # enotify
    notify_mailto_envelope_from: str = ""  # address source; empty: `:from`, else the user, else the postmaster
    notify_mailto_recipients: int = 8  # of one URI
    notify_mailto_headers: int = 16  # of one URI
    notify_https_hosts: tuple[str, ...] = ()  # HOST, *.DOMAIN or HOST:PORT for webhooks; without one there are none

    notify_unknown_refused: bool = False  # a script that names a method which is not known does not compile

    report_from: str = ""  # address source; empty: the postmaster

    # editheader; names of fields in lower case
    header_size: int = 2_048  # octets of a value that is added
    forbid_add: frozenset[str] = frozenset()
    forbid_delete: frozenset[str] = frozenset()

    # spamtest, virustest: fields of filters that are believed, the first that is there; see `sieve.verdicts`
    spam: tuple[Scale, ...] = SPAM
    virus: tuple[Scale, ...] = VIRUS
