"""A site for tests: a ManageSieve service with some users."""

import shutil

from sievemda import configload
from sievemda.auth.guard import Guard
from sievemda.auth.users import Users
from sievemda.language import language_extensions, language_limits
from sievemda.managesieve.service import Service
from sievemda.state.credentials import Credentials
from sievemda.state.failures import Failures
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName


def service_of(directory, accounts, *sets, tls=False):
    """A service below a directory, with the credentials of a file."""
    settings = configload.load(None, directory, ["admins=root", *sets])
    store, who = MailStore(settings), Users(Credentials(settings.accounts_path), settings.site)
    for name in ("alice", "bob"):
        store.create(MailboxName(name))
    settings.accounts_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(accounts, settings.accounts_path)
    guard = Guard(Failures(settings.failures_path), settings.guard, settings.site)
    return Service(settings, who, store, language_limits(settings), language_extensions(settings), tls=tls, guard=guard)
