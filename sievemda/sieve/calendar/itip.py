"""What a message about events does to the objects of a calendar. RFC 9671 §4; RFC 5546 for each method.

    PUBLISH, none   added or updated; only as public data (`:allowpublic`)
    REQUEST         added or updated, for an attendee
    ADD             one more instance of what is on the calendar
    CANCEL          marked as cancelled, or removed (`:deletecancelled`)
    REPLY           the participant status of who replies, on the calendar of the organizer
    others          nothing: an answer to them is a person's

Never changed is the participant status of the owner: where an object is updated, his own stays (§4). Alarms of a
message are dropped, those that the owner has set stay; so are attachments that the data carry in themselves, because
nobody here scans them (§5). What is older than the calendar has, or comes from another organizer, changes nothing
(RFC 5546 §2.1.5, §6.1.1).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from icalendar import Component

from sievemda.sieve.calendar.data import CalendarData, Malformed, every, instance, number, one, params_of, read, write

_TARGETS = {"REQUEST": "ATTENDEE", "CANCEL": "ATTENDEE", "ADD": "ATTENDEE", "REPLY": "ORGANIZER"}  # §4.1
_FOR_PEOPLE = frozenset({"REFRESH", "COUNTER", "DECLINECOUNTER"})
_COPIED = 10_000  # lines of a series that are copied for instances of their own
_OF_SERIES = ("RRULE", "RDATE", "EXDATE", "EXRULE")


@dataclass(frozen=True, slots=True)
class Wishes:
    """The arguments of the action, and the questions it may ask."""

    addresses: frozenset[str]  # the owner's, in lower case
    allow_public: bool
    updates_only: bool
    delete_cancelled: bool
    trusted: Callable[[str], bool] | None  # whether an address is in the list of `:organizers`
    existing: Callable[[str], bytes | None]
    obstacle: Callable[[], str]  # why nothing can be added; empty: it can


@dataclass(frozen=True, slots=True)
class Verdict:
    """§4.7, §4.8."""

    outcome: str
    reason: str = ""
    objects: tuple[tuple[str, bytes], ...] = ()


class _Nothing(Exception):
    """No action, because of this."""


class _Error(Exception):
    """It would have been processed, but for this."""


def decide(data: CalendarData, wishes: Wishes, most: int) -> Verdict:
    """What is to be done; total for whatever `read` lets through."""
    objects: list[tuple[str, bytes]] = []
    added, reasons = False, []
    try:
        _check(data, wishes)
        found = _by_uid(data.components)
        if len(found) > most:
            raise _Nothing(f"it has {len(found)} objects: the limit is {most}")
        for uid, components in found.items():
            try:
                written, new = _Object(data, uid, components, wishes).changed()
            except _Nothing as why:
                reasons.append(str(why))
                continue
            objects.append((uid, written))
            added = added or new
    except _Nothing as why:
        return Verdict("no_action", str(why))
    except _Error as why:
        return Verdict("error", str(why))
    except (Malformed, TypeError, ValueError, OverflowError, AttributeError, LookupError) as why:
        # the last ones come of the library, for values of another type than the property has
        return Verdict("error", f"the object on the calendar cannot be changed: {why}")
    if not objects:
        return Verdict("no_action", "; ".join(dict.fromkeys(reasons)))
    return Verdict("added" if added else "updated", objects=tuple(objects))


def address_of(value: Any) -> str:
    """The address of a mailto URI in lower case; empty for what is none. §4.1."""
    scheme, _, rest = str(value).partition(":")
    return unquote(rest.partition("?")[0]).strip().lower() if scheme.strip().lower() == "mailto" else ""


def _by_uid(components: Iterable[Component]) -> dict[str, list[Component]]:
    found: dict[str, list[Component]] = {}
    for component in components:
        uid = str(component.get("UID", ""))
        if not uid:
            raise _Error("missing unique identifier")
        found.setdefault(uid, []).append(component)
    return found


# -- whether to look at it at all, §4.1, §4.6 ----------------------------------------------------------------------


def _check(data: CalendarData, wishes: Wishes) -> None:
    if not data.components:
        raise _Nothing("no event, task or journal entry in it")
    if data.method in _FOR_PEOPLE:
        raise _Nothing(f"{data.method} is for a person to answer")
    for component in data.components:
        if fault := _fault(data.method, component):
            raise _Nothing(f"not well-formed: {fault}")
    if data.method and data.method != "PUBLISH" and len(_by_uid(data.components)) > 1:
        raise _Nothing("not well-formed: several objects in one message")
    _check_organizer(data, wishes)
    _check_target(data, wishes)


def _fault(method: str, component: Component) -> str:
    """What RFC 5546 §3.2 and RFC 5545 §3.6 want of a component, as far as it matters here."""
    if method and method != "PUBLISH" and method not in _TARGETS:
        return f"unknown method {method[:40]}"
    attendees = len(every(component, "ATTENDEE"))
    rules = (
        ("ORGANIZER", bool(method) and not component.get("ORGANIZER"), "is missing"),
        ("DTSTAMP", bool(method) and not component.get("DTSTAMP"), "is missing"),
        ("DTSTART", _needs_start(method, component) and not component.get("DTSTART"), "is missing"),
        ("ATTENDEE", method in {"REQUEST", "ADD"} and not attendees, "is missing"),
        ("ATTENDEE", method == "REPLY" and attendees != 1, "must be there once"),
        ("ATTENDEE", method == "PUBLISH" and attendees > 0, "must not be there"),
        ("RECURRENCE-ID", method == "ADD" and instance(component) is not None, "must not be there"),
    )
    return next((f"{name} {what}" for name, wrong, what in rules if wrong), "")


def _needs_start(method: str, component: Component) -> bool:
    return component.name == "VEVENT" and method not in {"CANCEL", "REPLY"}


def _check_organizer(data: CalendarData, wishes: Wishes) -> None:
    if wishes.trusted is None:
        return
    if not data.method:
        raise _Nothing("no iTIP message, and only some organizers are trusted")
    for component in data.components:
        address = address_of(one(component, "ORGANIZER"))
        if not address or not wishes.trusted(address):
            raise _Nothing(f"the organizer {address[:80] or '(none)'} is not in the list")


def _check_target(data: CalendarData, wishes: Wishes) -> None:
    attended = any(every(component, "ATTENDEE") for component in data.components)
    target = _TARGETS.get(data.method)
    if target and attended:
        named = {address_of(value) for component in data.components for value in every(component, target)}
        if not named & wishes.addresses:
            raise _Nothing(f"you are not the {target.lower()}" if target == "ORGANIZER" else "you are no attendee")
    elif not wishes.allow_public:
        raise _Nothing("public calendar data are not wanted")
    elif attended:
        raise _Nothing("it has attendees, and is no iTIP message")


# -- one object ----------------------------------------------------------------------------------------------------


class _Object:
    """One object of the calendar, and the components of the message that are about it."""

    def __init__(self, data: CalendarData, uid: str, components: Sequence[Component], wishes: Wishes) -> None:
        self._method = data.method
        self._news = [_clean(component) for component in components]
        self._wishes = wishes
        text = wishes.existing(uid)
        old = read(text) if text is not None else None
        self._old = [component for component in old.components if str(component.get("UID")) == uid] if old else []
        self._by_instance: dict[Any, Component] = {instance(one): one for one in reversed(self._old)}
        self._copied = 0
        self._lines = text.count(b"\n") if text is not None else 0
        self._zones = {**(old.zones if old else {}), **data.zones}

    def changed(self) -> tuple[bytes, bool]:
        """The object as it is to be, and whether it is a new one. Raises `_Nothing`."""
        if not self._old:
            return self._added(), True
        self._refuse_stranger()
        components = {"CANCEL": self._cancelled, "REPLY": self._replied, "ADD": self._extended}.get(
            self._method, self._updated
        )()
        return (write(components, self._zones) if components else b""), False

    def _added(self) -> bytes:
        if self._method in {"CANCEL", "REPLY", "ADD"}:
            raise _Nothing("it is not on a calendar")
        if self._wishes.updates_only:
            raise _Nothing("only processing updates")
        if why := self._wishes.obstacle():
            raise _Error(why)
        return write(self._news, self._zones)

    def _refuse_stranger(self) -> None:
        """RFC 5546 §6.1.1: who is not the organizer changes nothing."""
        known = {address_of(one(component, "ORGANIZER")) for component in self._old} - {""}
        for component in self._news:
            if known and address_of(one(component, "ORGANIZER")) not in known:
                raise _Nothing("the organizer is another one than that on the calendar")

    def _counterpart(self, component: Component) -> Component | None:
        return self._by_instance.get(instance(component))

    def _master(self) -> Component | None:
        return self._by_instance.get(None)

    def _current(self) -> list[Component]:
        """Those components of the message that are not older than what is there."""
        news = []
        for component in self._news:
            old = self._counterpart(component) or self._master()
            if old is None or _age(component) >= _age(old):
                news.append(component)
        if not news:
            raise _Nothing("it is older than what is on the calendar")
        return news

    def _updated(self) -> list[Component]:
        """RFC 5546 §3.2.2.1: a later sequence of the whole makes instances that were changed before obsolete."""
        news = self._current()
        kept = {instance(old): old for old in self._old}
        master = self._master()
        for component in news:
            if instance(component) is None and master and number(component, "SEQUENCE") > number(master, "SEQUENCE"):
                kept = {None: master}
        changed = False
        for component in news:
            old = self._counterpart(component)
            if old is not None:
                self._keep_own(old, component)
                changed = changed or write([old], {}) != write([component], {})
            else:
                changed = True
            kept[instance(component)] = component
        if not changed and len(kept) == len(self._old):
            raise _Nothing("nothing in it is new")
        return list(kept.values())

    def _keep_own(self, old: Component, new: Component) -> None:
        """The owner's participant status and alarms stay as they are. §4."""
        known = {address_of(attendee): attendee for attendee in reversed(every(old, "ATTENDEE"))}
        for attendee in every(new, "ATTENDEE"):
            address = address_of(attendee)
            if address in self._wishes.addresses and address in known:
                _copy_status(known[address], attendee)
        new.subcomponents = [sub for sub in old.subcomponents if sub.name == "VALARM"]

    def _extended(self) -> list[Component]:
        """RFC 5546 §3.2.4: instances beside those that the rules of the series make."""
        master, kept = self._master(), {instance(old): old for old in self._old}
        for component in self._current():
            start: Any = component["DTSTART"]
            component.add("RECURRENCE-ID", copy.deepcopy(start))
            if master is not None and instance(component) not in kept:
                master.add("RDATE", start.dt, parameters=dict(params_of(start)))
            kept[instance(component)] = component
        return list(kept.values())

    def _cancelled(self) -> list[Component]:
        """RFC 5546 §3.2.5."""
        news = self._current()
        if any(
            name == "RANGE" for new in news for value in every(new, "RECURRENCE-ID") for name, _ in params_of(value)
        ):
            raise _Nothing("a range of instances is cancelled, which is for a person to do")
        if any(instance(new) is None for new in news):
            if self._wishes.delete_cancelled:
                return []
            for known in self._old:
                _cancel(known, news[0])
            return self._old
        kept: dict[Any, Component] = {instance(old): old for old in self._old}
        for new in news:
            old: Component | None = kept.pop(instance(new), None)
            if not self._wishes.delete_cancelled:
                kept[instance(new)] = _cancel(old or self._derived(new), new)
            elif master := self._master():
                value = every(new, "RECURRENCE-ID")[0]
                master.add("EXDATE", value.dt, parameters=dict(params_of(value)))
        return list(kept.values())

    def _replied(self) -> list[Component]:
        """RFC 5546 §3.2.3."""
        changed = False
        for reply in self._news:
            who = every(reply, "ATTENDEE")[0]
            if address_of(who) in self._wishes.addresses:
                raise _Nothing("your own participant status is not changed")
            old = self._counterpart(reply)
            if number(reply, "SEQUENCE") < number(old or self._old[0], "SEQUENCE"):
                raise _Nothing("it is older than what is on the calendar")
            if old is None:
                old = self._derived(reply)
                self._old.append(old)
                self._by_instance[instance(old)] = old
            same = [value for value in every(old, "ATTENDEE") if address_of(value) == address_of(who)]
            if not same:
                raise _Nothing("who replies is no attendee")
            for value in same:
                for name in ("PARTSTAT", "DELEGATED-TO"):
                    if name in who.params and value.params.get(name) != who.params[name]:
                        value.params[name] = who.params[name]
                        changed = True
        if not changed:
            raise _Nothing("nothing in it is new")
        return self._old

    def _derived(self, about: Component) -> Component:
        """The instance that the series has there, as a component of its own."""
        master = self._master()
        if master is None:
            raise _Nothing("the instance is not on a calendar")
        self._copied += self._lines
        if self._copied > _COPIED:
            raise _Nothing("it is about too many instances at once")
        made: Component = copy.deepcopy(master)
        for name in _OF_SERIES:
            made.pop(name, None)
        value = every(about, "RECURRENCE-ID")[0]
        end, start = made.get("DTEND"), made.get("DTSTART")
        made["RECURRENCE-ID"] = copy.deepcopy(value)
        if start is not None:
            made["DTSTART"] = _moved(start, value.dt)
        if end is not None and start is not None:
            made["DTEND"] = _moved(end, value.dt + (end.dt - start.dt))
        return made


def _copy_status(old: Any, new: Any) -> None:
    new.params.pop("PARTSTAT", None)
    if "PARTSTAT" in old.params:
        new.params["PARTSTAT"] = old.params["PARTSTAT"]


def _moved(value: Any, when: Any) -> Any:
    moved = copy.deepcopy(value)
    moved.dt = when
    return moved


def _cancel(component: Component, by: Component) -> Component:
    """§4.5: it stays, and says that it is cancelled."""
    component.pop("STATUS", None)
    component.add("STATUS", "CANCELLED")
    for name in ("SEQUENCE", "DTSTAMP"):
        if by.get(name) is not None:
            component[name] = by[name]
    return component


def _age(component: Component) -> tuple[int, str]:
    """RFC 5546 §2.1.5: the sequence counts first, then when it was written; that is always UTC."""
    return number(component, "SEQUENCE"), one(component, "DTSTAMP")


def _clean(component: Component) -> Component:
    """Without alarms, and without attachments that are in the data themselves."""
    cleaned: Component = copy.deepcopy(component)
    cleaned.subcomponents = [sub for sub in cleaned.subcomponents if sub.name != "VALARM"]
    for name in ("ATTACH", "IMAGE"):
        kept = [value for value in every(cleaned, name) if not _inline(value)]
        cleaned.pop(name, None)
        if kept:
            cleaned[name] = kept
    return cleaned


def _inline(value: Any) -> bool:
    params = {name for name, _ in params_of(value)}
    return "ENCODING" in params or str(value)[:5].lower() == "data:" or type(value).__name__ == "vBinary"
