"""A message sent the whole way: what it tells when all is well, and of each door that is shut."""

import json
import smtplib
import socket
import threading

import pytest

from tests.ports import free_port
from tests.serve.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """With alice, who keeps all, and bob, whose script discards all."""
    made = Service(tmp_path_factory.mktemp("probe"), "--workers", "1", "--managesieve", f"inet:127.0.0.1:{free_port()}")
    for name in ("user/alice", "user/alice/Lists", "user/bob"):
        made.cli("mailbox", "create", name)
    made.cli("acl", "set", "user/alice/Lists", "anyone", "p")
    made.cli("quota", "set", "user/alice", "STORAGE", "1000")
    made.cli("script", "put", "bob", "all", "-", stdin="discard;\n")
    made.cli("script", "activate", "bob", "all")
    made.start()
    yield made
    made.close()


def messages(service, user="alice"):
    maildir = service.data / "mail" / "user" / user / "Maildir"
    return [file for file in maildir.rglob("*") if file.parent.name in {"new", "cur"}]


def test_the_message_comes_through_and_is_gone_again(service):
    sieve = service.arguments[-1].removeprefix("inet:")
    told = json.loads(service.cli("probe", "alice+Lists", "--managesieve", sieve, "--json"))
    assert (told["state"], told["failed"]) == ("ok", None)
    assert [hop["hop"] for hop in told["hops"]] == ["managesieve", "lmtp", "maildir"]
    assert told["hops"][2]["said"] == "user/alice/Lists"
    assert messages(service) == []
    assert json.loads(service.cli("quota", "list", "--json"))["user/alice"]["STORAGE"]["used"] == 0


def test_it_stays_when_it_is_to_be_kept(service):
    service.cli("probe", "alice", "--keep", "--size", "100000")
    (kept,) = messages(service)
    assert 90_000 < kept.stat().st_size < 110_000
    kept.unlink()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody"], 67, "550 5.1.1"),
        (["bob", "--timeout", "0.2"], 75, "is in no folder of bob"),
        (["alice", "--critical", "0"], 75, "too slow"),
        (["alice", "--warning", "0"], 0, "slow"),
        (["alice", "--lmtp", "unix:/nowhere/lmtp"], 69, "no LMTP server at /nowhere/lmtp"),
        (["alice", "--managesieve", "127.0.0.1:1"], 69, "no ManageSieve server"),
        (["alice", "--smtp", "127.0.0.1:1"], 69, "no SMTP server"),
        (["alice", "--nagios"], 0, "PROBE OK - "),
        (["alice", "--nagios", "--warning", "0"], 1, "PROBE WARNING - "),
        (["nobody", "--nagios"], 2, "PROBE CRITICAL - lmtp: nobody was refused"),
        (["a b", "--nagios"], 2, "PROBE CRITICAL"),
    ],
)
def test_exit_codes_tell_what_is_wrong(service, arguments, code, said):
    assert said in service.cli("probe", *arguments, code=code)
    assert messages(service) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["a b"],
        ["alice", "--imap", "127.0.0.1:1"],
        ["alice", "--smtp", "x"],
        ["alice", "--lmtp", "here"],
        ["alice", "--smtp", "h:0"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(service, arguments):
    assert service.cli("probe", *arguments, code=64) == ""


def test_through_a_mail_server(service):
    """It hands the message on after a moment, as an MTA does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def relay():
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as file:
            content = served(file)
        with smtplib.LMTP(str(service.socket)) as client:
            client.sendmail("", ["alice"], content)

    thread = threading.Thread(target=relay)
    thread.start()
    port = listener.getsockname()[1]
    told = json.loads(service.cli("probe", "alice", "--smtp", f"127.0.0.1:{port}", "--json"))
    thread.join()
    listener.close()
    assert [hop["hop"] for hop in told["hops"]] == ["smtp", "maildir"]
    assert messages(service) == []


def served(file):
    """The message of one SMTP session."""

    def say(text):
        file.write(text + b"\r\n")
        file.flush()

    say(b"220 here")
    content = b""
    while line := file.readline():
        if line.upper().startswith(b"DATA"):
            say(b"354 go")
            while (line := file.readline()) != b".\r\n":
                content += line
        say(b"250 ok" if not line.upper().startswith(b"QUIT") else b"221 bye")
    return content
