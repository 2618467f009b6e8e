"""Turns at the threads that work for clients who have not logged in: dealt by address, and not for ever waited for.

One address has one lane, of IPv6 a /64, and lanes take turns, so that two hundred sessions that try passwords keep
nobody else waiting longer than one. Addresses where somebody has logged in before, and those that are never locked out,
come first. Addresses whose login has failed of late wait behind all others and have an eighth of the threads together:
whoever spreads his guesses over many addresses gains nothing by the second try of each. But of `_SHARE` turns one is
for who comes for the first time, and one for who is suspected, when they wait. So a user who comes meanwhile waits for
the few hashes that are under way.

How many may wait is bounded, since a login that is answered after the client's patience has been in vain. Who comes
then pushes the last one out of the longest lane, or is refused himself when that is his: TemporaryTrouble.

Who has gone while he waits is not worked for any more (`Turn.leave`): what was not looked at is no guess. Who says no
more but may still listen (`defer`) waits behind those who have failed, for most of his kind have gone as well.

While many wait, the answer to a failed login waits too: some times as long as its turn was waited for (`penance`). So
those who guess spend most of their time there, and not in front of somebody who knows his password. Their number is
bounded, for a session that waits keeps its seat: with N of them, and n logins a second that can be looked at, a turn is
waited for N / n / (1 + _PENANCE) seconds instead of N / n.

Why an order by threads and not by hashes: whatever a login waits for, a hash, PAM, a directory, it holds a thread.
Why networks that are never locked out are never suspected either, nor is it bounded how many wait: the address of a web
mail stands for all its users, who may come at once, and how many sessions there are is bounded elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sievemda.auth.guard import place_of
from sievemda.auth.origin import Network, is_within
from sievemda.errors import TemporaryTrouble

T = TypeVar("T")

_TRUSTED = "trusted "  # what the places of such addresses begin with

MOST = 100  # that wait in one process: some five seconds of hashes
CROWDED_PAUSE = 2.0  # seconds before somebody is told that there are too many, or he would be back at once
_SHARE = 4  # a turn in so many is for the suspected, one for the unknown, when others wait as well
_SUSPICION, _ACQUAINTANCE = 600.0, 86400.0  # seconds
_PENANCE, _LONGEST_PENANCE = 4, 15.0  # times as long as for the turn; seconds
_MOST_PLACES = 8192  # that are remembered of either


class Crowded(TemporaryTrouble):
    """Too many wait already."""


class Turn(Future[T]):
    """Work that waits at `lanes`, and what it will give."""

    def __init__(self, place: str, lanes: _Lanes, work: Callable[[], T]) -> None:
        super().__init__()
        self.place, self.lanes = place, lanes
        self.work: Callable[[], T] | None = work
        self.left = False  # its client has gone before it began
        self._since, self._waited = time.monotonic(), 0.0

    def begin(self) -> bool:
        """Whether it is still wanted, now that it can."""
        self._waited = time.monotonic() - self._since
        return self.set_running_or_notify_cancel()

    @property
    def penance(self) -> float:
        """Seconds that the client, who was wrong, waits for the answer."""
        return min(_PENANCE * self._waited, _LONGEST_PENANCE)

    def do(self) -> T:
        """The work, once. Nothing of it is kept: it has in it what the client has said."""
        work, self.work = self.work, None
        assert work is not None
        return work()

    def awaited(self) -> asyncio.Future[T]:
        """What it gives, for the running loop; OSError when the client has left before it began.

        To cancel that is to give the turn up.

        Why not asyncio.wrap_future: that leaves a ring of references behind for each turn, and what hundreds of
        strangers have said would stay until the collector comes to it.
        """
        loop = asyncio.get_running_loop()
        over: asyncio.Future[T] = loop.create_future()
        over.add_done_callback(self._given_up)
        self.add_done_callback(partial(_tell, loop, over))
        return over

    def _given_up(self, over: asyncio.Future[T]) -> None:
        if over.cancelled():
            self.cancel()

    def leave(self) -> None:
        """Its client has gone. What has begun goes on, and counts."""
        self.left = self.cancel()


_Lanes = OrderedDict[str, deque[Turn[Any]]]  # by place; none is empty


class Lanes:
    """For one process. `trusted` are never suspected, and may have more threads than other addresses."""

    def __init__(self, name: str, threads: int, trusted: Sequence[Network] = (), most: int = MOST) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._threads, self._few = threads, max(threads // _SHARE, 1)
        self._many = max(threads - self._few, self._few)
        self._few_behind = max(threads // (2 * _SHARE), 1)
        self._trusted, self._most = trusted, most
        self._lock = threading.RLock()
        self._first: _Lanes = OrderedDict()  # of the known and the trusted
        self._open: _Lanes = OrderedDict()
        self._behind: _Lanes = OrderedDict()  # of the suspected
        self._working: Counter[str] = Counter()  # threads by place
        self._working_behind = 0
        self._waiting = 0
        self._failed: OrderedDict[str, float] = OrderedDict()  # place to the end of the suspicion
        self._known: OrderedDict[str, float] = OrderedDict()
        self._dealt = 0
        self._closed = False

    def submit(self, address: str, function: Callable[..., T], *arguments: Any, bound: bool = True) -> Turn[T]:
        """What the function will give, called on a thread when it is the turn of the address.

        That is Crowded where too many wait, unless `bound` is false: for what has begun already.
        """
        place = f"{_TRUSTED}{address}" if is_within(address, self._trusted) else place_of(address)
        with self._lock:
            turn: Turn[T] = Turn(place, self._lanes_for(place), partial(function, *arguments))
            self._line_up(turn)
            turn.add_done_callback(self._leave)  # he may go while he waits
            if bound and not _is_trusted(place) and self._waiting > self._most:
                self._make_room(turn)
            self._deal()
        return turn

    def defer(self, turn: Turn[Any]) -> None:
        """Its client says no more: others go first."""
        with self._lock:
            if not _is_trusted(turn.place) and self._take_out(turn):
                turn.lanes = self._behind
                self._line_up(turn)
                self._deal()

    def suspect(self, address: str) -> None:
        """A login from there has failed."""
        if (place := place_of(address)) and not is_within(address, self._trusted):
            with self._lock:
                self._known.pop(place, None)
                _note(self._failed, place, _SUSPICION)

    def welcome(self, address: str) -> None:
        """Somebody has logged in from there."""
        if place := place_of(address):
            with self._lock:
                self._failed.pop(place, None)
                _note(self._known, place, _ACQUAINTANCE)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _lanes_for(self, place: str) -> _Lanes:
        if _is_trusted(place) or _is_noted(self._known, place):
            return self._first
        return self._behind if _is_noted(self._failed, place) else self._open

    def _line_up(self, turn: Turn[Any]) -> None:
        if turn.place in turn.lanes:
            turn.lanes[turn.place].append(turn)
        else:
            turn.lanes[turn.place] = deque([turn])
        self._waiting += not _is_trusted(turn.place)

    def _make_room(self, turn: Turn[Any]) -> None:
        """One has to go: the last of the longest lane of those who come last, of several as long ones this one's."""
        lanes = self._behind or self._open or self._first

        def crowd(place: str) -> tuple[int, bool]:
            return 0 if _is_trusted(place) else len(lanes[place]), place == turn.place

        last = lanes[max(reversed(lanes), key=crowd)][-1]
        self._take_out(last)
        if last.set_running_or_notify_cancel():
            last.set_exception(Crowded("too many clients try to log in"))

    def _take_out(self, turn: Turn[Any]) -> bool:
        """Whether it was waiting."""
        with self._lock:
            lane = turn.lanes.get(turn.place, ())
            if not lane or turn not in lane:
                return False
            lane.remove(turn)
            self._waiting -= not _is_trusted(turn.place)
            if not lane:
                del turn.lanes[turn.place]
            return True

    def _leave(self, turn: Future[Any]) -> None:
        assert isinstance(turn, Turn)
        self._take_out(turn)

    def _deal(self) -> None:
        """Give out the turns that there are."""
        while self._working.total() < self._threads and not self._closed:
            order = [self._first, self._open, self._behind]
            favoured = {0: self._behind, _SHARE // 2: self._open}.get(self._dealt % _SHARE, self._first)
            turn = next(filter(None, map(self._next, (favoured, *order))), None)
            if turn is None:
                return
            self._take_out(turn)
            if turn.begin():
                self._dealt += 1
                self._working[turn.place] += 1
                self._working_behind += turn.lanes is self._behind
                self._pool.submit(self._do, turn)

    def _next(self, lanes: _Lanes) -> Turn[Any] | None:
        """The first of the lane whose turn it is; that goes behind the others."""
        if lanes is self._behind and self._working_behind >= self._few_behind:
            return None
        for place, lane in lanes.items():
            if self._working[place] < (self._many if _is_trusted(place) else self._few):
                lanes.move_to_end(place)
                return lane[0]
        return None

    def _do(self, turn: Turn[Any]) -> None:
        """On a thread."""
        try:
            found, error = turn.do(), None
        except BaseException as e:  # noqa: BLE001 - whoever waits for it gets it
            found, error = None, e
        with self._lock:
            self._working -= Counter([turn.place])
            self._working_behind -= turn.lanes is self._behind
            self._deal()
        if error is None:
            turn.set_result(found)
        else:
            turn.set_exception(error)


def _tell(loop: asyncio.AbstractEventLoop, over: asyncio.Future[Any], turn: Future[Any]) -> None:
    """From any thread, perhaps after the end of the loop."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_hand_over, over, turn)


def _hand_over(over: asyncio.Future[Any], turn: Future[Any]) -> None:
    if over.done():
        return
    if isinstance(turn, Turn) and turn.left:
        over.set_exception(ConnectionAbortedError("the client has left while he waited for his turn"))
    elif turn.cancelled():
        over.cancel()
    elif error := turn.exception():
        over.set_exception(error)
    else:
        over.set_result(turn.result())


def _is_trusted(place: str) -> bool:
    return place.startswith(_TRUSTED)


def _note(places: OrderedDict[str, float], place: str, seconds: float) -> None:
    places[place] = time.monotonic() + seconds
    places.move_to_end(place)
    if len(places) > _MOST_PLACES:
        places.popitem(last=False)


def _is_noted(places: OrderedDict[str, float], place: str) -> bool:
    return places.get(place, 0.0) > time.monotonic()
