"""Clients that others wrote: what they are told of the changes of others, the history, and one active script for each."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import managesieve
import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import need
from tests.interop.site import Site, message

A, B, C = (f'require ["fileinto", "copy", "mailbox"];\nfileinto :create :copy "{name}";\n' for name in "ABC")


@pytest.fixture(scope="module")
def site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    """The port is that of a web mail, whose script is called `managesieve`."""
    directory = make_directory()
    certificate, key = make_certificate(directory)
    site = Site(directory / "site", {"tls_server_cert": str(certificate), "tls_server_key": str(key)})
    site.settings["sieve_active_slots"] = "own=* webmail=managesieve sogo"
    site.settings["managesieve_slots"] = f"{site.managesieve_port}=webmail"
    logs["sievemda"] = site.log
    site.start()
    yield site
    site.stop()


@pytest.fixture
def owner(site: Site, new_name: Callable[[str], str]) -> str:
    return site.user(new_name("owner"), password="secret")


@pytest.fixture
def connect(site: Site, owner: str) -> Iterator[Callable[[], managesieve.MANAGESIEVE]]:
    clients = []

    def connect() -> managesieve.MANAGESIEVE:
        clients.append(managesieve.MANAGESIEVE("localhost", site.managesieve_port))
        assert clients[-1].login("", owner, "secret") == "OK"
        return clients[-1]

    yield connect
    for client in clients:
        client.logout()


def test_who_overwrites_the_change_of_another_is_told_of_it_and_can_read_it(
    site: Site, owner: str, connect: Callable[[], managesieve.MANAGESIEVE]
) -> None:
    first, second = connect(), connect()
    first.putscript("managesieve", A)
    assert first.getscript("managesieve") == ("OK", A)
    assert second.putscript("managesieve", B) == "OK"

    assert first.putscript("managesieve", C) == "OK"

    assert f"has been replaced since you read it, by {owner} from" in first.response_text
    assert first.getscript("/history/2") == ("OK", B)
    assert first.getscript("managesieve") == ("OK", C)


def test_the_history_is_a_script_that_clients_can_read_and_do_not_see(
    connect: Callable[[], managesieve.MANAGESIEVE],
) -> None:
    client = connect()
    client.putscript("managesieve", A)
    assert client.listscripts() == ("OK", [("managesieve", False)])

    status, text = client.getscript("/history")

    assert status == "OK"
    assert '"managesieve" stored' in text
    assert client.putscript("/history", A) == "NO"
    assert client.setactive("/history") == "NO"
    assert client.deletescript("/history") == "NO"


def test_sieve_connect_downloads_the_history(site: Site, owner: str, tmp_path: Path) -> None:
    need("sieve-connect")
    site.cli("script", "put", owner, "main", stdin=A.encode())
    authority = site.directory.parent / "cert.pem"
    server = ["--server", "localhost", "--port", str(site.managesieve_port), "--nosrv", "--4", "--user", owner]
    command = [
        "sieve-connect",
        *server,
        "--tlscafile",
        str(authority),
        "--passwordfd",
        "0",
        "--remotesieve",
        "/history",
    ]
    subprocess.run(
        [*command, "--localsieve", "h.sieve", "--download"],
        input="secret", text=True, cwd=tmp_path, check=True, capture_output=True, timeout=60, env=os.environ,
    )  # fmt: skip
    assert '"main" stored' in (tmp_path / "h.sieve").read_text()


def test_each_client_has_its_active_script_and_all_of_them_run(
    site: Site, owner: str, connect: Callable[[], managesieve.MANAGESIEVE]
) -> None:
    for name, text in (("mine", A), ("sogo", B)):
        site.cli("script", "put", owner, name, stdin=text.encode())
        site.cli("script", "activate", owner, name)
    webmail = connect()
    assert webmail.listscripts() == ("OK", [])
    webmail.putscript("managesieve", C)
    assert webmail.setactive("managesieve") == "OK"
    assert webmail.listscripts() == ("OK", [("managesieve", True)])
    content = message(to=f"{owner}@example.org")
    site.lmtp(content, f"{owner}@example.org")
    assert [len(site.files(owner, folder)) for folder in ("", "A", "B", "C")] == [1, 1, 1, 1]

    assert webmail.setactive("") == "OK"

    active = [each["name"] for each in json.loads(site.cli("script", "list", owner, "--json")) if each["active"]]
    assert active == ["mine", "sogo"]
