import os
import time

import pytest

from sievemda.upkeep.reconstruct.findings import Options, Work
from sievemda.upkeep.reconstruct.run import reconstruct
from sievemda.upkeep.reconstruct.scope import Scope

MESSAGE = b"From: bob@example.net\nSubject: hello\n\nbody\n"


@pytest.fixture
def mend(store):
    """Runs over the store, or what words name of it: the findings. `code` and counts are in `mend.work`."""

    def mend(*words, store=store, **options):
        scope = {key: options.pop(key) for key in ("users", "partition", "recursive") if key in options}
        found = []
        mend.work = Work(store, Options(**options), found.append)
        reconstruct(mend.work, Scope(store.namespace, words, **scope))
        return found

    return mend


@pytest.fixture
def put():
    """Puts a file into a folder: its path."""

    def put(mailbox, name, content=MESSAGE, *, age=0.0):
        path = mailbox.path / name
        path.write_bytes(content)
        when = time.time() - age
        os.utime(path, (when, when))
        return path

    return put


def names(mailbox, part="cur"):
    return sorted(path.name for path in (mailbox.path / part).iterdir())


def kinds(findings, state="mended"):
    return [finding.kind for finding in findings if finding.state == state]
