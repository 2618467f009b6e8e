"""Every case of the tables of limits and of changes, over LMTP to a server of its site.

The steps of a case are commands of `Table`, with arguments: `send (PARAMETERS) RECIPIENTS => REPLIES`, of which each is
the beginning of one; `cli COMMAND => EXIT CODE | PATTERN` in what it prints. {u} is a name that no other case has.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from contextlib import ExitStack
from io import BytesIO, TextIOWrapper
from itertools import count

import pytest

from sievemda.cli.main import run
from sievemda.configload import load
from sievemda.store.mailstore import MailStore
from tests.outcomes import changes, limits
from tests.outcomes.site import Client, Site, message

CASES = limits.CASES + changes.CASES
_numbers = count(1)


class Table:
    """A running site; commands run in this process."""

    def __init__(self, base, world):
        base.mkdir()
        settings = tuple(setting.format(base=base) for setting in limits.WORLDS[world])
        self.site = Site(base / "d", settings)
        self.store = MailStore(load(data=self.site.data, sets=settings))
        self.site.start()

    def close(self):
        assert self.site.stop() == 0, self.site.words()
        assert "Traceback" not in self.site.words(), self.site.words()

    def run(self, steps):
        for step in steps.split(" / "):
            self.step(step)

    def step(self, step):
        command, _, rest = step.strip().partition(" ")
        getattr(self, f"do_{command}")(rest)

    def command(self, words, stdin=""):
        """(exit code, what it printed)."""
        sets = [word for setting in self.site.settings for word in ("--set", setting)]
        with pytest.MonkeyPatch.context() as patch:
            printed = TextIOWrapper(BytesIO(), encoding="utf-8")
            patch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode())))
            patch.setattr(sys, "stdout", printed)
            patch.setattr(sys, "stderr", printed)
            code = run(["--data", str(self.site.data), *sets, *words])
            printed.flush()
            return code, printed.buffer.getvalue().decode()

    def ok(self, *words, stdin=""):
        code, printed = self.command(words, stdin)
        assert code == 0, (words, code, printed)
        return printed

    def mailbox(self, name):
        found = self.store.find(self.store.namespace.parse_admin(name))
        assert found is not None, f"no mailbox {name}"
        return found

    def files(self, name):
        folder = self.mailbox(name).path
        found = [path for part in ("new", "cur") for path in (folder / part).iterdir()]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    # --- what administrators and clients do ---

    def do_mk(self, rest):
        name, *acl = rest.split()
        self.ok("mailbox", "create", name)
        for identifier, rights in zip(acl[::2], acl[1::2], strict=True):
            self.ok("acl", "set", name, identifier, rights)

    def do_acl(self, rest):
        self.ok("acl", "set", *rest.split())

    def do_quota(self, rest):
        self.ok("quota", "set", *rest.split())

    def do_script(self, rest):
        user, _, text = rest.partition(" ")
        self.ok("script", "put", user, "main", "-", stdin=text)
        self.ok("script", "activate", user, "main")

    def do_cli(self, rest):
        line, _, pattern = rest.partition(" | ")
        line, _, code = line.partition(" => ")
        stdin = message(f"<cli{next(_numbers)}@x>").decode() if line.startswith("deliver") else ""
        found, printed = self.command(shlex.split(line), stdin)
        assert found == int(code or 0), (line, found, printed)
        assert re.search(pattern, printed), (line, printed)

    def do_put(self, rest):
        """Messages of a client that keeps no quota; `count`ed."""
        name, number, size, *counted = rest.split()
        for each in range(int(number)):
            path = self.mailbox(name).path / "cur" / f"{next(_numbers)}.M{each}P1.imap,S={size}:2,S"
            path.write_bytes(b"x" * int(size))
        if counted:
            self.ok("quota", "fix", "-q")

    def do_rm(self, rest):
        name, number = rest.split()
        for path in self.files(name)[: int(number)]:
            path.unlink()

    def do_limits(self, rest):
        """What an IMAP server writes into the file of a root."""
        name, limit, *usage = rest.split()
        (self.mailbox(name).path / "maildirsize").write_text(f"{limit}\n{' '.join(usage)}\n")

    # --- deliveries ---

    def do_send(self, rest):
        line, _, wanted = rest.partition(" => ")
        given, line = re.fullmatch(r"(?:\((.*?)\) )?(.*)", line).groups()
        words = (given or "").split()
        id_ = next((word[3:] for word in words if word.startswith("id=")), str(next(_numbers)))
        size = next((int(word[5:]) for word in words if word.startswith("size=")), 0)
        more = " ".join(word for word in words if not word.startswith(("id=", "size=")))
        fill = "".join(f"X-Fill: {'y' * 54}\r\n" for _ in range(size // 64))
        self.last = f"<{self.name}.{id_}@x>"
        data = message(self.last, extra=fill)
        replies = self.site.deliver([_path(each) for each in line.split(", ")], data, parameters=more)
        _compare(replies, wanted)

    def do_between(self, rest):
        """Steps between RCPT and DATA, for one recipient."""
        line, _, wanted = rest.rpartition(" => ")
        recipient, _, steps = line.partition(" | ")
        self.last = f"<{self.name}.{next(_numbers)}@x>"
        with Client(self.site.socket) as client:
            client.hello()
            for line in ("MAIL FROM:<b@x>", f"RCPT TO:{_path(recipient)}"):
                assert client.say(line).startswith("250")
            for step in steps.split(" & "):
                self.step(step)
            assert client.say("DATA").startswith("354")
            client.send(message(self.last) + b".\r\n")
            _compare([client.reply()], wanted)

    # --- what is there then ---

    def do_count(self, rest):
        wanted = {name: int(number) for name, _, number in (word.partition("=") for word in rest.split())}
        assert {name: len(self.files(name)) for name in wanted} == wanted

    def do_exists(self, rest):
        for word in rest.split():
            name, _, there = word.partition("=")
            found = self.store.find(self.store.namespace.parse_admin(name))
            assert (found is not None) is (there == "1"), name

    def do_used(self, rest):
        """As `quota list` counts."""
        self._used("list", rest)

    def do_known(self, rest):
        """As `quota report` knows."""
        self._used("report", rest)

    def _used(self, command, rest):
        root, resource, number = rest.split()
        assert json.loads(self.ok("quota", command, "--json", root))[root][resource]["used"] == int(number)

    def do_exact(self, rest):
        lines = (self.mailbox(rest).path / "maildirsize").read_text().splitlines()[1:]
        assert sum(int(line.split()[0]) for line in lines) == sum(path.stat().st_size for path in self.files(rest))

    def do_failed(self, rest):
        """Whether the latest message has the keyword of a failed script."""
        name, _, wanted = rest.partition(" ")
        names = self.mailbox(name).tree.root / "dovecot-keywords"
        lines = names.read_text().splitlines() if names.exists() else []
        letters = {chr(97 + int(line.split()[0])) for line in lines if line.endswith(" $SieveFailed")}
        assert bool(letters & set(self.files(name)[-1].name.partition(":2,")[2])) is (wanted == "yes")

    def do_why(self, rest):
        assert rest in self.ok("why", self.last)


def _path(recipient):
    return recipient if recipient.startswith("<") else f"<{recipient}>"


def _compare(replies, wanted):
    ends = [reply.split("\n")[-1] for reply in replies]
    prefixes = wanted.split(", ")
    assert len(ends) == len(prefixes), replies
    assert [end[: len(prefix)] for end, prefix in zip(ends, prefixes, strict=True)] == prefixes, replies


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Makes the sites, each when it is first wanted."""
    base, made = tmp_path_factory.mktemp("limits"), {}
    with ExitStack() as stack:

        def make(world):
            if world not in made:
                made[world] = Table(base / world, world)
                stack.callback(made[world].close)
            return made[world]

        yield make


@pytest.mark.parametrize(("world", "about", "steps"), CASES, ids=[f"{world}: {about}" for world, about, _ in CASES])
def test_what_becomes_of_mail(table, world, about, steps):
    site = table(world)
    site.name = f"l{next(_numbers)}"
    site.run(steps.replace("{u}", site.name))
