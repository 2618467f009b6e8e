"""The servers, each started once: a site of sievemda, two Postfix in front of it, Dovecot behind it, and a sink.

A test takes fresh users, so that tests share servers and nothing else. What a server logged is shown with a failure.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.dovecot import Dovecot
from tests.interop.postfix import Postfix
from tests.interop.sink import Sink
from tests.interop.site import Site
from tests.interop.webdriver import Browser

LOGS = pytest.StashKey[dict[str, Path]]()
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.interop)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LOGS] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        for name, path in item.config.stash.get(LOGS, {}).items():
            if path.exists():
                report.sections.append((f"end of {name}", path.read_text(errors="replace")[-6000:]))
    return report


@pytest.fixture(scope="session")
def logs(request: pytest.FixtureRequest) -> dict[str, Path]:
    return request.config.stash[LOGS]


@pytest.fixture(scope="session")
def make_directory() -> Iterator[Callable[[], Path]]:
    """Directories with short names (sockets allow 107 octets) that the users of other servers can pass through."""
    made = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="sievemda-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for directory in made:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def directory(make_directory: Callable[[], Path]) -> Path:
    return make_directory()


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    sink = Sink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(scope="session")
def mail_systems(directory: Path, sink: Sink) -> dict[str, Postfix]:
    """Both set-ups of Postfix, not started yet."""
    names = ("mailbox_transport", "virtual_transport")
    return {name: Postfix(directory / name, name, sink.port) for name in names}


@pytest.fixture(scope="session")
def site(directory: Path, mail_systems: dict[str, Postfix], logs: dict[str, Path]) -> Iterator[Site]:
    """Delivers for both Postfix, and sends what it has to send through one of them."""
    outgoing = mail_systems["virtual_transport"].outgoing_port
    site = Site(
        directory / "site",
        {
            "smtp_backend": "host",
            "smtp_host": f"127.0.0.1:{outgoing}",
            "servername": "mda.example.org",
            "acl_shared_dict": str(directory / "site" / "data" / "shared-mailboxes"),
        },
        sockets=[system.socket for system in mail_systems.values()],
    )
    logs["sievemda"] = site.log
    site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture(scope="session")
def local_postfix(mail_systems: dict[str, Postfix], site: Site, logs: dict[str, Path]) -> Iterator[Postfix]:
    """Postfix with mailbox_transport: example.org is local."""
    yield from _running(mail_systems["mailbox_transport"], logs)


@pytest.fixture(scope="session")
def virtual_postfix(mail_systems: dict[str, Postfix], site: Site, logs: dict[str, Path]) -> Iterator[Postfix]:
    """Postfix with virtual_transport: example.org is a virtual domain."""
    yield from _running(mail_systems["virtual_transport"], logs)


def _running(postfix: Postfix, logs: dict[str, Path]) -> Iterator[Postfix]:
    logs[postfix.transport] = postfix.log
    postfix.start()
    yield postfix
    postfix.stop()


@pytest.fixture(params=["local_postfix", "virtual_postfix"])
def postfix(request: pytest.FixtureRequest) -> Postfix:
    """Each test with this fixture runs behind both set-ups."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def dovecot(directory: Path, site: Site, logs: dict[str, Path]) -> Iterator[Dovecot]:
    """Dovecot has nothing to complain of in the end, whatever the tests have done."""
    dovecot = Dovecot(directory / "dovecot", site.data)
    logs["dovecot"] = dovecot.log
    dovecot.start()
    yield dovecot
    complaints = dovecot.complaints()  # that it is stopped is one
    dovecot.stop()
    assert complaints == []


@pytest.fixture(scope="session")
def chromium(directory: Path, logs: dict[str, Path]) -> Iterator[Browser]:
    browser = Browser(directory / "browser")
    logs["chromedriver"] = browser.program.log
    try:
        browser.start()
        yield browser
    finally:
        browser.stop()


@pytest.fixture
def new_name() -> Callable[[str], str]:
    """A name that no other test has used: `user7`."""
    return lambda kind: f"{kind}{next(_numbers)}"


@pytest.fixture(scope="session")
def dotted_site(directory: Path, logs: dict[str, Path]) -> Iterator[Site]:
    """A site as conf/dovecot/sievemda-dots.conf has it."""
    settings = {"unixhierarchysep": "no", "altnamespace": "no", "virtdomains": "userid", "hashimapspool": "yes"}
    place = directory / "dotted"
    site = Site(place, settings | {"acl_shared_dict": str(place / "data" / "shared-mailboxes")}, workers=1)
    logs["sievemda with dots"] = site.log
    site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture(scope="session")
def dotted_dovecot(directory: Path, dotted_site: Site, logs: dict[str, Path]) -> Iterator[Dovecot]:
    dovecot = Dovecot(directory / "dovecot-dots", dotted_site.data, "sievemda-dots.conf")
    logs["dovecot with dots"] = dovecot.log
    dovecot.start()
    yield dovecot
    complaints = dovecot.complaints()  # that it is stopped is one
    dovecot.stop()
    assert complaints == []


@pytest.fixture
def person(site: Site, new_name: Callable[[str], str]) -> str:
    """A user without a password of ours, as those have who only read their mail."""
    name = new_name("person")
    site.make(f"user/{name}")
    return name


@pytest.fixture
def user(site: Site, new_name: Callable[[str], str]) -> str:
    return site.user(new_name("user"), password="secret")
