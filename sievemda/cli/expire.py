"""`sievemda expire`: messages go by the rules of a file, by annotations, or by a criterion for once.

Options have the letters that they have with Cyrus' ipurge and cyr_expire. Where the two disagree, what else is said
decides: with `-d`, `-b`, `-k` or `-m` it is ipurge's `-X` and `-x`, else cyr_expire's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store
from sievemda.cli.progress import shown
from sievemda.cli.selection import WILDCARDS, Selection
from sievemda.config import Settings
from sievemda.errors import NotFound, UsageError
from sievemda.policy.age import parse_age

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.expiry.rules import Rules

_ARRIVAL = "-"  # -X without an age
_DEFAULT = "-"  # an age that the settings say
_MOST_DAYS = 36_500
_MOST_OCTETS = 1 << 62
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20}


@dataclass(frozen=True, slots=True)
class Request:
    """What the options ask for; `purge` has those of ipurge as keywords of `criteria.Purge`, or is None."""

    words: tuple[str, ...]
    rules: Path | None
    purge: dict[str, Any] | None
    force: bool
    user: str
    annotations: bool
    messages: bool  # whether messages expire at all
    duplicates: float | None  # these are ages in seconds; None: it is not asked for
    deleted: float | None
    withdrawn: float | None
    users: float | None

    @property
    def is_wide(self) -> bool:
        """Whether it is about mailboxes that nobody has named one by one."""
        wide = self.messages and not Selection(self.words, "", "").only_names
        return wide or any(age is not None for age in (self.deleted, self.withdrawn, self.users))


def _optional(metavar: str, names: tuple[str, ...], text: str) -> Callable[[Any], Any]:
    return click.option(*names, is_flag=False, flag_value=_DEFAULT, metavar=metavar, help=text)


@click.command(
    epilog="Example: sievemda expire /etc/sievemda/expire.toml --dry-run; sievemda expire -f -d 90 'user/*/Trash'"
)
@click.argument("words", metavar="[RULES.toml] [PATTERN]...", nargs=-1)
@click.option("--rules", "file", metavar="FILE", help="A file of rules, whatever it is called.")
@click.option("-d", "--days", type=click.IntRange(0, _MOST_DAYS), metavar="DAYS", help="Older than so many days.")
@click.option("-b", "--bytes", "b", type=click.IntRange(0, _MOST_OCTETS), metavar="N", help="Larger than N octets.")
@click.option("-k", "--kbytes", "k", type=click.IntRange(0, _MOST_OCTETS >> 10), metavar="N", help="... N KiB.")
@click.option("-m", "--mbytes", "m", type=click.IntRange(0, _MOST_OCTETS >> 20), metavar="N", help="... N MiB.")
@click.option("-x", "x", is_flag=True, help="Exactly so old or large; without -d, -b, -k, -m: remove nothing for good.")
@_optional("[AGE]", ("-X", "big_x"), "With -d: by arrival, not by Date. Else: withdrawn messages go after AGE.")
@click.option("-i", "--invert", is_flag=True, help="Newer, smaller; with -x: not so old, not so large.")
@click.option("-s", "--spare-flagged", is_flag=True, help="Not what is flagged.")
@click.option("-o", "--only-deleted", is_flag=True, help=r"Only what is marked \Deleted.")
@click.option("-M", "_flat", is_flag=True, help="Only the mailboxes that match, as always here.")
@click.option("-f", "--force", is_flag=True, help="With -d, -b, -k, -m: mailboxes of users, too.")
@click.option("-E", "duplicates", metavar="AGE", help="Forget deliveries that are older, as `prune -E` does.")
@click.option("-D", "deleted_days", metavar="AGE", help="Remove mailboxes for good that were deleted longer ago.")
@click.option("-A", "archive", metavar="AGE", help="There is no archive partition: say fileinto in a rule.")
@click.option("-t", "unused", is_flag=True, help="Unused keywords stay: names of messages may come back to them.")
@click.option("-a", "no_annotations", is_flag=True, help="Whatever the annotation `expire` of mailboxes says.")
@click.option("-p", "prefix", metavar="PREFIX", help="Only mailboxes whose names begin so.")
@click.option("-u", "user", metavar="USER", help="Only mailboxes of this user.")
@_optional(
    "[AGE]", ("--deleted",), "Remove for good what was deleted or withdrawn longer ago; else as the settings say."
)
@_optional("[AGE]", ("--users",), "Remove users for good that were deleted longer ago; else as the settings say.")
@click.option("--for-good", is_flag=True, help="What expires now cannot be brought back.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("-v", "--verbose", is_flag=True, help="Every message.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def expire(
    settings: Settings, /, for_good: bool, dry_run: bool, verbose: bool, as_json: bool, _flat: bool, **options: Any
) -> int:
    """Have messages expire: by the rules of a file, or by -d, -b, -k and -m for once.

    Without either the rules of the setting expire_rules hold. The annotation `expire` of a mailbox, and of those below
    it, is a rule too, but not for -d, -b, -k, -m. What is older, or larger, than is said goes; what is just as old or
    large stays. Ages are of days, or 12h, 90m. What expires can be brought back for discard_days with `mailbox
    restore`. PATTERN is of mailboxes; without any all are meant. Deliveries and readers go on meanwhile.
    """
    from sievemda.cli.expire_report import report_of
    from sievemda.upkeep.expiry.expiry import Expiry
    from sievemda.upkeep.expiry.folder import Options

    request = _request(options)
    store, failures = open_store(settings), Failures()
    rules = _rules(settings, store, request)
    out = report_of(store, ipurge=request.purge is not None, dry=dry_run, verbose=verbose, as_json=as_json)
    if request.messages:
        tell = out.tell if out.wants_messages else None
        keep = settings.store.withholds and not for_good
        how = Options(dry_run, keep, tell, as_shown=request.purge is not None)
        run = Expiry(store, rules, how, annotations=request.annotations)
        mailboxes = out.begun(shown(_mailboxes(store, request, failures), "mailboxes"))
        for outcome in run.run(mailboxes):
            out.add(outcome, failures)
    _remove_for_good(settings, store, request, out.removed, dry=dry_run)
    if request.is_wide:
        failures.note_if_away(store)
    out.end(failures)
    return failures.code


# -- what is asked for -------------------------------------------------------------------------------------------------


def _request(options: dict[str, Any]) -> Request:
    if options["archive"] is not None:
        raise UsageError('-A: there is no archive partition: have a rule with action = "fileinto" move what is old')
    if options["unused"]:
        raise UsageError("-t: keywords stay, since names of messages may come back to their letters")
    words, file = options["words"], options["file"]
    if file is None and words and (words[0].endswith(".toml") or words[0].startswith(("/", "./", "../"))):
        file, words = words[0], words[1:]
    purge = _purge(options)
    if purge is None:
        words, withdrawn = _withdrawn(options, words)
    else:
        words = words if options["big_x"] in (None, _ARRIVAL) else (options["big_x"], *words)
        withdrawn = None
        _refuse(options, file)
    if purge is None and (options["invert"] or options["spare_flagged"] or options["only_deleted"]):
        raise UsageError("-i, -s and -o go with -d, -b, -k or -m; a rule can say flagged = false, deleted = true")
    if options["deleted"] is not None:
        withdrawn = _age("--deleted", options["deleted"])
    deleted = _age("-D", options["deleted_days"])
    deleted = _age("--deleted", options["deleted"]) if deleted is None else deleted
    alone = options["deleted"] is not None or options["users"] is not None
    return Request(
        _restricted(words, options["user"], options["prefix"]),
        Path(file) if file is not None else None,
        purge,
        options["force"],
        options["user"] or "",
        annotations=purge is None and not options["no_annotations"],
        messages=not alone or file is not None or bool(words),
        duplicates=_age("-E", options["duplicates"]),
        deleted=deleted,
        withdrawn=None if options["x"] else withdrawn,
        users=_age("--users", options["users"]),
    )


def _purge(options: dict[str, Any]) -> dict[str, Any] | None:
    sizes = [(letter, options[letter]) for letter in _UNITS if options[letter] is not None]
    if len(sizes) > 1:
        raise UsageError("say one of -b, -k and -m")
    if options["days"] is None and not sizes:
        return None
    return {
        "days": options["days"],
        "octets": sizes[0][1] * _UNITS[sizes[0][0]] if sizes else None,
        "exact": options["x"],
        "inverted": options["invert"],
        "arrival": options["big_x"] is not None,
        "spare_flagged": options["spare_flagged"],
        "only_deleted": options["only_deleted"],
    }


def _refuse(options: dict[str, Any], file: str | None) -> None:
    """What does not go with a criterion for once."""
    others = {"-E": "duplicates", "-D": "deleted_days", "--deleted": "deleted", "--users": "users"}
    for name, key in others.items():
        if options[key] is not None:
            raise UsageError(f"{name} does not go with -d, -b, -k or -m: call the command once for each")
    if file is not None:
        raise UsageError("-d, -b, -k and -m are criteria for once: leave the file of rules away")


def _withdrawn(options: dict[str, Any], words: tuple[str, ...]) -> tuple[tuple[str, ...], float | None]:
    """The age of cyr_expire's -X; a word behind it that is none is a pattern."""
    given = options["big_x"]
    if given is None:
        return words, None
    if given == _ARRIVAL:
        raise UsageError("-X: say after how long withdrawn messages go (-X 7), or which messages expire (-X -d 30)")
    return words, _age("-X", given)


def _age(name: str, text: str | None) -> float | None:
    """Seconds; -1 where the settings say it."""
    if text is None:
        return None
    if text == _DEFAULT:
        return -1.0
    try:
        return parse_age(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error


def _restricted(words: tuple[str, ...], user: str | None, prefix: str | None) -> tuple[str, ...]:
    if (user is not None) + (prefix is not None) + bool(words) > 1:
        raise UsageError("say one of PATTERN, -u and -p")
    if user is not None:
        if not user or set(user) & {"*", "%", "/"}:
            raise UsageError(f"-u: {user[:80]!r} is no user")
        local, at, domain = user.partition("@")
        return (f"user/{user}", f"user/{local}/*{at}{domain}")
    return (f"{prefix}*",) if prefix else words


# -- doing it ----------------------------------------------------------------------------------------------------------


def _rules(settings: Settings, store: MailStore, request: Request) -> Rules:
    """Raises what is wrong with them before anything has expired."""
    from sievemda.upkeep.expiry.criteria import Purge
    from sievemda.upkeep.expiry.rules import Rule, Rules
    from sievemda.upkeep.expiry.scope import Scope

    if request.purge is not None:
        return Rules((Rule("purge", Scope(), Purge(**request.purge)),))
    path = request.rules or settings.upkeep.expire_rules
    if path is None or not request.messages:
        return Rules()
    from sievemda.assembly import expiry_rules

    return expiry_rules(settings, store, path)


def _mailboxes(store: MailStore, request: Request, failures: Failures) -> Iterator[tuple[str, Mailbox]]:
    if request.user and not store.user_exists(store.namespace.userid(request.user)):
        failures.tell(NotFound(f"no user {request.user}"))
        return
    names = [word for word in request.words if not WILDCARDS & set(word) and not request.user]
    list(Selection(tuple(names), "", "").find(store, failures) if names else ())  # what is not there is told
    for name, mailbox in Selection(request.words, "", "").find(store, failures, must_exist=False):
        if request.purge is None or request.force or mailbox.name.owner is None:
            yield name, mailbox
        elif name in request.words:
            failures.tell(UsageError("mailboxes of users are left alone without -f"), name)


def _remove_for_good(
    settings: Settings, store: MailStore, request: Request, removed: dict[str, int], *, dry: bool
) -> None:
    from sievemda.store import aside, clearing

    options = settings.store
    kept = options.delete_days * clearing.DAY if options.delete_mode == "delayed" else 0.0
    days = options.discard_days * clearing.DAY if options.withholds else 0.0
    if request.deleted is not None:
        age = kept if request.deleted < 0 else request.deleted
        removed["deleted"] = aside.prune(store, age, dry=dry)
    if request.users is not None:
        age = kept if request.users < 0 else request.users
        removed["users"] = aside.prune(store, age, lambda entry: clearing.is_user(store, entry), dry=dry)
    if request.withdrawn is not None:
        age = days if request.withdrawn < 0 else request.withdrawn
        removed["withdrawn"] = clearing.forget_withdrawn(store, age, options.discard_size, dry=dry)
    if request.duplicates is not None:
        from sievemda.upkeep.pruning import forget_deliveries

        removed["deliveries"] = forget_deliveries(settings, request.duplicates, dry=dry)
