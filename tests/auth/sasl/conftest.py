import pytest

from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.client import Client
from sievemda.auth.sasl.offer import mechanisms
from sievemda.auth.users import Users
from sievemda.config import Settings, Site
from sievemda.state.credentials import Credentials

SECURE = Client("192.0.2.1", secure=True)
SITE = Site(servername="mail.example", admins=("root",), defaultdomain="example.org")


@pytest.fixture(scope="session")
def known(tmp_path_factory):
    """Users of whom hashes and verifiers are kept, made once; tests leave them as they are."""
    users = Users(Credentials(tmp_path_factory.mktemp("state") / "accounts.db"), SITE)
    for name, password in {"alice": "pencil", "root": "toor", "bob": "naïve \u2126"}.items():
        users.set_password(name, password)
    return users


@pytest.fixture
def written(credentials, tmp_path):
    """Users of a site that keeps passwords in plain text."""
    path = tmp_path / "passwd"
    path.write_text(
        "alice:{PLAIN}pencil\nroot:{PLAIN}toor\nmüller:{PLAIN}naïve\nchris:{PLAIN}secret\ntim:{PLAIN}tanstaaftanstaaf\n"
    )
    return Users(credentials, SITE, [PasswdFile(path, "PLAIN", SITE)])


def settings(**changes):
    tree = Settings(site=SITE)
    return tree.with_changes(sasl=tree.sasl.with_changes(**changes))


def begin(users, name, client=SECURE, **changes):
    """A new exchange of the mechanism."""
    return mechanisms(users, client, settings(**changes)).ready[name]()
