"""What the scripts of a test file may ask: its settings answer, and the world, which is made when it is needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from email.utils import localtime
from functools import cached_property

from sievemda.sieve.compile import compile_script
from sievemda.sieve.facts import Executed, Unknown
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Inclusion
from sievemda.sieve.problems import RunError
from sievemda.sieve.program import Program
from sievemda.sieve.surroundings import standard
from sievemda.sieve.testing.settings import Settings
from sievemda.sieve.testing.site import Library
from sievemda.sieve.testing.subject import Subject, user_name
from sievemda.sieve.testing.world import MakeWorld, World


class Surroundings(Unknown):
    """The facts of a test file. What has been carried out before is never remembered: `seen` is always false."""

    def __init__(self, settings: Settings, subject: Subject, make_world: MakeWorld | None) -> None:
        self.settings = settings
        self.subject = subject
        self.frozen: datetime | None = None  # where the clock stands still
        self._make_world = make_world
        self._world: World | None = None
        self._started = localtime()

    @property
    def limits(self) -> Limits:
        """As the settings in force have them."""
        return self.settings.site.limits

    @property
    def library(self) -> Library:
        return self.settings.site.library

    def program(self, text: bytes, location: str = "personal") -> Program:
        """Compile a script that is not the test file itself. Raises `ScriptError`."""
        available = self.settings.site.available
        if location == "global":
            available |= self.limits.options.for_global_scripts
        return compile_script(text, self.limits, available, self.library)

    @property
    def world(self) -> World:
        if self._world is None:
            if self._make_world is None:
                raise RunError("nothing can be carried out here: there is no mail store")
            try:
                self._world = self._make_world()
            except OSError as e:
                raise RunError(f"the mail store cannot be made: {e.strerror or e}") from e
        return self._world

    @property
    def world_so_far(self) -> World | None:
        """The world if something has needed it: before that there is nothing in it."""
        return self._world

    def close(self) -> None:
        if self._world is not None:
            self._world.close()
            self._world = None

    # -- facts -------------------------------------------------------------------------------------------------

    def restart_clock(self) -> None:
        """A script begins: the time is that of its beginning until it ends."""
        self._started = localtime()

    def now(self) -> datetime:
        return self.frozen or self._started

    def mailbox_exists(self, name: str) -> bool:
        return name.upper() == "INBOX" or (self._world is not None and self._world.mailbox_exists(name))

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        return None if self._world is None else self._world.metadata(mailbox, entry)

    def execute(self, kind: str, program: str, arguments: Sequence[str], data: bytes) -> Executed | None:
        programs = self.settings.site.programs
        return self.world.execute(self.subject.envelope, programs, kind, program, arguments, data)

    def included(self, location: str, name: str) -> Program | None:
        text = self.library.text(Inclusion(location, name))
        return None if text is None else self.program(text, location)

    def environment(self, item: str) -> str | None:
        return {**self._items, **self.settings.site.environment}.get(item)

    @cached_property
    def _items(self) -> dict[str, str]:
        items = standard(os.uname().nodename, location="MS", phase="post")
        return {**items, "vnd.dovecot.default-mailbox": "INBOX", "vnd.dovecot.username": user_name()}

    def has_list(self, name: str) -> bool:
        return self.settings.site.lists.has(name)

    def in_list(self, name: str, values: Sequence[str]) -> str | None:
        return self.settings.site.lists.find(name, values)

    def list_members(self, name: str, most: int) -> Sequence[str]:
        return self.settings.site.lists.members(name, most)
