import dataclasses

import pytest

from sievemda.config import Settings, with_changes
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName


@pytest.fixture
def site(tmp_path):
    """Makes a store with changed settings (section={setting: value}) on partitions `default` and `two`."""

    def make(**sections):
        partitions = {"partitions": {"default": tmp_path / "mail", "two": tmp_path / "two"}}
        sections["store"] = partitions | sections.get("store", {})
        settings = Settings(data=tmp_path)
        changed = {name: with_changes(getattr(settings, name), **values) for name, values in sections.items()}
        return MailStore(dataclasses.replace(settings, **changed))

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
