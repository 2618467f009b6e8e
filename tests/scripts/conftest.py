import os
import time

import pytest

from sievemda.scripts.keeper import Keeper
from sievemda.state.versions import Actor, Bounds, Versions
from sievemda.store.scripts import ScriptStore
from sievemda.store.slots import Slots


class World:
    """One user with a home, and versions of his scripts."""

    def __init__(self, directory):
        self.directory = directory
        self.home = directory / "home" / "alice"
        self.home.mkdir(parents=True)
        self.versions = Versions(directory / "versions.db", Bounds())

    def keeper(self, user="alice", *, slots=(), versions=None):
        actor = Actor(user, "192.0.2.1", "managesieve")
        kept = versions or self.versions
        return Keeper(ScriptStore(self.home), "alice", lambda: "id-of-alice", kept, actor, Slots(slots))

    def history(self):
        return self.versions.of("id-of-alice")

    def told(self):
        return [(v.action, v.script, v.via) for v in self.history()]

    def file(self, name):
        return self.home / "sieve" / f"{name}.sieve"

    def age(self):
        """As if the files had lain there for a while, so that their times tell of a change."""
        past = time.time() - 3600
        for path in (self.home / "sieve").iterdir():
            os.utime(path, (past, past))


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path)
    yield found
    found.versions.close()
