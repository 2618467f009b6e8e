"""A store that was filled with other values of `hashimapspool` and `fulldirhash` comes to the present ones."""

import pytest

from sievemda.errors import AlreadyExists, ConfigurationError
from sievemda.store.mailstore import MailStore
from sievemda.upkeep.reconstruct.findings import Options
from sievemda.upkeep.reconstruct.rehash import rehash

NAMES = ["board", "club@example.org", "user/alice", "user/alice/Big", "user/dora@example.org", "user/zoe"]
SCHEMES = [
    {"hashimapspool": False, "fulldirhash": False},
    {"hashimapspool": True, "fulldirhash": False},
    {"hashimapspool": True, "fulldirhash": True},
]


def changed(store, **values):
    settings = store.settings
    return settings.with_changes(store=settings.store.with_changes(**values))


@pytest.mark.parametrize("before", SCHEMES)
@pytest.mark.parametrize("after", SCHEMES)
def test_everything_is_where_it_is_looked_for(site, before, after):
    store = site(store=before, site={"virtdomains": "userid"})
    for name in NAMES:
        store.create(store.namespace.parse_admin(name), partition="two" if name.endswith("Big") else "")
    settings = changed(store, **after)
    if before != after:
        with pytest.raises(ConfigurationError):
            MailStore(settings)
    found = []
    rehash(settings, Options(dry_run=True), found.append)
    assert bool(found) == (before != after)
    rehash(settings, Options(), lambda _: None)
    new = MailStore(settings)
    assert [name for name, _ in new.named()] == NAMES
    assert new.find(new.namespace.parse_admin("user/alice/Big")).partition == "two"
    again = []
    rehash(settings, Options(), again.append)
    assert again == []


def test_nothing_moves_onto_somebody_else(site):
    store = site(store=SCHEMES[0])
    store.create(store.namespace.parse_admin("user/alice"))
    other = changed(store, **SCHEMES[1])
    (store.layout.partition("default") / "a" / "user" / "alice" / "Maildir" / "cur").mkdir(parents=True)
    with pytest.raises(AlreadyExists):
        rehash(other, Options(), lambda _: None)
    assert (store.layout.partition("default") / "user" / "alice" / "Maildir").is_dir()
