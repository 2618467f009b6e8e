import pytest

from tests.interop.certificate import make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Certificate and key for localhost and 127.0.0.1."""
    return make_certificate(tmp_path_factory.mktemp("tls"))
