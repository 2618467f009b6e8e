"""processcalendar: calendar data in a message are put into the owner's calendar. RFC 9671.

Here it is decided which data a message has and who may use the action how; `calendar.itip` decides what comes of them,
and the delivery writes it. Off by default: a stranger's message changes a calendar with nobody looking on (§5).

Why the parts of an attached message do not count: they were sent to somebody else. Why the action stands in the list of
actions even when nothing comes of it: it excludes reject, and itself, whatever the message is (§4.9).

What §5 asks of who writes the script: nothing is looked at that a spam filter has marked, if the script asks first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sievemda.mail.header import charset
from sievemda.sieve.effects import UpdateCalendar
from sievemda.sieve.extensions import extlists
from sievemda.sieve.extensions.variables import name_fault, store
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.run import Run
from sievemda.sieve.senders import own_addresses
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension

if TYPE_CHECKING:
    from sievemda.mail.mime import Part
    from sievemda.sieve.calendar.data import CalendarData
    from sievemda.sieve.calendar.itip import Verdict, Wishes

_TYPES = frozenset({"text/calendar", "application/ics"})  # RFC 5545 §8.1, and what is seen beside it
_PARTS = 4  # representations of the data in one message
_COST = 60  # how much more than a look at a character it takes to understand one


@node
class ProcessCalendar(Command):
    """processcalendar [ :allowpublic ] [ :addresses <string-list> ] [ :updatesonly / :calendarid <string> ]
    [ :deletecancelled ] [ :organizers <ext-list-name: string> ] [ :outcome <variablename: string> ]
    [ :reason <variablename: string> ], §4.
    """

    keyword = "processcalendar"
    allowpublic: bool = False
    addresses: Texts | None = None
    updatesonly: bool = False
    calendarid: Text | None = None
    deletecancelled: bool = False
    organizers: Text | None = None
    outcome: Text | None = None
    reason: Text | None = None

    def problems(self, context: Context) -> Iterator[Fault]:
        have = context.vocabulary.capabilities
        if self.updatesonly and self.calendarid is not None:
            yield "':updatesonly' and ':calendarid' cannot be used together"
        if self.organizers is not None and "extlists" not in have:
            yield self.organizers, "the ':organizers' tag needs extlists: add require [\"extlists\"]"
        elif self.organizers is not None and (fault := _list_fault(self.organizers)):
            yield self.organizers, fault
        for tag, name in (("outcome", self.outcome), ("reason", self.reason)):
            if name is not None and "variables" not in have:
                yield name, f"the ':{tag}' tag needs variables: add require [\"variables\"]"
            elif name is not None and (fault := name_fault(name, context)):
                yield name, fault

    def execute(self, run: Run) -> None:
        verdict = self._verdict(run)
        calendar = run.text(self.calendarid) if self.calendarid else ""
        effect = UpdateCalendar(
            outcome=verdict.outcome,
            reason=verdict.reason,
            objects=verdict.objects,
            calendar=calendar,
            line=self.line,
        )
        run.add(self.amended(effect, run))
        for name, value in ((self.outcome, verdict.outcome), (self.reason, verdict.reason)):
            if name is not None:
                store(run, name.source, value)

    def _verdict(self, run: Run) -> Verdict:
        from sievemda.sieve.calendar.data import Malformed  # noqa: PLC0415 - only for who has calendar data
        from sievemda.sieve.calendar.itip import Verdict, decide  # noqa: PLC0415

        try:
            data = _data(run)
            if data is None:
                return Verdict("no_action", "no calendar data in the message")
            return decide(data, self._wishes(run), run.limits.calendar_objects)
        except Malformed as why:
            return Verdict("no_action", f"malformed calendar data: {why}")  # §4: it MUST be ignored

    def _wishes(self, run: Run) -> Wishes:
        from sievemda.sieve.calendar.itip import Wishes  # noqa: PLC0415

        calendar = run.text(self.calendarid) if self.calendarid else ""
        return Wishes(
            addresses=own_addresses(run, run.texts(self.addresses) if self.addresses else ()),
            allow_public=self.allowpublic,
            updates_only=self.updatesonly,
            delete_cancelled=self.deletecancelled,
            trusted=self._trusted(run) if self.organizers else None,
            existing=lambda uid: _existing(run, uid),
            obstacle=lambda: "" if run.facts.has_calendar(calendar) else f"there is no calendar '{calendar[:80]}'",
        )

    def _trusted(self, run: Run) -> Callable[[str], bool]:
        """Whether an address is in the list of `:organizers`. §4.6."""
        assert self.organizers is not None
        name = extlists.existing(run, run.text(self.organizers))
        return lambda address: extlists.member_of(run, name, (address,)) is not None


def _existing(run: Run, uid: str) -> bytes | None:
    """The object on the calendar, which takes as long to understand as that in the message."""
    found = run.facts.calendar(uid)
    run.spend_matching(len(found) * _COST if found else 0)
    return found


def _list_fault(name: Text) -> str:
    return extlists.name_fault(name.source) if name.constant else ""


def _data(run: Run) -> CalendarData | None:
    """The calendar data of the message; of several representations one, if they say the same. Raises `Malformed`."""
    from sievemda.sieve.calendar.data import Malformed, read  # noqa: PLC0415 - as above

    found: CalendarData | None = None
    size, known = 0, dict[tuple[bytes, str], "CalendarData"]()
    for number, part in enumerate(_parts(run), 1):
        octets, name = part.octets, charset(part.charset or "utf-8") or "utf-8"
        if octets is None:
            raise Malformed("its transfer encoding is unknown")
        if number > _PARTS:
            raise Malformed(f"more than {_PARTS} parts have some")
        if (octets, name) not in known:  # the same once more, as a file, is what most programs send
            size += len(octets)
            if size > run.limits.calendar_size:
                raise Malformed(f"it has {size} octets: the limit is {run.limits.calendar_size}")
            run.spend_matching(len(octets) * _COST)
            known[octets, name] = read(octets, name)
        data = known[octets, name]
        _check_method(part, data.method)
        if found is not None and found is not data and found.meaning() != data.meaning():
            raise Malformed("its representations differ from one another")
        found = data
    return found


def _check_method(part: Part, method: str) -> None:
    """RFC 6047 §2.4. Raises `Malformed`."""
    from sievemda.sieve.calendar.data import Malformed  # noqa: PLC0415 - as above

    said = part.type.field.get("method") if part.type else None
    if said is not None and said.upper() != method:
        raise Malformed("its method is not the one of the part that it is in")


def _parts(run: Run) -> Iterator[Part]:
    """The parts with calendar data, those of attached messages left out."""
    from sievemda.mail.mime import Bounds, tree  # noqa: PLC0415 - as above

    waiting = [tree(run.message, Bounds(run.limits.parts, run.limits.nesting))]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting += reversed(part.children)
        elif part.type is not None and part.type.name in _TYPES and not part.opaque:
            yield part


EXTENSIONS = (
    Extension(
        "processcalendar",
        "RFC 9671",
        commands=(ProcessCalendar,),
        default=False,
        note="iCalendar; a folder for each calendar in the user's home",
    ),
)
