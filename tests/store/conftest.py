import dataclasses
from pathlib import Path

import pytest

from sievemda.config import Settings, with_changes
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName


def settings_with(data: Path, **sections):
    """Settings below `data`, with changes given as section={setting: value}."""
    settings = Settings(data=data)
    changed = {name: with_changes(getattr(settings, name), **values) for name, values in sections.items()}
    return dataclasses.replace(settings, **changed)


@pytest.fixture
def site(tmp_path):
    """Makes a store with changed settings on partitions `default` and `two`."""

    def make(**sections):
        store = {"partitions": {"default": tmp_path / "mail", "two": tmp_path / "two"}} | sections.pop("store", {})
        return MailStore(settings_with(tmp_path, store=store, **sections))

    return make


@pytest.fixture
def store(site):
    return site()


@pytest.fixture
def mailbox(store):
    """Looks a mailbox up by its administrator's name, making it (and its user) when it is not there."""

    def get(text):
        name = store.namespace.parse_admin(text)
        if name.path and name.owner and not store.user_exists(name.owner):
            store.create(MailboxName(name.owner))
        return store.find(name) or store.create(name)

    return get
