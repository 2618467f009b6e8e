"""Real mail through the real service: what the parts promise each other, kept together."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from tests.serve.service import Service

SCRIPT = 'require ["copy", "fileinto"];\nredirect :copy "far@away.example";\nfileinto "Lists";\n'


def memory(pid):
    """Resident memory of a process now and at its worst, MiB."""
    found = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(found[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def left_over(service):
    return list((service.data / "mail" / "stage.").iterdir())


@pytest.fixture
def single(tmp_path):
    """One worker, so that it is known whose memory to look at."""
    made = Service(tmp_path, "--workers", "1")
    made.cli("mailbox", "create", "user/alice")
    yield made
    made.close()


def test_a_message_of_60_megabytes_is_delivered_in_flat_memory(single):
    single.start()
    line = b"x" * 76 + b"\r\n"
    block = line * 10_000
    count = 60 * 1024 * 1024 // len(block)
    with single.client() as client:
        worker = single.worker_of(client)
        before = memory(worker)[0]
        for command in ("MAIL FROM:<a@x>", "RCPT TO:<alice>", "RCPT TO:<alice>", "DATA"):
            client.do(command)
        client.send("Subject: large\r\n\r\n")
        for _ in range(count):
            client.send(block)
        client.send(".\r\n")
        assert [reply[:9] for reply in client.replies(2)] == ["250 2.1.5"] * 2
    [stored] = single.inbox()
    assert stored.stat().st_size > count * (len(block) - 10_000)
    assert memory(worker)[1] - before < 32
    assert not left_over(single)


def test_a_client_that_leaves_in_a_large_message_leaves_nothing(service):
    service.start()
    with service.client() as client:
        for command in ("MAIL FROM:<a@x>", "RCPT TO:<alice>", "DATA"):
            client.do(command)
        client.send("Subject: large\r\n\r\n" + "x" * 3_000_000)
        service.wait(lambda: left_over(service))
    service.wait(lambda: not left_over(service))
    assert not service.inbox()


def test_two_thousand_recipients_and_one_message(service):
    for name in ("bob", "carol"):
        service.cli("mailbox", "create", f"user/{name}")
    service.start()
    names = [("alice", "bob", "carol")[n % 3] for n in range(2000)]
    with service.client() as client:
        commands = "".join(f"RCPT TO:<{name}@x>\r\n" for name in names)
        client.send(f"MAIL FROM:<a@x>\r\n{commands}DATA\r\n")
        replies = client.replies(2002)
        accepted = sum(reply.startswith("250") for reply in replies[1:-1])
        assert accepted == 1000
        client.send("Subject: all\r\n\r\n.\r\n")
        assert all(reply.startswith("250 2.1.5") for reply in client.replies(accepted))
    files = [service.inbox(name) for name in ("alice", "bob", "carol")]
    assert [len(found) for found in files] == [1, 1, 1]
    assert len({found.stat().st_ino for [found] in files}) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "250"),
        ("\r\n", "250"),
        ("no header, no colon\r\n", "554 5.6.0"),
        ("A: b\r\n\r\nnul \0\r\n", "554 5.6.0"),
        ("A: b\r\n\r\nbare\nLF\rCR\r\n", "250"),
        ("A: \xe4\r\n\r\nbody\r\n", "250"),
        ("Message-ID:\r\n\r\nbody\r\n", "554 5.6.0"),
        ("A: " + "x" * 100_000 + "\r\n\r\nbody\r\n", "250"),
        ("A: b\r\n" * 300_000 + "\r\n", "554 5.6.0"),
    ],
    ids=["empty", "no header", "no colon", "NUL", "bare", "8-bit", "empty id", "long line", "endless header"],
)
def test_every_message_gets_an_answer_for_each_recipient(whole, text, code):
    with whole.client() as client:
        replies = client.message(text.encode("latin-1") + b".\r\n", ["alice", "bob"])
        assert [reply[: len(code)] for reply in replies] == [code] * 2
        assert client.do("NOOP").startswith("250")
    assert "Traceback" not in whole.log.read_text()
    assert not left_over(whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    made = Service(tmp_path_factory.mktemp("whole"))
    for name in ("alice", "bob"):
        made.cli("mailbox", "create", f"user/{name}")
    made.start()
    yield made
    made.close()


def test_what_goes_out_is_sent_by_the_housekeeper(tmp_path):
    program, sent = tmp_path / "sendmail", tmp_path / "sent"
    program.write_text(f'#!/bin/sh\n(echo "$@"; cat) > {sent}.tmp && mv {sent}.tmp {sent}\n')
    program.chmod(0o755)
    service = Service(tmp_path, "--workers", "1", sets=(f"sendmail={program}",))
    try:
        service.cli("mailbox", "create", "user/alice")
        service.cli("mailbox", "create", "user/alice/Lists")
        service.cli("script", "put", "alice", "main", "-", stdin=SCRIPT)
        service.cli("script", "activate", "alice", "main")
        service.start()
        assert service.send("Subject: on\r\nMessage-ID: <on@x>\r\n\r\nbody\r\n")[0].startswith("250")
        service.wait(sent.exists)
        arguments, _, message = sent.read_text().partition("\n")
        assert arguments.split()[-1] == "far@away.example"
        assert "Subject: on" in message
        assert len(list((service.data / "mail/user/alice/Maildir/.Lists/new").iterdir())) == 1
        assert service.stop() == 0
    finally:
        service.close()


def test_what_a_crash_left_in_staging_is_cleared_away_when_it_is_old(service):
    service.start()
    service.send()
    service.stop()
    old = service.data / "mail" / "stage." / "old"
    young = old.with_name("young")
    for path in (old, young):
        path.write_text("half a message")
    os.utime(old, (0, 0))
    service.start()
    service.wait(lambda: not old.exists())
    assert young.exists()


def test_why_explains_what_the_server_did(service):
    service.start()
    service.send("Subject: x\r\nMessage-ID: <explained@x>\r\n\r\nbody\r\n")
    assert str(service.inbox()[0]) in service.cli("why", "<explained@x>")
    assert json.loads(service.cli("why", "--json", "explained@x"))


def test_a_housekeeper_that_is_killed_is_replaced(service):
    service.start()
    children = service.children()
    workers = set()
    clients = [service.client() for _ in range(20)]
    for client in clients:
        workers.add(service.worker_of(client))
        client.close()
    [housekeeper] = children - workers
    os.kill(housekeeper, signal.SIGKILL)
    service.wait(lambda: housekeeper not in service.children() and len(service.children()) == 3)


def test_messages_and_folders_have_the_modes_of_the_settings(service):
    service.start()
    service.send()
    [stored] = service.inbox()
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert stat.S_IMODE(service.socket.stat().st_mode) == 0o666
