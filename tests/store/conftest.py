import os
from pathlib import Path

import pytest

from sievemda.config import Settings
from sievemda.store import crossing, files, journey
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from tests.store.contents import put


def settings_with(data: Path, **sections):
    """Settings below `data`, with changes given as section={setting: value}."""
    settings = Settings(data=data)
    changed = {name: getattr(settings, name).with_changes(**values) for name, values in sections.items()}
    return settings.with_changes(**changed)


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


@pytest.fixture
def moving(store, mailbox, monkeypatch):
    """Moves user/alice to the partition `two` by copying, while `meanwhile` is done to his INBOX and folder `a`."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)
    monkeypatch.setattr(files, "sync_file_system", lambda _: None)
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    for text in ("user/alice", "user/alice/a"):
        for name in "xyz":
            put(store, mailbox(text), name)

    def move(meanwhile):
        real = crossing.copy_directory

        def copy(source, target):
            real(source, target)
            if source.name == "alice":
                meanwhile(mailbox("user/alice"), mailbox("user/alice/a"))

        monkeypatch.setattr(crossing, "copy_directory", copy)
        name = store.namespace.parse_admin("user/alice")
        store.rename(name, name, partition="two")
        return mailbox("user/alice")

    return move
