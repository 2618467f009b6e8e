"""Every case of the table of addresses, over LMTP to a server of its site."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

from sievemda.configload import load
from sievemda.policy.quota import Limits
from sievemda.store.mailstore import MailStore
from tests.outcomes.addressing import CASES, WORLDS
from tests.outcomes.site import Client, Site, message


class Table:
    """A running site with the mailboxes of a world."""

    def __init__(self, base, world):
        base.mkdir()
        self.site = Site(base / "d", world.settings)
        self.store = MailStore(load(data=self.site.data, sets=world.settings))
        for line in world.mailboxes:
            self._make(*(part.strip() for part in f"{line}||".split("|")[:3]))
        for name in world.full:
            mailbox = self._mailbox(name)
            (mailbox.path / "new" / "1.M1P1.x,S=9,W=9").write_bytes(b"A: b\n\nc\nd")
            self.store.make_root(mailbox).set_limits(Limits(messages=0))
        for name in world.roots:
            self.store.make_root(self._mailbox(name)).set_limits(Limits(messages=1000))
        self.site.start()

    def _make(self, name, acl, use):
        mailbox = self.store.create(self.store.namespace.parse_admin(name), special_use=use)
        words = acl.split()
        for identifier, rights in zip(words[::2], words[1::2], strict=True):
            mailbox.change_acl(lambda old, i=identifier, r=rights: old.changed(i, r))

    def _mailbox(self, name):
        return self.store.find(self.store.namespace.parse_admin(name))

    def having(self, wanted):
        """The mailboxes in which the message is."""
        found = []
        for mailbox in self.store.list():
            files = [path for part in ("new", "cur") for path in (mailbox.path / part).iterdir()]
            found += [self.store.namespace.format_admin(mailbox.name) for path in files if wanted in path.read_bytes()]
        return found

    def close(self):
        assert self.site.stop() == 0, self.site.words()
        assert "Traceback" not in self.site.words(), self.site.words()


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Makes the sites, each when it is first wanted."""
    base = tmp_path_factory.mktemp("addressing")
    made = {}
    with ExitStack() as stack:

        def one(name):
            if name not in made:
                made[name] = Table(base / name, WORLDS[name])
                stack.callback(made[name].close)
            return made[name]

        yield one


def last(reply):
    return reply.split("\n")[-1]


NUMBERED = list(enumerate(CASES))


@pytest.mark.parametrize(("number", "case"), NUMBERED, ids=[f"{number}-{case}" for number, case in NUMBERED])
def test_an_address_leads_where_the_semantics_say(table, number, case):
    world, id_ = table(case.world), f"<case-{number}@x>"
    with Client(world.site.socket) as client:
        client.hello()
        assert client.say(f"MAIL FROM:<bob@example.net> {case.mail}".rstrip()).startswith("250")
        reply = client.say(f"RCPT TO:{case.rcpt}")
        if last(reply).startswith("250"):
            assert client.say("DATA").startswith("354")
            client.send(message(id_) + b".\r\n")
            reply = client.reply()
    assert last(reply).startswith(case.reply)
    assert world.having(id_.encode()) == list(case.places)


def test_a_refusal_names_no_more_than_the_address_says(table):
    with Client(table("unix").site.socket) as client:
        client.hello()
        client.say("MAIL FROM:<bob@example.net>")
        hidden, missing = (client.say(f"RCPT TO:<+{name}@x>") for name in ("hidden", "nothere"))
    assert hidden == missing
    assert re.fullmatch(r"(550-5\.1\.1 [^\n]+\n)+550 5\.1\.1 [^\n]+", hidden)
