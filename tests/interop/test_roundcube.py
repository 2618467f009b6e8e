"""A person makes rules in the web mail Roundcube, in a browser: they are stored, versioned, and act on the next message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.dovecot import PASSWORD, Dovecot
from tests.interop.processes import wait_until
from tests.interop.roundcube import Roundcube, Servers
from tests.interop.sink import Sink
from tests.interop.site import Site, message
from tests.interop.webdriver import Browser, Refused

SCRIPT = "roundcube"  # what Roundcube calls the script that it makes


@pytest.fixture(scope="module")
def place(make_directory: Callable[[], Path]) -> Path:
    directory = make_directory()
    make_certificate(directory)
    return directory


@pytest.fixture(scope="module")
def site(place: Path, sink: Sink, logs: dict[str, Path]) -> Iterator[Site]:
    """Passwords only under TLS; what leaves, leaves for the sink."""
    site = Site(
        place / "site",
        {
            "tls_server_cert": str(place / "cert.pem"),
            "tls_server_key": str(place / "key.pem"),
            "allowplaintext": "no",
            "smtp_backend": "host",
            "smtp_host": f"127.0.0.1:{sink.port}",
        },
    )
    site.settings["acl_shared_dict"] = str(site.data / "shared-mailboxes")
    logs["sievemda for Roundcube"] = site.log
    site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture(scope="module")
def dovecot(place: Path, site: Site, logs: dict[str, Path]) -> Iterator[Dovecot]:
    dovecot = Dovecot(place / "dovecot", site.data)
    logs["dovecot for Roundcube"] = dovecot.log
    dovecot.start()
    yield dovecot
    dovecot.stop()


@pytest.fixture(scope="module", params=["tls", "ssl"])
def roundcube(
    request: pytest.FixtureRequest, place: Path, site: Site, dovecot: Dovecot, logs: dict[str, Path]
) -> Iterator[Roundcube]:
    """Speaks to the server after STARTTLS, and with TLS from the first octet."""
    servers = Servers(dovecot.port, site.managesieve_port, authority=place / "cert.pem", scheme=request.param)
    roundcube = Roundcube(place / f"roundcube-{request.param}", servers)
    logs["errors of Roundcube"] = roundcube.errors
    logs["ManageSieve of Roundcube"] = roundcube.dialogue
    roundcube.start()
    yield roundcube
    roundcube.stop()


@pytest.fixture(scope="module")
def chromium(place: Path, logs: dict[str, Path]) -> Iterator[Browser]:
    browser = Browser(place / "browser")
    logs["chromedriver"] = browser.program.log
    try:
        browser.start()
        yield browser
    finally:
        browser.stop()


@pytest.fixture
def owner(site: Site, new_name: Callable[[str], str]) -> str:
    """Has a folder `Work`."""
    return site.user(new_name("owner"), "Work", password=PASSWORD)


@pytest.fixture
def browser(chromium: Browser, roundcube: Roundcube, owner: str) -> Browser:
    """With the owner logged in."""
    chromium.forget()
    chromium.visit(roundcube.page("login"))
    chromium.type("#rcmloginuser", owner)
    chromium.type("#rcmloginpwd", PASSWORD)
    chromium.click("#rcmloginsubmit")
    chromium.wait_for("body.task-mail")
    return chromium


def press(browser: Browser, selector: str) -> None:
    """Click on something of a page that is ready to act on it: while it starts or loads, Roundcube drops clicks."""
    ready = "document.readyState === 'complete' && !!window.rcmail && !rcmail.busy"

    def there() -> bool:
        try:
            return browser.run(f"return {ready} && !!document.querySelector(arguments[0]);", selector) is True
        except Refused:  # one page goes, the other comes
            return False

    wait_until(there, f"{selector} in a page that is ready", 30)
    browser.click(selector)


def make_rule(browser: Browser, name: str, word: str, folder: str) -> None:
    """Settings, Filters, Create: a message whose subject contains `word` goes to `folder`."""
    press(browser, "#taskmenu a.settings")
    press(browser, "#settings-menu .filter a")
    press(browser, "#toolbar-menu a.create:not(.disabled)")
    with browser.frame("#filter-box"):
        browser.wait_for("[name='_name']")
        browser.type("[name='_name']", name)
        browser.choose("[name='_header[0]']", "subject")
        browser.choose("[name='_rule_op[0]']", "contains")
        browser.type("[name='_rule_target[0][]']", word)
        browser.choose("[name='_action_type[0]']", "fileinto")
        browser.choose("[name='_action_mailbox[0]']", folder)
        press(browser, "button.submit")
    browser.wait_for("#filterslist tbody tr")


def make_vacation(browser: Browser, subject: str, reason: str) -> None:
    """Settings, Out of Office: switched on; what comes is kept too."""
    press(browser, "#taskmenu a.settings")
    press(browser, "#settings-menu .vacation a")
    browser.wait_for("#vacation_subject")
    browser.type("#vacation_subject", subject)
    browser.type("#vacation_reason", reason)
    browser.choose("#vacation_status", "on")
    press(browser, "button.submit")
    browser.wait_for("#messagestack .confirmation, #messagestack .alert-success")


def test_a_rule_and_a_vacation_made_in_roundcube_act_on_the_next_message(
    site: Site, sink: Sink, browser: Browser, owner: str, new_name: Callable[[str], str]
) -> None:
    sender = f"{new_name('sender')}@example.net"
    make_rule(browser, "Reports", "report", "Work")
    make_vacation(browser, "Away", "Back on Monday")

    assert site.lmtp(message(to=f"{owner}@example.org", Subject="the report"), f"{owner}@example.org", sender=sender)

    assert [len(site.files(owner, folder)) for folder in ("", "Work")] == [0, 1]
    reply = sink.wait_for(sender)
    assert reply.mail_from == "<>"
    assert b"Subject: Away" in reply.original_content
    assert b"Back on Monday" in reply.original_content
    history = json.loads(site.cli("script", "history", owner, SCRIPT, "--json"))
    assert {(each["user"], each["address"], each["via"]) for each in history} == {(owner, "127.0.0.1", "managesieve")}
    assert [each["action"] for each in history] == ["put", "activate", "put", "put"]  # of the first, all is a comment


def test_a_message_that_the_rule_is_not_about_stays_in_the_inbox(site: Site, browser: Browser, owner: str) -> None:
    make_rule(browser, "Reports", "report", "Work")

    site.lmtp(message(to=f"{owner}@example.org", Subject="lunch"), f"{owner}@example.org")

    assert [len(site.files(owner, folder)) for folder in ("", "Work")] == [1, 0]


def test_roundcube_shows_the_rule_that_an_undo_has_brought_back(
    site: Site, roundcube: Roundcube, browser: Browser, owner: str
) -> None:
    make_rule(browser, "Reports", "report", "Work")
    site.cli("script", "put", owner, SCRIPT, stdin=b"keep;\n")
    browser.visit(roundcube.page("settings", "plugin.managesieve"))
    assert "Reports" not in browser.text("#filterslist")

    site.cli("script", "undo", owner, SCRIPT)

    browser.visit(roundcube.page("settings", "plugin.managesieve"))
    browser.wait_for("#filterslist tbody tr")
    assert "Reports" in browser.text("#filterslist")
