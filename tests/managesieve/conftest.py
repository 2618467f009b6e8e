import shutil

import pytest

from sievemda import configload
from sievemda.auth.guard import Guard
from sievemda.auth.users import Users
from sievemda.config import Site
from sievemda.language import language_extensions, language_limits
from sievemda.managesieve.service import Service
from sievemda.state.credentials import Credentials
from sievemda.state.failures import Failures
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName


@pytest.fixture(scope="session")
def accounts(tmp_path_factory):
    """The credentials, hashed once for all tests."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.db"
    users = Users(Credentials(path), Site())
    for name, password in (("alice", "secret"), ("bob", "secret"), ("carol", "secret"), ("root", "toor")):
        users.set_password(name, password)
    return path


@pytest.fixture
def make_service(tmp_path, accounts):
    """A service with the users alice and bob, who have mailboxes, carol, who has none, and the administrator root."""

    def make(*sets, tls=False):
        settings = configload.load(None, tmp_path, ["admins=root", *sets])
        store, who = MailStore(settings), Users(Credentials(settings.accounts_path), settings.site)
        for name in ("alice", "bob"):
            store.create(MailboxName(name))
        settings.accounts_path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(accounts, settings.accounts_path)
        guard = Guard(Failures(settings.failures_path), settings.guard, settings.site)
        return Service(
            settings, who, store, language_limits(settings), language_extensions(settings), tls=tls, guard=guard
        )

    return make


@pytest.fixture
def service(make_service):
    return make_service("allowplaintext=yes")


@pytest.fixture
def scripts(service):
    """The scripts of alice, as they lie on disk."""
    return service.scripts("alice")
