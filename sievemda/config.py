"""The one typed settings tree.

Every setting is one field: type, default, sentence. A section is a frozen data class; parts of the program receive
their own section, never the whole tree and never a global. Settings that imapd.conf has keep that name, so that an
administrator from Cyrus finds them; the full key is `section.name`, and `--set` also takes the name alone.

Why not a validation library: a value comes either typed (TOML) or as an imapd.conf string (`yes`, `10 M`, `a|b`),
and *all* mistakes are to be reported with their key. Both need a conversion of ours; the rest is data classes.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NewType

Size = NewType("Size", int)  # octets; accepts K, M, G
Seconds = NewType("Seconds", int)  # accepts s, m, h, d
Mode = NewType("Mode", int)  # octal digits


def setting(default: Any, doc: str) -> Any:
    """One field of a section: its default (a callable is called for it) and the sentence of the reference."""
    if callable(default):
        return field(default_factory=default, metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


def _hostname() -> str:
    return os.uname().nodename


@dataclass(frozen=True, slots=True)
class Site:
    """Who we are, and who may do what to us."""

    servername: str = setting(_hostname, "Name of this host in replies and Received fields.")
    postmaster: str = setting("postmaster", "Address named in refusals and used as the sender of notices.")
    admins: tuple[str, ...] = setting((), "Users with administrative rights, separated by spaces.")
    virtdomains: Literal["off", "userid", "on"] = setting(
        "off", "Whether alice@a.example and alice@b.example are different users."
    )
    defaultdomain: str = setting("internal", "The domain that is dropped from user names when virtdomains is on.")
    username_tolower: bool = setting(True, "User names in commands, logins and ACLs are lower-cased.")


@dataclass(frozen=True, slots=True)
class Names:
    """How mailboxes are called."""

    unixhierarchysep: bool = setting(True, "Hierarchy separator: yes for '/', no for '.'.")
    altnamespace: bool = setting(True, "Own folders appear beside INBOX, not below it.")
    userprefix: str = setting("Other Users", "Name under which other users' folders appear.")
    sharedprefix: str = setting("Shared Folders", "Name under which shared folders appear.")


@dataclass(frozen=True, slots=True)
class Store:
    """Where mail lies, and how."""

    partitions: dict[str, Path] = setting(
        dict,
        "Where messages lie: `partition-NAME = PATH`. Without one, `default` is mail/ below the data directory.",
    )
    defaultpartition: str = setting("default", "Partition of new mailboxes.")
    mail_home: str = setting(
        "", "Home directory of a user when not below the partition: {user}, {local}, {domain} stand in it."
    )
    hashimapspool: bool = setting(False, "Spread users over sub-directories by their first letter.")
    singleinstancestore: bool = setting(True, "One file per partition, linked to all recipients of a transaction.")
    message_mode: Mode = setting(Mode(0o600), "File mode of messages and control files.")
    folder_mode: Mode = setting(Mode(0o700), "Mode of folders.")
    delete_days: int = setting(7, "Days for which a deleted mailbox can be brought back.")


@dataclass(frozen=True, slots=True)
class Acl:
    """Rights that nobody has set."""

    defaultacl: str = setting("anyone lrs", "ACL of a new shared folder without a parent: `identifier rights ...`.")
    implicit_owner_rights: str = setting("lkxan", "Rights that an owner gets with every change of his folder's ACL.")
    anyoneuseracl: bool = setting(True, "Whether users may grant rights to `anyone`.")


@dataclass(frozen=True, slots=True)
class Autocreate:
    """What is made by itself."""

    autocreate_quota: int = setting(
        -1,
        "STORAGE limit in KiB of an account made by itself; -1 makes none by itself, 0 makes one without limit.",
    )
    autocreate_quota_messages: int = setting(-1, "MESSAGE limit of an account made by itself; 0 or less: none.")
    autocreate_post: bool = setting(False, "Make the account when the first message for it arrives.")
    autocreate_users: tuple[str, ...] = setting(("anyone",), "Who may get an account by itself.")
    autocreate_inbox_folders: str = setting("", "Folders made with it, separated by |.")
    autocreate_sieve_folders: str = setting("", "Folders that fileinto may make, separated by |.")
    anysievefolder: bool = setting(False, "fileinto makes any folder that is missing.")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of a message."""

    postuser: str = setting("", "Local part of bulletin-board addresses: POSTUSER+board@...")
    recipient_delimiter: str = setting("+", "What separates the user from the detail.")
    lmtp_downcase_rcpt: bool = setting(True, "Lower-case local part and domain of recipients, never the detail.")
    lmtp_fuzzy_mailbox_match: bool = setting(False, "A missing detail folder finds its nearest relative.")
    lmtp_strict_quota: bool = setting(False, "Count the size of the message itself in quota checks.")
    lmtp_over_quota_perm_failure: bool = setting(False, "552 instead of 452 when over quota.")
    lmtp_catchall_mailbox: str = setting("", "User who gets mail for users that do not exist.")
    lmtp_exclude_specialuse: tuple[str, ...] = setting(
        ("\\Drafts", "\\Scheduled", "\\Snoozed"), "Special-use folders that never take deliveries."
    )
    duplicatesuppression: bool = setting(True, "Drop a message that a mailbox has already got.")
    duplicate_db_path: Path | None = setting(None, "The delivery memory; state/deliver.db below the data directory.")
    munge8bit: bool = setting(True, "Turn each 8-bit octet of a header into X (kept as it is under SMTPUTF8).")
    reject8bit: bool = setting(False, "Refuse a header with 8-bit octets (unless SMTPUTF8).")
    maximum_hops: int = setting(100, "Received fields from which on a message is a loop. RFC 5321 §6.3.")
    serverinfo: Literal["on", "off", "min"] = setting("on", "How much of program and version is told to peers.")
    journal_days: int = setting(30, "Days for which `why` can explain a delivery; 0 keeps no journal.")
    memory_days: int = setting(3, "Days for which duplicates are recognised.")


@dataclass(frozen=True, slots=True)
class Lmtp:
    """How messages come in."""

    lmtpsocket: Path | None = setting(None, "UNIX socket for LMTP; run/lmtp below the data directory.")
    lmtp_listen: tuple[str, ...] = setting((), "More listeners: unix:PATH or inet:HOST:PORT.")
    lmtp_socket_mode: Mode = setting(
        Mode(0o666), "Mode of UNIX sockets; the directory they lie in guards them as well."
    )
    lmtp_socket_group: str = setting("", "Group of UNIX sockets, for instance postfix.")
    lmtp_trusted_networks: tuple[str, ...] = setting((), "Networks whose TCP clients need no AUTH.")
    soft_noauth: bool = setting(True, "Answer MAIL without AUTH with 430 instead of 530.")
    lmtp_strict_rfc2821: bool = setting(True, "Refuse 8-bit octets in addresses (without SMTPUTF8).")
    lmtp_deliverby: bool = setting(
        False, "Announce DELIVERBY, so that scripts can ask by when a message was to be delivered."
    )
    maxmessagesize: Size = setting(Size(0), "Largest message; 0 is 1 GiB.")
    lmtp_timeout: Seconds = setting(Seconds(360), "Idle time after which a session is closed.")
    lmtp_max_recipients: int = setting(1000, "Recipients of one transaction; more get 452 4.5.3.")
    lmtp_max_connections: int = setting(200, "Sessions of one worker process; more get 421.")
    lmtp_spool_threshold: Size = setting(Size(256 * 1024), "A message larger than this goes to disk as it comes.")
    tls_server_cert: Path | None = setting(None, "Certificate chain in PEM; STARTTLS is offered when set with the key.")
    tls_server_key: Path | None = setting(None, "Private key in PEM.")
    workers: int = setting(0, "Worker processes; 0 is one per processor.")
    threads: int = setting(8, "Deliveries under way at once in one worker process.")


@dataclass(frozen=True, slots=True)
class ExternalList:
    """A list that scripts may ask, under its own table of the configuration. RFC 6134.

    One of `file`, `dict`, `vcards` and `sqlite` says where it is: a file with one member a line (`#` begins a
    comment), a file of Pigeonhole with lines of key and value in turns, a folder of vCards, an SQLite file. In such a
    path {user}, {local}, {domain} and {home} stand for the owner's; a relative one lies in his home, and need not
    exist there.
    """

    name: str = ""  # an absolute URI
    file: str = ""
    dict: str = ""
    vcards: str = ""
    sqlite: str = ""
    statement: str = ""  # finds {values}, or without them lists all members; {user} and the others are bound too
    members: str = ""  # lists all members, for `redirect :list`
    users: tuple[str, ...] = ()  # who may ask: users, and domains such as @example.org; nobody named: everybody
    exact: bool = False  # letters have case in it
    max_lookup_size: int = 1024  # octets; a longer value is no member

    def __str__(self) -> str:
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return ", ".join(f"{key} = {value}" for key, value in given.items() if value)


@dataclass(frozen=True, slots=True)
class Sieve:
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
    sieve_maxscriptsize: Size = setting(Size(1024 * 1024), "Largest script.")
    sieve_maxscripts: int = setting(100, "Scripts of one user.")
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


@dataclass(frozen=True, slots=True)
class Outbox:
    """How mail goes out."""

    smtp_backend: Literal["sendmail", "host"] = setting("sendmail", "How mail leaves: program or SMTP host.")
    sendmail: Path = setting(Path("/usr/sbin/sendmail"), "The program for smtp_backend = sendmail.")
    smtp_host: str = setting("localhost:25", "HOST:PORT for smtp_backend = host.")
    outbox_retry: Seconds = setting(Seconds(300), "First pause before outgoing mail is tried again; it doubles.")
    outbox_expire: Seconds = setting(Seconds(5 * 86400), "Age at which undeliverable outgoing mail is given up.")


@dataclass(frozen=True, slots=True)
class ManageSieve:
    """How scripts come in."""

    managesieve_listen: tuple[str, ...] = setting((), "Listeners: inet:HOST:PORT. The registered port is 4190.")
    timeout: Seconds = setting(
        Seconds(600), "Time within which a client must log in; thrice as long may pass between commands after that."
    )
    allowplaintext: bool = setting(False, "Offer SASL PLAIN without TLS on loopback.")
    managesieve_max_connections: int = setting(500, "Sessions of one worker process; more are told to come back later.")


@dataclass(frozen=True, slots=True)
class Settings:
    """The tree. `data` is the directory of `--data`; every relative default lies below it."""

    data: Path = Path("/var/lib/sievemda")
    site: Site = field(default_factory=Site)
    names: Names = field(default_factory=Names)
    store: Store = field(default_factory=Store)
    acl: Acl = field(default_factory=Acl)
    autocreate: Autocreate = field(default_factory=Autocreate)
    delivery: Delivery = field(default_factory=Delivery)
    lmtp: Lmtp = field(default_factory=Lmtp)
    sieve: Sieve = field(default_factory=Sieve)
    outbox: Outbox = field(default_factory=Outbox)
    managesieve: ManageSieve = field(default_factory=ManageSieve)

    @property
    def partitions(self) -> dict[str, Path]:
        """Every partition by name; `default` always exists."""
        return {"default": self.data / "mail", **self.store.partitions}

    @property
    def memory_path(self) -> Path:
        return self.delivery.duplicate_db_path or self.data / "state" / "deliver.db"

    @property
    def journal_path(self) -> Path:
        return self.data / "state" / "journal.db"

    @property
    def accounts_path(self) -> Path:
        return self.data / "state" / "accounts.db"

    @property
    def lmtp_socket(self) -> Path:
        return self.lmtp.lmtpsocket or self.data / "run" / "lmtp"

    @property
    def outbox_path(self) -> Path:
        return self.data / "spool" / "outbox"

    def place(self, template: str, userid: str) -> Path | None:
        """A path in which {user}, {local}, {domain} stand for a user; `None` when his name cannot be a part of one."""
        local, _, domain = userid.partition("@")
        parts = {"{user}": userid, "{local}": local, "{domain}": domain or self.domain}
        for word, value in parts.items():
            if word in template:
                if "/" in value or "\0" in value or "{" in value or value in {"", ".", ".."}:
                    return None
                template = template.replace(word, value)
        return self.data.absolute() / template

    @property
    def domain(self) -> str:
        """The domain for addresses of local users that have none: defaultdomain, else the host's name."""
        return self.site.servername if self.site.defaultdomain == "internal" else self.site.defaultdomain


def with_changes(section: Any, **changes: Any) -> Any:
    """A copy of a frozen section with other values, for tests."""
    return dataclasses.replace(section, **changes)
