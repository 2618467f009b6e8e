"""Roundcube where it shares the scripts of its users with other programs, and logs in by each way that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.dovecot import PASSWORD, Dovecot
from tests.interop.roundcube import Roundcube, Servers, running
from tests.interop.site import Site, message
from tests.interop.webdriver import Browser
from tests.interop.webmail import Person
from tests.managesieve.authorities import Authority

SCRIPT = "roundcube"  # what Roundcube calls the script that it makes
BY_HAND = """\
require ["fileinto", "copy"];
if header :contains "subject" "report" { fileinto :copy "Copies"; }
"""


@dataclass(frozen=True)
class House:
    """A site with passwords in plain text; `webmail` may act for everybody, by password or by certificate."""

    directory: Path
    site: Site
    dovecot: Dovecot

    def user(self, name: str) -> str:
        """Has the folders `Work` and `Copies`."""
        with (self.directory / "passwd").open("a") as file:
            file.write(f"{name}:{{PLAIN}}{PASSWORD}\n")
        self.site.make(*(f"user/{name}{folder}" for folder in ("", "/Work", "/Copies")))
        return name

    def roundcube(self, name: str, scheme: str, **more: str) -> Roundcube:
        servers = Servers(self.dovecot.port, self.site.managesieve_port, self.directory / "cert.pem", scheme)
        return Roundcube(self.directory / name, servers, **more)


@pytest.fixture(scope="module")
def house(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[House]:
    directory = make_directory()
    certificate, key = make_certificate(directory)
    authority = Authority()
    shown = authority.issue(directory, "webmail", commonName="webmail")
    (directory / "webmail.pem").write_bytes(b"".join(part.read_bytes() for part in shown))
    (directory / "passwd").write_text("webmail:{PLAIN}letmein\n")
    site = Site(
        directory / "site",
        {
            "servername": "localhost",
            "tls_server_cert": str(certificate),
            "tls_server_key": str(key),
            "tls_client_ca_file": str(authority.write(directory / "authority.pem")),
            "allowplaintext": "no",
            "auth_backends": "passwd-file",
            "auth_passwd_file": str(directory / "passwd"),
            "sasl_mech_list": "EXTERNAL DIGEST-MD5 CRAM-MD5 SCRAM-SHA-256 PLAIN LOGIN",
            "proxyservers": "webmail",
            "sieve_active_slots": "own=* webmail=managesieve|roundcube",
        },
    )
    site.settings["managesieve_slots"] = f"{site.managesieve_port}=webmail"
    site.settings["acl_shared_dict"] = str(site.data / "shared-mailboxes")
    dovecot = Dovecot(directory / "dovecot", site.data)
    logs["sievemda for Roundcube"], logs["dovecot for Roundcube"] = site.log, dovecot.log
    site.start()
    dovecot.start()
    yield House(directory, site, dovecot)
    dovecot.stop()
    assert site.stop() == 0


CERTIFICATE = "['ssl' => ['cafile' => '{0}/cert.pem', 'verify_peer' => true, 'local_cert' => '{0}/webmail.pem']]"
PROXY = {"managesieve_auth_cid": "'webmail'", "managesieve_auth_pw": "'letmein'"}


@pytest.mark.parametrize(
    ("scheme", "mechanism", "more"),
    [
        ("tls", "PLAIN", {}),
        ("ssl", "LOGIN", {}),
        ("tls", "CRAM-MD5", {}),
        ("ssl", "DIGEST-MD5", {}),
        ("ssl", "EXTERNAL", {"managesieve_auth_cid": "'webmail'", "managesieve_conn_options": CERTIFICATE}),
        ("tls", "PLAIN", PROXY),
        ("tls", "DIGEST-MD5", PROXY),
    ],
    ids=["plain", "login", "cram-md5", "digest-md5", "external for others", "plain for others", "digest for others"],
)
def test_roundcube_logs_in_by_each_mechanism_that_it_has(
    house: House,
    chromium: Browser,
    logs: dict[str, Path],
    new_name: Callable[[str], str],
    scheme: str,
    mechanism: str,
    more: dict[str, str],
) -> None:
    user = house.user(new_name("clerk"))
    settings = {name: value.format(house.directory) for name, value in more.items()}
    roundcube = house.roundcube(user, scheme, managesieve_auth_type=f"'{mechanism}'", **settings)
    with running(roundcube, logs):
        person = Person(chromium, roundcube)
        person.log_in(user, PASSWORD)
        person.open_filters()

    assert house.site.cli("script", "list", user) == f"{SCRIPT} ACTIVE\n"
    assert f'C: AUTHENTICATE "{mechanism}"' in roundcube.dialogue.read_text()
    assert ("webmail" if more else user) in house.site.cli("script", "history", user)


@pytest.fixture(scope="module")
def shared(house: House, logs: dict[str, Path]) -> Iterator[Roundcube]:
    """Comes to the port that stands for the slot `webmail`."""
    with running(house.roundcube("shared", "tls"), logs) as roundcube:
        yield roundcube


def test_what_is_made_in_roundcube_and_what_is_written_by_hand_both_act_after_each_save(
    house: House, shared: Roundcube, chromium: Browser, new_name: Callable[[str], str]
) -> None:
    user = house.user(new_name("author"))
    house.site.script(user, BY_HAND, "my rules")
    person = Person(chromium, shared)
    person.log_in(user, PASSWORD)

    person.make_rule("Reports", "report", "Work")
    assert _delivered(house.site, user, "the report") == [0, 1, 1]
    person.add_rule("Bills", "bill", "Work")
    assert _delivered(house.site, user, "the report") == [0, 2, 2]
    assert _delivered(house.site, user, "a bill") == [0, 3, 2]

    person.open_filters()
    assert person.sets() == {SCRIPT: True}
    assert house.site.cli("script", "get", user, "my rules") == BY_HAND
    assert house.site.cli("script", "list", user) == f"my rules ACTIVE\n{SCRIPT} ACTIVE\n"


def test_switching_off_the_filters_in_roundcube_leaves_what_is_written_by_hand(
    house: House, shared: Roundcube, chromium: Browser, new_name: Callable[[str], str]
) -> None:
    user = house.user(new_name("author"))
    house.site.script(user, BY_HAND, "my rules")
    person = Person(chromium, shared)
    person.log_in(user, PASSWORD)
    person.make_rule("Reports", "report", "Work")
    person.open_filters()

    person.switch_set(on=False)

    assert person.sets() == {SCRIPT: False}
    assert _delivered(house.site, user, "the report") == [1, 0, 1]
    person.switch_set(on=True)
    assert _delivered(house.site, user, "the report") == [1, 1, 2]


def test_roundcube_does_not_take_a_script_that_another_wrote_for_one_of_its_own(
    house: House, shared: Roundcube, chromium: Browser, new_name: Callable[[str], str]
) -> None:
    user = house.user(new_name("author"))
    house.site.cli("script", "put", user, "draft", "-", stdin=BY_HAND.encode())
    person = Person(chromium, shared)
    person.log_in(user, PASSWORD)

    person.make_rule("Reports", "report", "Work")

    assert house.site.cli("script", "get", user, "draft") == BY_HAND
    assert _delivered(house.site, user, "the report") == [0, 1, 0]


def _delivered(site: Site, user: str, subject: str) -> list[int]:
    """How many are in the INBOX, Work and Copies, when one more has come."""
    assert site.lmtp(message(to=f"{user}@example.org", Subject=subject), f"{user}@example.org")[0][0] == 250
    return [len(site.files(user, folder)) for folder in ("", "Work", "Copies")]
