import pytest

from sievemda.auth.users import Users
from sievemda.config import Site
from sievemda.state.credentials import Credentials


@pytest.fixture
def credentials(tmp_path):
    return Credentials(tmp_path / "state" / "accounts.db")


@pytest.fixture
def users(credentials):
    return Users(credentials, Site(admins=("root",), defaultdomain="example.org"))
