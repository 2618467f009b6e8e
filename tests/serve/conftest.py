import pytest

from tests.serve.service import Service


@pytest.fixture
def service(tmp_path):
    """Not started yet, with the user alice."""
    made = Service(tmp_path)
    made.cli("mailbox", "create", "user/alice")
    yield made
    made.close()
