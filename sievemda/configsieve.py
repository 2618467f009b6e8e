"""The section of the settings tree that says what scripts may do, and the lists that they may ask."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sievemda.configfields import Seconds, Section, Size, setting

__all__ = ["MOST_SCRIPT", "ExternalList", "Sieve"]

MOST_SCRIPT = 16 << 20  # octets of a script that is read; a larger one could be stored, and never run


class ExternalList(Section):
    """A list that scripts may ask, under its own table of the configuration. RFC 6134.

    One of `file`, `dict`, `vcards` and `sqlite` says where it is: a file with one member a line (`#` begins a
    comment), a file of Pigeonhole with lines of key and value in turns, a folder of vCards, an SQLite file. In such a
    path {user}, {local}, {domain} and {home} stand for the owner's; a relative one lies in his home, and need not
    exist there.
    """

    name: str = setting("", "An absolute URI.")
    file: str = setting("")
    dict: str = setting("")
    vcards: str = setting("")
    sqlite: str = setting("")
    statement: str = setting(
        "", "Finds {values}, or without them lists all members; {user} and the others are bound too."
    )
    members: str = setting("", "Lists all members, for `redirect :list`.")
    users: tuple[str, ...] = setting(
        (), "Who may ask: users, and domains such as @example.org; nobody named: everybody."
    )
    exact: bool = setting(False, "Letters have case in it.")
    max_lookup_size: int = setting(1024, "Octets; a longer value is no member.")

    def __str__(self) -> str:
        return ", ".join(f"{key} = {value}" for key, value in vars(self).items() if value)


class Sieve(Section):
    """What scripts may do."""

    sieve_extensions: tuple[str, ...] = setting(
        (), "Capabilities that scripts may require; +NAME and -NAME change the default set instead."
    )
    sieve_global_extensions: tuple[str, ...] = setting(
        (), "Capabilities that only the administrator's scripts may require: sieve_before, sieve_after, sieve_global."
    )
    sieve_before: tuple[str, ...] = setting(
        (),
        "Scripts that run before the user's own: files, or directories of .sieve files in order of name."
        " {user}, {local}, {domain} stand in them; what does not exist is passed over. Users must not be able to write"
        " there.",
    )
    sieve_after: tuple[str, ...] = setting(
        (), "Scripts that run after the user's own, while the message is to be kept; as sieve_before."
    )
    sieve_default: str = setting("", "Script of users who have no active one; {user}, {local}, {domain} stand in it.")
    sieve_global: str = setting(
        "", "Directory of the scripts that `include :global` finds; {domain} stands in it. Empty: there are none."
    )
    sieve_include_max_includes: int = setting(255, "Scripts that one run may include; 0 forbids include.")
    sieve_include_max_nesting_depth: int = setting(10, "Scripts included inside of each other; 0 forbids include.")
    sieve_duplicate_default_period: Seconds = setting(
        Seconds(7 * 86400), "How long the duplicate test remembers without :seconds."
    )
    sieve_duplicate_max_expiration: Seconds = setting(
        Seconds(90 * 86400), "How long the duplicate test remembers at most."
    )
    rfc3028_strict: bool = setting(True, "The address test takes only fields that hold addresses.")
    sieve_maxscriptsize: Size = setting(Size(1024 * 1024), "Largest script, up to 16M; 0: that.")
    sieve_maxscripts: int = setting(100, "Scripts of one user.")
    sieve_versions: int = setting(
        1000, "Changes of a user's scripts that can be shown and taken back, the newest ones; 0: none are noted."
    )
    sieve_versions_size: Size = setting(
        Size(32 << 20), "What the texts of a user's former scripts may take; the oldest changes go first."
    )
    sieve_versions_days: int = setting(90, "Days for which such a change can be taken back.")
    sieve_active_slots: tuple[str, ...] = setting(
        (),
        "Scripts that are active beside each other, in the order in which they run, by their names: PATTERN or"
        " LABEL=PATTERN|PATTERN, as in `sogo` and `webmail=managesieve|roundcube`. What fits none is one more, before"
        " them. Empty: one script is active.",
    )
    sieve_max_redirects: int = setting(4, "Redirects of one run.")
    sieve_max_actions: int = setting(32, "Actions of one run.")
    sieve_vacation_min_response: Seconds = setting(Seconds(86400), "Shortest interval of vacation.")
    sieve_vacation_max_response: Seconds = setting(Seconds(90 * 86400), "Longest interval of vacation.")
    sieve_vacation_default_response: Seconds = setting(Seconds(7 * 86400), "Interval of vacation without :days.")
    sieve_snoozed_mailbox: str = setting(
        "Snoozed", r"Folder for snoozed mail, made for users who have none for the use \Snoozed."
    )
    sieve_editheader_max_header_size: Size = setting(Size(2048), "Largest value that addheader takes; at least 1024.")
    sieve_editheader_forbid_add: tuple[str, ...] = setting((), "Fields that addheader may not add; never Subject.")
    sieve_editheader_forbid_delete: tuple[str, ...] = setting(
        (), "Fields that deleteheader may not delete, beside Received and Auto-Submitted; never Subject."
    )
    sieve_environment: tuple[str, ...] = setting(
        (), "KEY=VALUE of items vnd.dovecot.config.KEY that scripts can ask for (vnd.dovecot.environment)."
    )
    sieve_spamtest_status_header: str = setting(
        "",
        "Field in which the spam filter leaves its score, as FIELD or FIELD: REGEX, whose first group is the score."
        " Empty: what rspamd and SpamAssassin write is understood; none: nothing is believed. The filter must remove"
        " such fields from incoming mail.",
    )
    sieve_spamtest_status_type: Literal["score", "strlen", "text"] = setting(
        "score", "Whether that is a number, a row of characters whose length counts, or one of the texts below."
    )
    sieve_spamtest_score_max_value: str = setting("", "The score that is certainly spam.")
    sieve_spamtest_score_max_header: str = setting("", "Where the message says it, as FIELD or FIELD: REGEX.")
    sieve_spamtest_text_value: tuple[str, ...] = setting((), "Texts as VALUE=TEXT, VALUE from 0 to 10.")
    sieve_virustest_status_header: str = setting(
        "", "As sieve_spamtest_status_header. Empty: what rspamd, SpamAssassin, amavisd and ClamAV write."
    )
    sieve_virustest_status_type: Literal["score", "strlen", "text"] = setting("score", "As sieve_spamtest_status_type.")
    sieve_virustest_score_max_value: str = setting("", "The score that is certainly a virus.")
    sieve_virustest_score_max_header: str = setting("", "Where the message says it, as FIELD or FIELD: REGEX.")
    sieve_virustest_text_value: tuple[str, ...] = setting((), "Texts as VALUE=TEXT, VALUE from 0 to 5.")
    sieve_use_lmtp_reject: bool = setting(True, "reject refuses in the protocol when its text is ASCII, else by MDN.")
    sieve_extlists: dict[str, ExternalList] = setting(
        dict, "External lists, a table for each: [sieve.sieve_extlists.LABEL] with name, and file, vcards or sqlite."
    )
    sieve_extlists_addrbook: str = setting(
        "contacts", "Folder of vCards in a user's home, :addrbook:default; :addrbook:NAME is NAME or NAME.vcf in it."
    )
    sieve_extlists_max_recipients: int = setting(100, "Members of a list that `redirect :list` sends to; 0 forbids it.")
    sieve_pipe_bin_dir: Path | None = setting(
        None, "Directory of the programs that `pipe` may hand the message to; empty: none."
    )
    sieve_pipe_exec_timeout: Seconds = setting(Seconds(10), "Time that one of them may take; 0 is an hour.")
    sieve_pipe_input_eol: Literal["crlf", "lf"] = setting("crlf", "Line ends of what it reads.")
    sieve_filter_bin_dir: Path | None = setting(
        None, "Directory of the programs that `filter` may put the message through; empty: none."
    )
    sieve_filter_exec_timeout: Seconds = setting(Seconds(10), "Time that one of them may take; 0 is an hour.")
    sieve_filter_input_eol: Literal["crlf", "lf"] = setting("crlf", "Line ends of what it reads.")
    sieve_execute_bin_dir: Path | None = setting(None, "Directory of the programs that `execute` may run; empty: none.")
    sieve_execute_exec_timeout: Seconds = setting(Seconds(10), "Time that one of them may take; 0 is an hour.")
    sieve_execute_input_eol: Literal["crlf", "lf"] = setting("crlf", "Line ends of what it reads.")
    sieve_convert_bin_dir: Path | None = setting(
        None,
        "Directory of the programs that `convert` may use, named as image-tiff-to-image-jpeg; empty: none.",
    )
    sieve_convert_exec_timeout: Seconds = setting(Seconds(10), "Time that one of them may take; 0 is an hour.")
    sieve_program_max_output: Size = setting(Size(64 << 20), "What a program may write; more is a failure.")
    sieve_calendars: str = setting(
        "calendars", "Folder in a user's home with a folder for each calendar, which processcalendar writes to."
    )
    sieve_user_email: str = setting(
        "",
        "Address of a user: {user}, {local}, {domain} stand in it. Empty: the one that was written to. It signs "
        "notifications and redirected messages, and gets their bounces.",
    )
    sieve_redirect_envelope_from: str = setting(
        "",
        "Envelope sender of redirected messages: sender, recipient, orig_recipient, user_email, postmaster or "
        "<ADDRESS>; empty: sender.",
    )
    sieve_vacation_default_subject: str = setting("", "Subject of an answer to a message without; `Automated reply`.")
    sieve_vacation_default_subject_template: str = setting(
        "", "Subject of other answers; %{subject} stands for that of the message. Empty: `Auto: %{subject}`."
    )
    sieve_vacation_use_original_recipient: bool = setting(True, "The address of ORCPT is the user's own.")
    sieve_vacation_check_recipient: bool = setting(True, "Answer only messages that name the user in To, Cc or Bcc.")
    sieve_vacation_send_from_recipient: bool = setting(False, "Answers come from the user instead of from nobody.")
    sieve_vacation_to_header_ignore_envelope: bool = setting(
        False, "To of an answer is whom the header names, whoever the envelope sender is."
    )
    sieve_notify_max_notifications: int = setting(10, "Notifications of one run; 0 forbids notify.")
    sieve_notify_mailto_envelope_from: str = setting(
        "", "Envelope sender of notifications, as above; empty: :from, else sieve_user_email, else the postmaster."
    )
    sieve_notify_mailto_max_recipients: int = setting(8, "Recipients of one mailto URI; more are ignored.")
    sieve_notify_mailto_max_headers: int = setting(16, "Header fields of one mailto URI; more are ignored.")
    sieve_notify_https_hosts: tuple[str, ...] = setting(
        (), "Where notify may post to by https: HOST, *.DOMAIN, or either with :PORT. Empty: nowhere."
    )
    sieve_notify_https_networks: tuple[str, ...] = setting(
        (), "Networks that such a host may be in although they are not of the open Internet."
    )
    sieve_notify_https_ca: Path | None = setting(None, "Certificates that sign those hosts'; empty: the system's.")
    sieve_report_from: str = setting("", "From of abuse reports, as above; empty: the postmaster.")
    sieve_mdn_private: bool = setting(False, "Leave the recipient's address out of rejection notices.")

    @property
    def script_limit(self) -> int:
        """Octets of a script that may be stored."""
        return min(self.sieve_maxscriptsize or MOST_SCRIPT, MOST_SCRIPT)
