"""A person makes rules in the web mail Roundcube, in a browser: they are stored, versioned, and act on the next message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.dovecot import PASSWORD, Dovecot
from tests.interop.roundcube import Roundcube, Servers, running
from tests.interop.sink import Sink
from tests.interop.site import Site, message
from tests.interop.webdriver import PATIENCE, Browser
from tests.interop.webmail import DONE, Person

SCRIPT = "roundcube"  # what Roundcube calls the script that it makes
# The lines of the editor that are marked as wrong, and what is said there.
MARKED = """
const editor = document.querySelector('.CodeMirror').CodeMirror, marked = [];
editor.eachLine(line => line.gutterMarkers && marked.push(
    [editor.getLineNumber(line) + 1, line.gutterMarkers.errorGutter.title.trim()]));
return marked;
"""


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
    with running(Roundcube(place / f"roundcube-{request.param}", servers), logs) as roundcube:
        yield roundcube


@pytest.fixture
def owner(site: Site, new_name: Callable[[str], str]) -> str:
    """Has the folders `Work` and `Bücher`."""
    return site.user(new_name("owner"), "Work", "Bücher", password=PASSWORD)


@pytest.fixture
def person(chromium: Browser, roundcube: Roundcube, owner: str) -> Person:
    """The owner, logged in."""
    person = Person(chromium, roundcube)
    person.log_in(owner, PASSWORD)
    return person


def test_a_rule_and_a_vacation_made_in_roundcube_act_on_the_next_message(
    site: Site, sink: Sink, person: Person, owner: str, new_name: Callable[[str], str]
) -> None:
    sender = f"{new_name('sender')}@example.net"
    person.make_rule("Reports", "report", "Work")
    person.make_vacation("Away", "Back on Monday")

    assert site.lmtp(message(to=f"{owner}@example.org", Subject="the report"), f"{owner}@example.org", sender=sender)

    assert [len(site.files(owner, folder)) for folder in ("", "Work")] == [0, 1]
    reply = sink.wait_for(sender, PATIENCE)
    assert reply.mail_from == "<>"
    assert b"Subject: Away" in reply.original_content
    assert b"Back on Monday" in reply.original_content
    history = json.loads(site.cli("script", "history", owner, SCRIPT, "--json"))
    assert {(each["user"], each["address"], each["via"]) for each in history} == {(owner, "127.0.0.1", "managesieve")}
    assert [each["action"] for each in history] == ["put", "activate", "put", "put"]  # of the first, all is a comment


@pytest.mark.parametrize("roundcube", ["tls"], indirect=True)
def test_a_message_that_the_rule_is_not_about_stays_in_the_inbox(site: Site, person: Person, owner: str) -> None:
    person.make_rule("Reports", "report", "Work")

    site.lmtp(message(to=f"{owner}@example.org", Subject="lunch"), f"{owner}@example.org")

    assert [len(site.files(owner, folder)) for folder in ("", "Work")] == [1, 0]


@pytest.mark.parametrize("roundcube", ["tls"], indirect=True)
def test_roundcube_shows_the_rule_that_an_undo_has_brought_back(site: Site, person: Person, owner: str) -> None:
    person.make_rule("Reports", "report", "Work")
    site.cli("script", "put", owner, SCRIPT, stdin=b"keep;\n")
    person.open_filters()
    assert "Reports" not in person.browser.text("#filterslist")

    site.cli("script", "undo", owner, SCRIPT)

    person.open_filters()
    person.browser.wait_for_text("#filterslist", "Reports")


@pytest.mark.parametrize("roundcube", ["tls"], indirect=True)
def test_a_set_with_umlauts_in_its_name_files_into_a_folder_with_umlauts(
    site: Site, person: Person, owner: str
) -> None:
    person.open_filters()
    person.make_set("Für später ☂")
    person.add_rule("Grüße", "grüße", "B&APw-cher")  # an option of a select has the name that IMAP has for it
    person.switch_set(on=True)

    person.open_filters()
    assert person.sets() == {"Für später ☂": True, SCRIPT: False}
    person.browser.wait_for_text("#filterslist", "Grüße")
    site.lmtp(message(to=f"{owner}@example.org", Subject="=?utf-8?q?Viele_Gr=C3=BC=C3=9Fe?="), f"{owner}@example.org")
    assert [len(site.files(owner, folder)) for folder in ("", "B&APw-cher")] == [0, 1]


@pytest.mark.parametrize("roundcube", ["ssl"], indirect=True)
def test_sets_are_switched_on_and_off_saved_to_a_file_and_deleted(site: Site, person: Person, owner: str) -> None:
    person.make_rule("Reports", "report", "Work")
    person.open_filters()  # whose first set has been made while the page was, has none chosen there
    assert scripts(site, owner) == {SCRIPT: True}

    person.make_set("Holidays")
    assert scripts(site, owner) == {"Holidays": False, SCRIPT: True}
    person.switch_set(on=True)
    assert scripts(site, owner) == person.sets() == {"Holidays": True, SCRIPT: False}

    person.choose_set(SCRIPT)
    saved = person.download_set(SCRIPT).decode()  # with the line end that follows a script in the answer
    assert saved == site.cli("script", "get", owner, SCRIPT) + "\r\n"

    person.choose_set("Holidays")
    person.switch_set(on=False)
    assert scripts(site, owner) == person.sets() == {"Holidays": False, SCRIPT: False}
    person.switch_set(on=True)
    person.delete_set("Holidays")  # which Roundcube switches off before
    assert scripts(site, owner) == person.sets() == {SCRIPT: False}


@pytest.mark.parametrize("roundcube", ["tls"], indirect=True)
def test_the_editor_marks_the_line_that_is_wrong_and_says_what_is_wrong(site: Site, person: Person, owner: str) -> None:
    person.make_rule("Reports", "report", "Work")
    person.open_filters()
    before = site.cli("script", "get", owner, SCRIPT)

    person.write('require "fileinto";\nkeep;\nfileinfo "Work";\n')

    with person.browser.frame("#filter-box"):
        person.browser.wait_for(".CodeMirror .line-error")
        ((line, told),) = person.browser.run(MARKED)
    assert line == 3
    assert "unknown command 'fileinfo' (did you mean 'fileinto'?)" in told
    assert site.cli("script", "get", owner, SCRIPT) == before


@pytest.mark.parametrize("roundcube", ["tls"], indirect=True)
def test_what_is_right_in_the_editor_is_stored_as_it_was_written(site: Site, person: Person, owner: str) -> None:
    person.make_rule("Reports", "report", "Work")
    person.open_filters()

    person.write('require "fileinto";\n# für später\nfileinto "Bücher";\n')

    person.browser.wait_for(DONE)
    assert site.cli("script", "get", owner, SCRIPT) == 'require "fileinto";\r\n# für später\r\nfileinto "Bücher";\r\n'


def scripts(site: Site, user: str) -> dict[str, bool]:
    """The stored ones; whether they are active."""
    return {each["name"]: each["active"] for each in json.loads(site.cli("script", "list", user, "--json"))}
