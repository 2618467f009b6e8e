import pytest

from sievemda import configload
from sievemda.auth.users import Users
from sievemda.language import language_extensions, language_limits
from sievemda.managesieve.service import Service
from sievemda.state.credentials import Credentials
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName


@pytest.fixture
def make_service(tmp_path):
    """A service with the users alice and bob, who have mailboxes, carol, who has none, and the administrator root."""

    def make(*sets, tls=False):
        settings = configload.load(None, tmp_path, ["admins=root", *sets])
        store, who = MailStore(settings), Users(Credentials(settings.accounts_path), settings.site)
        for name in ("alice", "bob"):
            store.create(MailboxName(name))
            who.set_password(name, "secret")
        who.set_password("carol", "secret")
        who.set_password("root", "toor")
        return Service(settings, who, store, language_limits(settings), language_extensions(settings), tls=tls)

    return make


@pytest.fixture
def service(make_service):
    return make_service("allowplaintext=yes")


@pytest.fixture
def scripts(service):
    """The scripts of alice, as they lie on disk."""
    return service.scripts("alice")
