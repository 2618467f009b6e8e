"""The one typed settings tree.

Every setting is one field: type, default, sentence. A section holds frozen values; parts of the program receive
their own section, never the whole tree and never a global. Settings that imapd.conf has keep that name, so that an
administrator from Cyrus finds them; the full key is `section.name`, and `--set` also takes the name alone.

Why not a validation library: a value comes either typed (TOML) or as an imapd.conf string (`yes`, `10 M`, `a|b`),
and *all* mistakes are to be reported with their key. Both need a conversion of
ours; the rest is `configfields`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from sievemda.configauth import Auth
from sievemda.configautocreate import Autocreate
from sievemda.configfields import Kibibytes, Mode, Seconds, Section, Size, setting
from sievemda.configguard import Guard
from sievemda.configmanagesieve import ManageSieve
from sievemda.configquota import Quota
from sievemda.configsasl import MECHANISMS, OBSOLETE, Sasl
from sievemda.configsieve import MOST_SCRIPT, ExternalList, Sieve
from sievemda.configupkeep import Upkeep

__all__ = [
    "MECHANISMS",
    "MOST_SCRIPT",
    "OBSOLETE",
    "Acl",
    "Auth",
    "Autocreate",
    "Delivery",
    "ExternalList",
    "Guard",
    "Kibibytes",
    "Lmtp",
    "ManageSieve",
    "Mode",
    "Names",
    "Outbox",
    "Quota",
    "Sasl",
    "Seconds",
    "Settings",
    "Sieve",
    "Site",
    "Size",
    "Store",
    "Upkeep",
    "setting",
]


def _hostname() -> str:
    return os.uname().nodename


class Site(Section):
    """Who we are, and who may do what to us."""

    servername: str = setting(
        _hostname, "Name of this host in replies and Received fields; else as the host calls itself."
    )
    postmaster: str = setting("postmaster", "Address named in refusals and used as the sender of notices.")
    admins: tuple[str, ...] = setting((), "Users with administrative rights, separated by spaces.")
    lmtp_admins: tuple[str, ...] = setting(
        (), "Who has those rights as the poster of a message, in place of admins; empty: the same."
    )
    proxyservers: tuple[str, ...] = setting(
        (), "Users who may log in as somebody else, as admins may, and have no other rights of theirs."
    )
    virtdomains: Literal["off", "userid", "on"] = setting(
        "off",
        "Whether alice@a.example and alice@b.example are different users. However a domain is spelled, it is kept as it"
        " is in DNS: xn--bcher-kva.example.",
    )
    defaultdomain: str = setting("internal", "The domain that is dropped from user names when virtdomains is on.")
    username_tolower: bool = setting(True, "User names in commands, logins and ACLs are lower-cased.")


class Names(Section):
    """How mailboxes are called."""

    unixhierarchysep: bool = setting(True, "Hierarchy separator: yes for '/', no for '.'.")
    altnamespace: bool = setting(True, "Own folders appear beside INBOX, not below it.")
    userprefix: str = setting("Other Users", "Name under which other users' folders appear.")
    sharedprefix: str = setting("Shared Folders", "Name under which shared folders appear.")
    altprefix: str = setting(
        "Alt Folders", "Name under which own folders appear that would be taken for others, such as `Other Users`."
    )


class Store(Section):
    """Where mail lies, and how."""

    partitions: dict[str, Path] = setting(
        dict,
        "Where messages lie: `partition-NAME = PATH`. Without one, `default` is mail/ below the data directory.",
    )
    defaultpartition: str = setting(
        "default",
        "Partition of new mailboxes that have none above them. Empty, as it is when only partition_select_mode is"
        " set: one is chosen.",
    )
    partition_select_mode: Literal[
        "random",
        "freespace-most",
        "freespace-percent-most",
        "freespace-percent-weighted",
        "freespace-percent-weighted-delta",
    ] = setting(
        "freespace-most",
        "How a partition is chosen: at random, the one with the most free space or the largest free share, or at"
        " random weighted by the free share, or by how far it is ahead of the fullest one's.",
    )
    partition_select_exclude: tuple[str, ...] = setting((), "Partitions that are never chosen.")
    partition_select_soft_usage_limit: int = setting(
        0, "Partitions that are fuller (in percent) are not chosen, unless all are; 0 is no limit."
    )
    partition_select_usage_reinit: int = setting(0, "Choices after which the free space is looked at again; 0: always.")
    mail_home: str = setting(
        "", "Home directory of a user when not below the partition: {user}, {local}, {domain} stand in it."
    )
    hashimapspool: bool = setting(False, "Spread users over sub-directories by their first letter.")
    fulldirhash: bool = setting(False, "With hashimapspool, by a letter from A to W that the whole name decides.")
    singleinstancestore: bool = setting(True, "One file per partition, linked to all recipients of a transaction.")
    message_mode: Mode = setting(Mode(0o600), "File mode of messages and control files.")
    folder_mode: Mode = setting(Mode(0o700), "Mode of folders.")
    delete_mode: Literal["delayed", "immediate"] = setting(
        "delayed", "Whether a deleted mailbox can be brought back for some days, or is gone at once."
    )
    allowusermoves: bool = setting(False, "Whether the admin shell may rename whole users.")
    delete_days: int = setting(7, "Days for which a deleted mailbox can be brought back.")
    expunge_mode: Literal["delayed", "semidelayed", "immediate"] = setting(
        "delayed",
        "Whether a message that a script discards or that expires can be brought back for some days; not with the"
        " other two.",
    )
    discard_days: int = setting(7, "Days for which such a message can be brought back; 0: it is gone at once.")
    discard_size: Size = setting(Size(256 << 20), "What a user may have of such messages; the oldest go first.")

    @property
    def withholds(self) -> bool:
        """Whether a message that is discarded or expires can be brought back."""
        return self.expunge_mode == "delayed" and self.discard_days > 0


class Acl(Section):
    """Rights that nobody has set."""

    defaultacl: str = setting("anyone lrs", "ACL of a new shared folder without a parent: `identifier rights ...`.")
    implicit_owner_rights: str = setting("lkxan", "Rights that an owner gets with every change of his folder's ACL.")
    deleteright: str = setting(
        "c", "The right of old that allowed to delete a mailbox: who gets this letter also gets the right x."
    )
    acl_admin_implies_write: bool = setting(False, "Whether the right a brings s, w, i, t, e and n along.")
    anyoneuseracl: bool = setting(True, "Whether users may grant rights to `anyone`.")
    allowsetacl: bool = setting(True, "Whether ACLs can be changed in the admin shell and by users.")
    acl_shared_dict: Path | None = setting(
        None,
        "File that tells Dovecot who shares folders with whom, the one of its own `acl_shared_dict = file:PATH`;"
        " empty: it is not told.",
    )
    groups_file: Path | None = setting(
        None, "Groups of users for `group:NAME` in ACLs, in the form of /etc/group; empty: the groups of the system."
    )


class Delivery(Section):
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
    mailbox_maxmessages_email: int = setting(
        0, "Messages of one mailbox from which on it takes no more, as if over quota; 0 is no limit."
    )
    duplicatesuppression: bool = setting(True, "Drop a message that a mailbox has already got.")
    duplicate_db_path: Path | None = setting(None, "The delivery memory; state/deliver.db below the data directory.")
    munge8bit: bool = setting(True, "Turn each 8-bit octet of a header into X (kept as it is under SMTPUTF8).")
    reject8bit: bool = setting(False, "Refuse a header with 8-bit octets (unless SMTPUTF8).")
    maximum_hops: int = setting(100, "Received fields from which on a message is a loop. RFC 5321 §6.3.")
    serverinfo: Literal["on", "off", "min"] = setting("on", "How much of program and version is told to peers.")
    journal_days: int = setting(30, "Days for which `why` can explain a delivery; 0 keeps no journal.")
    memory_days: int = setting(3, "Days for which duplicates are recognised.")


class Lmtp(Section):
    """How messages come in."""

    lmtpsocket: Path | None = setting(None, "UNIX socket for LMTP; run/lmtp below the data directory.")
    lmtp_listen: tuple[str, ...] = setting((), "More listeners: unix:PATH or inet:HOST:PORT.")
    lmtp_socket_mode: Mode = setting(
        Mode(0o666), "Mode of UNIX sockets; the directory they lie in guards them as well.", restart=True
    )
    lmtp_socket_group: str = setting("", "Group of UNIX sockets, for instance postfix.", restart=True)
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
    tls_server_cert: Path | None = setting(
        None, "Certificate chain in PEM; with the key, LMTP and ManageSieve offer TLS."
    )
    tls_server_key: Path | None = setting(None, "Private key in PEM.")
    tls_server_dir: Path | None = setting(
        None,
        "More certificates, also for ManageSieve, chosen by the name that the client asks for (SNI): NAME.pem with"
        " chain and key, NAME.crt with NAME.key, or NAME/fullchain.pem with NAME/privkey.pem.",
    )
    tls_versions: tuple[str, ...] = setting(("tls1_2", "tls1_3"), "Versions of TLS that are spoken.")
    tls_ciphers: str = setting(
        "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM",
        "Ciphers of TLS 1.2, as OpenSSL writes them; those of TLS 1.3 are fixed.",
    )
    tls_client_ca_file: Path | None = setting(
        None, "Authorities in PEM whose certificates clients may log in with (EXTERNAL)."
    )
    tls_client_certs: Literal["off", "optional", "require"] = setting(
        "optional", "Whether clients are asked for a certificate of those authorities."
    )
    tls_client_user: Literal["email", "commonName", "uid"] = setting(
        "commonName", "What of such a certificate is the user: an address, the last common name, or the uid."
    )
    tls_crl_file: Path | None = setting(None, "Certificates of those authorities that are revoked, in PEM (CRL).")
    workers: int = setting(0, "Worker processes; 0 is one per processor.")
    threads: int = setting(8, "Deliveries under way at once in one worker process.")


class Outbox(Section):
    """How mail goes out."""

    smtp_backend: Literal["sendmail", "host"] = setting("sendmail", "How mail leaves: program or SMTP host.")
    sendmail: Path = setting(Path("/usr/sbin/sendmail"), "The program for smtp_backend = sendmail.")
    smtp_host: str = setting("localhost:25", "HOST:PORT for smtp_backend = host.")
    srs_domain: str = setting(
        "", "Domain into which the envelope senders of redirected messages are rewritten (SRS); empty: they stay."
    )
    srs_secrets: tuple[str, ...] = setting(
        (), "Secrets for that, which the MTA's SRS shares; the first one is used.", secret=True
    )
    outbox_retry: Seconds = setting(Seconds(300), "First pause before outgoing mail is tried again; it doubles.")
    outbox_expire: Seconds = setting(Seconds(5 * 86400), "Age at which undeliverable outgoing mail is given up.")


class Settings(Section):
    """The tree. `data` is the directory of `--data`; every relative default lies below it."""

    data: Path = setting(Path("/var/lib/sievemda"))
    site: Site = setting(Site)
    names: Names = setting(Names)
    store: Store = setting(Store)
    acl: Acl = setting(Acl)
    autocreate: Autocreate = setting(Autocreate)
    delivery: Delivery = setting(Delivery)
    quota: Quota = setting(Quota)
    lmtp: Lmtp = setting(Lmtp)
    sieve: Sieve = setting(Sieve)
    outbox: Outbox = setting(Outbox)
    auth: Auth = setting(Auth)
    managesieve: ManageSieve = setting(ManageSieve)
    sasl: Sasl = setting(Sasl)
    guard: Guard = setting(Guard)
    upkeep: Upkeep = setting(Upkeep)

    @property
    def partitions(self) -> dict[str, Path]:
        """Every partition by name; `default` always exists."""
        return {"default": self.data / "mail", **self.store.partitions}

    @property
    def selectable_partitions(self) -> tuple[str, ...]:
        """Those that may be chosen for a new mailbox: all that are configured, or the one that always exists."""
        named = self.store.partitions or self.partitions
        return tuple(name for name in named if name not in self.store.partition_select_exclude)

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
    def failures_path(self) -> Path:
        return self.data / "state" / "failures.db"

    @property
    def schedule_path(self) -> Path:
        return self.data / "state" / "schedule"

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
