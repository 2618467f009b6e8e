"""Which concrete parts make up the running program; the only place that picks them.

Everything below takes what it needs as arguments. To put PostgreSQL for SQLite, or another store, is to change a line
here.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.auth.chain import users_of
from sievemda.auth.guard import Guard
from sievemda.auth.passwords import prepare
from sievemda.auth.seats import Seats
from sievemda.auth.users import Users
from sievemda.config import Settings
from sievemda.delivery.awakening import Awakening
from sievemda.delivery.deliver import Deliverer
from sievemda.delivery.event import Events
from sievemda.delivery.fullness.round import Rounds
from sievemda.delivery.job import Parts
from sievemda.delivery.outbox import Outbox
from sievemda.delivery.places import Places
from sievemda.delivery.resolve import Resolver
from sievemda.delivery.scripts import Scripts
from sievemda.delivery.snoozes import Snoozes
from sievemda.delivery.tryout.tryout import Tryout
from sievemda.errors import DataError
from sievemda.language import language_extensions, language_limits, language_programs, trusted_extensions
from sievemda.lmtp.server import LmtpServer
from sievemda.managesieve.server import Server
from sievemda.managesieve.service import Service
from sievemda.managesieve.trying import Trying
from sievemda.managesieve.visit import ALPN
from sievemda.policy.schedule import parse_schedule
from sievemda.sieve.compile import compile_script
from sievemda.sieve.extensions.imapsieve import INAPPLICABLE
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.vocabulary import capabilities
from sievemda.state.failures import Failures
from sievemda.state.journal import Journal
from sievemda.state.memory import Memory
from sievemda.store import leftovers
from sievemda.store.mailstore import MailStore
from sievemda.upkeep.chores import Chore, Chores
from sievemda.upkeep.errands import expire_all, prune_all
from sievemda.upkeep.expiry.rules import Rules, read_rules
from sievemda.upkeep.expiry.sieving import Script

if TYPE_CHECKING:
    from sievemda.tls.contexts import Contexts

log = logging.getLogger(__name__)


def preload(settings: Settings) -> None:
    """Load what every worker needs, so that it is loaded once, before they are forked, and shared."""
    compile_script(b"keep;", Limits())
    prepare()
    wanted = ["sievemda.auth.sasl.plain", "sievemda.auth.sasl.scram", "sievemda.store.moves"]
    if settings.lmtp.tls_server_cert is not None:
        wanted += ["sievemda.tls.channel", "sievemda.tls.contexts", "sievemda.tls.people"]
    for name in wanted:
        import_module(name)
    capabilities()
    MailStore(settings)  # has seen the disks that are there: to workers, too, they are away when they are not


def users(settings: Settings) -> Users:
    return users_of(settings)


def deliverer(settings: Settings) -> Deliverer:
    limits = language_limits(settings)
    journal = Journal(settings.journal_path) if settings.delivery.journal_days else None
    parts = Parts(settings, MailStore(settings), Memory(settings.memory_path), Outbox(settings))
    return Deliverer(parts, journal, language_programs(settings), limits)


def lmtp_server(settings: Settings, strangers: Seats) -> LmtpServer:
    """Inside a running event loop."""
    identities = identities_of(settings, b"")  # LMTP has no ALPN name
    return LmtpServer(
        settings,
        deliverer(settings),
        strangers,
        users=users(settings),
        guard=guard(settings),
        tls=identities,
    )


def managesieve_server(settings: Settings, seats: Seats) -> Server:
    identities = identities_of(settings, ALPN)
    limits, available = language_limits(settings), language_extensions(settings)
    service = Service(
        settings,
        users(settings),
        MailStore(settings),
        limits,
        available,
        trusted_extensions(settings),
        tls=identities is not None,
        guard=guard(settings),
        trying=trying(settings),
    )
    return Server(service, identities, seats)


def identities_of(settings: Settings, protocol: bytes) -> Contexts | None:
    """The certificates of a service with that ALPN name, when there are any. Raises ConfigurationError."""
    if settings.lmtp.tls_server_cert is None:
        return None
    from sievemda.tls.contexts import contexts  # noqa: PLC0415 - who has no certificate does not load it

    return contexts(settings.lmtp, protocol)


def guard(settings: Settings) -> Guard:
    return Guard(Failures(settings.failures_path), settings.guard, settings.site)


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """What is due in its time."""

    outbox: Outbox
    store: MailStore
    awakening: Awakening
    quotas: Rounds

    def send_due(self) -> None:
        self.outbox.run_due(time.time())

    def awaken_due(self) -> None:
        self.awakening.run_due()

    def warn_due(self) -> None:
        self.quotas.go_on()

    def finish_moves(self) -> None:
        """Renames of those who crashed, and messages that came late to what was moved: nobody waits for a schedule."""
        self.store.recover()
        leftovers.follow(self.store)


def trying(settings: Settings) -> Trying | None:
    """What ManageSieve clients may have scripts tried by, where that is wanted at all."""
    most, warned = settings.managesieve.managesieve_try_max, settings.managesieve.managesieve_try_last
    return Trying(tryout(settings), most, warned) if most > 0 or warned > 0 else None


def tryout(settings: Settings) -> Tryout:
    """What tries scripts out on the messages that a user has. It writes nowhere, not even into the journal."""
    limits, store, programs = language_limits(settings), MailStore(settings), language_programs(settings)
    parts = Parts(settings, store, Memory(settings.memory_path, only_read=True), Outbox(settings))
    journal = Journal(settings.journal_path, only_read=True) if settings.delivery.journal_days else None
    resolver = Resolver(settings, store, parts.places, programs.users.get)
    return Tryout(parts, journal, Scripts(settings, store, programs), resolver, limits)


def housekeeping(settings: Settings) -> Housekeeping:
    store, journal = MailStore(settings), Journal(settings.journal_path)
    return Housekeeping(
        Outbox(settings),
        store,
        Awakening(settings, store, Snoozes(settings), Places(settings, store), journal),
        Rounds(settings, store),
    )


def chores(settings: Settings) -> Chores:
    """What is done on a schedule."""
    options = settings.upkeep
    expiry, pruning = parse_schedule(options.expire_schedule), parse_schedule(options.prune_schedule)

    def expire() -> str:
        store = MailStore(settings)
        return expire_all(settings, store, expiry_rules(settings, store, options.expire_rules))

    found = []
    if pruning is not None:
        found.append(Chore("prune", pruning, lambda: prune_all(settings), at_start=True))
    if expiry is not None:
        found.append(Chore("expire", expiry, expire))
    return Chores(tuple(found), settings.schedule_path)


def check_expiry(settings: Settings) -> None:
    """Whether the rules of the settings can be used. DataError, OSError."""
    expiry_rules(settings, MailStore(settings), settings.upkeep.expire_rules)


def expiry_rules(settings: Settings, store: MailStore, path: Path | None) -> Rules:
    """The rules of a file by which messages expire, with their scripts; none without one. DataError, OSError."""
    if path is None:
        return Rules()
    limits, available = language_limits(settings), trusted_extensions(settings) - frozenset(INAPPLICABLE)

    def compiled(name: str, content: bytes) -> Script:
        try:
            return Script(name, compile_script(content, limits, available), limits)
        except ScriptError as e:
            first = next(problem for problem in e.problems if problem.severity == "error")
            raise DataError(f"{name}:{first.line}:{first.column}: {first.text}") from e

    return read_rules(path, store.namespace, store.layout.partitions, compiled)


def events(settings: Settings) -> Events:
    """What runs scripts for IMAP events; such a script must not have what answers a delivery. RFC 6785 §3.11."""
    limits, store = language_limits(settings), MailStore(settings)
    programs = language_programs(settings, without=frozenset(INAPPLICABLE))
    parts = Parts(settings, store, Memory(settings.memory_path), Outbox(settings))
    return Events(parts, Scripts(settings, store, programs), limits)
