"""A probe goes through real mail servers: Postfix on its way in, Dovecot where it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.dovecot import PASSWORD, Dovecot
from tests.interop.postfix import Postfix
from tests.interop.processes import free_port
from tests.interop.site import Site


@pytest.fixture(scope="module")
def password(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("probe") / "password"
    file.write_text(f"{PASSWORD}\n")
    return str(file)


@pytest.fixture(scope="module")
def strict_dovecot(directory: Path, site: Site) -> Iterator[tuple[Dovecot, int]]:
    """It lets nobody in without TLS; and the port where TLS is from the beginning."""
    dovecot, imaps = Dovecot(directory / "dovecot-strict", site.data), free_port()
    certificate, key = make_certificate(dovecot.directory)
    config = dovecot.directory / "dovecot.conf"
    text = config.read_text().replace("ssl = no\n", f"ssl = required\nssl_cert = <{certificate}\nssl_key = <{key}\n")
    text = text.replace("port = 0\n", f"port = {imaps}\n    ssl = yes\n")
    config.write_text(text.replace("disable_plaintext_auth = no\n", ""))
    dovecot.start()
    yield dovecot, imaps
    dovecot.stop()


def hops(output: str) -> list[str]:
    return [hop["hop"] for hop in json.loads(output)["hops"]]


def test_a_probe_goes_the_whole_way_and_leaves_nothing(
    site: Site, local_postfix: Postfix, dovecot: Dovecot, person: str, password: str
) -> None:
    places = ("--smtp", f"127.0.0.1:{local_postfix.port}", "--imap", f"127.0.0.1:{dovecot.port}")
    sieve = ("--managesieve", f"127.0.0.1:{site.managesieve_port}")
    output = site.cli("probe", f"{person}@example.org", *places, *sieve, "--password-file", password, "--json")
    assert hops(output) == ["managesieve", "smtp", "maildir", "imap"]
    with dovecot.login(person) as imap:
        assert imap.choose() == 0


def test_a_password_goes_through_tls_where_the_server_can(
    site: Site, strict_dovecot: tuple[Dovecot, int], person: str, password: str
) -> None:
    dovecot, imaps = strict_dovecot
    common = ("--imap-user", person, "--password-file", password, "--json")
    assert "imap" in hops(site.cli("probe", person, "--imap", f"127.0.0.1:{dovecot.port}", *common))
    assert "imap" in hops(site.cli("probe", person, "--imap", f"localhost:{imaps}", "--imaps", *common))
    assert all(", TLS" in line for line in (dovecot.directory / "info").read_text().splitlines() if "Login: " in line)


def test_what_is_filed_into_a_shared_folder_is_found_there_and_removed(site: Site, person: str) -> None:
    board = f"board-{person}"
    site.make(board)
    site.grant(board, person, "lrsip")
    site.sieve(person, f'require "fileinto"; fileinto "Shared Folders/{board}";')
    assert json.loads(site.cli("probe", person, "--json"))["hops"][-1]["said"] == board
    assert not any((site.folder(None, board) / "new").iterdir())
