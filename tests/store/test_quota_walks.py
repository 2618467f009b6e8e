"""Random walks over a site: whatever is done to mailboxes, roots and messages, every root knows what it limits."""

import random
from contextlib import suppress

import pytest

from sievemda.errors import SievemdaError
from sievemda.policy.quota import Limits
from sievemda.store import messages, rootlist

STEPS = 60
NAMES = (
    "user/a@example.org", "user/b@example.org", "user/a/x@example.org", "user/a/x/y@example.org", "user/b/x@example.org",
    "news@example.org", "news/x@example.org", "user/c", "user/c/x", "board", "board/x",
)  # fmt: skip
ROOTS = (*NAMES, "@example.org")


class Walk:
    """One site and one chance; each step is one thing that somebody does."""

    def __init__(self, store, seed):
        self.store, self.chance = store, random.Random(seed)
        self.told = True  # whether nobody has done anything that a file was not told of

    def name(self, names=NAMES):
        return rootlist.root_name(self.store.namespace, self.chance.choice(names))

    def mailbox(self):
        return self.chance.choice(list(self.store.list()) or [None])

    def create(self):
        self.store.create(self.name(), partition=self.chance.choice(("", "", "two")))

    def delete(self):
        self.store.delete(self.name())

    def rename(self):
        self.store.rename(self.name(), self.name())

    def limit(self):
        limits = Limits(messages=self.chance.choice((None, 0, 100)), storage=self.chance.choice((None, 5000)))
        rootlist.set_limits(self.store, self.name(ROOTS), limits, force=self.chance.random() < 0.3)

    def unlimit(self):
        if root := self.store.quota_root(self.name(ROOTS)):
            rootlist.remove(self.store, root)

    def deliver(self):
        if mailbox := self.mailbox():
            self.store.stage(mailbox.partition, [b"x" * self.chance.randrange(1, 300)]).deliver(mailbox, last=True)

    def move(self):
        source, target = self.mailbox(), self.mailbox()
        for file in self.files(source)[:1] if source and target and source.path != target.path else []:
            messages.move(self.store, source, file, target, ())

    def expunge_untold(self):
        mailbox = self.mailbox()
        for file in self.files(mailbox)[:1] if mailbox else []:
            file.unlink()
            self.told = False

    def files(self, mailbox):
        return sorted(file for part in ("new", "cur") for file in (mailbox.path / part).iterdir())

    def step(self):
        steps = (self.create, self.delete, self.rename, self.limit, self.unlimit, self.move)
        with suppress(SievemdaError, OSError):  # there are reasons why not; what counts is that nothing is wrong then
            self.chance.choice((*steps, self.create, *[self.deliver] * 5, self.expunge_untold))()

    def truth(self):
        """Octets, messages and folders by the name of the root that counts for them."""
        found = {}
        for mailbox in self.store.list():
            if root := mailbox.quota_root():
                octets, count, folders = found.get(root.name, (0, 0, 0))
                sizes = [file.stat().st_size for file in self.files(mailbox)]
                found[root.name] = (octets + sum(sizes), count + len(sizes), folders + 1)
        return found

    def check(self):
        truth = self.truth()
        for root in self.store.roots():
            right = truth.get(root.name, (0, 0, 0))
            if self.told:
                kept = root.usage()
                assert (kept.storage, kept.messages) == right[:2], root.name
            known = root.known()
            assert (known.storage, known.messages, known.mailboxes) == right, root.name
            counted = root.usage(fresh=True)
            assert (counted.storage, counted.messages, counted.mailboxes) == right, root.name
        assert truth.keys() <= {root.name for root in self.store.roots()}
        self.told = True


@pytest.mark.parametrize("seed", range(8))
def test_every_root_knows_what_it_limits(site, seed):
    walk = Walk(site(site={"virtdomains": "userid"}), seed)
    for _ in range(STEPS):
        walk.step()
        walk.check()
