"""One running server per module; a module states its settings in `SETTINGS`."""

import itertools

import pytest

from tests.outcomes.site import Site

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    base = tmp_path_factory.mktemp("site")
    site = Site(base / "d", tuple(getattr(request.module, "SETTINGS", ())))
    site.start()
    yield site
    assert site.stop() == 0, site.words()
    assert "Traceback" not in site.words(), site.words()


@pytest.fixture
def name():
    """A user name that no other test has."""
    return f"u{next(_numbers)}"


@pytest.fixture
def fresh():
    """A Message-ID that no other test has."""
    return f"<m{next(_numbers)}@example.net>"
