"""The outbox with a real program as `sendmail` and a real SMTP server."""

import email
import email.policy
import fcntl
import json
import os
import stat
import subprocess
import sys
import threading
import time

import pytest
from aiosmtpd.controller import Controller

from sievemda.delivery.outbox import Outbox
from sievemda.delivery.outgoing import DsnOptions, Outgoing
from tests.delivery.world import changed, message
from tests.ports import free_port

SENDMAIL = """#!/bin/sh
for a in "$@"; do printf '%s\\n' "$a"; done > {out}/arguments.$$
cat > {out}/message.$$
echo 'what the program says' >&2
exit {code}
"""


class Program:
    """A `sendmail` that keeps what it gets, and ends as told."""

    def __init__(self, root, code=0):
        self.path, self.out = root / "sendmail", root / "sent"
        self.out.mkdir()
        self.ends(code)

    def ends(self, code):
        self.path.write_text(SENDMAIL.format(out=self.out, code=code))
        self.path.chmod(stat.S_IRWXU)

    @property
    def arguments(self):
        return [p.read_text().split("\n")[:-1] for p in sorted(self.out.glob("arguments.*"))]

    @property
    def messages(self):
        return [p.read_bytes() for p in sorted(self.out.glob("message.*"))]


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


@pytest.fixture
def outbox(world, program):
    return Outbox(changed(world.settings, sendmail=program.path, outbox_retry=300, outbox_expire=3600))


def out(
    to="away@example.net", sender="bob@example.net", kind="redirect", data=b"Subject: x\nMessage-ID: <1@x>\n\nBody\n"
):
    return Outgoing(kind, sender, to, data)


def waiting(outbox):
    return sorted(p.name for p in outbox._new.iterdir())


def test_what_is_put_is_handed_to_the_program_with_its_envelope(outbox, program):
    outbox.put(out())
    assert outbox.run_due(time.time()) == 1
    assert program.arguments == [["-i", "-f", "bob@example.net", "--", "away@example.net"]]
    assert program.messages == [b"Subject: x\nMessage-ID: <1@x>\n\nBody\n"]
    assert waiting(outbox) == []


def test_the_null_sender_is_written_as_such(outbox, program):
    outbox.put(out(sender="", kind="vacation"))
    outbox.run_due(time.time())
    assert program.arguments[0][2] == "<>"


def test_a_recipient_cannot_be_an_option(outbox, program):
    outbox.put(out(to="-oQ/tmp@x"))
    outbox.run_due(time.time())
    assert program.arguments[0][-2:] == ["--", "-oQ/tmp@x"]


def test_nothing_to_do_is_nothing(outbox):
    assert outbox.run_due(time.time()) == 0


def test_it_is_written_durably_and_for_the_owner_alone(outbox, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(stat.S_ISDIR(os.fstat(fd).st_mode)), real(fd)))
    outbox.put(out())
    assert False in synced
    assert synced[-1] is True
    (file,) = outbox._new.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(outbox._tmp.iterdir()) == []


def test_what_cannot_be_taken_leaves_nothing(outbox, monkeypatch):
    outbox.put(out())
    real = os.fsync

    def fail(fd):
        raise OSError(28, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        outbox.put(out())
    monkeypatch.setattr(os, "fsync", real)
    assert len(waiting(outbox)) == 1
    assert list(outbox._tmp.iterdir()) == []


def test_a_temporary_failure_is_tried_again_after_pauses_that_double(outbox, program):
    program.ends(75)
    now = time.time()
    outbox.put(out())
    dues = []
    for _ in range(3):
        assert outbox.run_due(now) == 0
        due, attempts, _ = waiting(outbox)[0].split(".", 2)
        dues.append((int(due) - int(now), int(attempts)))
        assert outbox.run_due(now + 1) == 0  # not yet
        now = int(due)
    assert dues == [(300, 1), (600, 2), (1200, 3)]
    assert len(program.messages) == 3
    program.ends(0)
    assert outbox.run_due(now) == 1


@pytest.mark.parametrize("code", [1, 64, 69, 70, 71, 73, 75, 77, 78, 127])
def test_most_exit_codes_of_the_program_mean_later(outbox, program, code):
    program.ends(code)
    outbox.put(out())
    assert outbox.run_due(time.time()) == 0
    assert len(waiting(outbox)) == 1


def test_a_program_that_is_not_there_means_later_and_ends_the_round(outbox, program):
    program.path.unlink()
    outbox.put(out())
    outbox.put(out())
    assert outbox.run_due(time.time()) == 0
    assert sorted(name.split(".")[1] for name in waiting(outbox)) == ["0", "1"]


def bounced(outbox):
    items = [
        json.loads(p.read_bytes().split(b"\n")[0]) | {"data": p.read_bytes().partition(b"\n")[2]}
        for p in outbox._new.iterdir()
    ]
    return [item for item in items if item["kind"] == "bounce"]


@pytest.mark.parametrize(("code", "status"), [(65, "5.6.0"), (67, "5.1.1"), (68, "5.1.2")])
def test_a_refusal_for_good_is_told_to_the_sender(outbox, program, code, status):
    program.ends(code)
    outbox.put(out())
    assert outbox.run_due(time.time()) == 1
    (item,) = bounced(outbox)
    assert (item["from"], item["to"]) == ("", "bob@example.net")
    report = email.message_from_bytes(item["data"], policy=email.policy.default)
    assert report.get_param("report-type") == "delivery-status"
    text, machine, original = report.iter_parts()
    assert "what the program says" in text.get_content()
    assert machine.get_content_type() == "message/delivery-status"
    blocks = machine.get_payload()
    assert blocks[0]["Reporting-MTA"] == "dns; mx.example.org"
    assert blocks[1]["Status"] == status
    assert blocks[1]["Final-Recipient"] == "rfc822; away@example.net"
    assert blocks[1]["Action"] == "failed"
    assert "Message-ID: <1@x>" in original.get_payload()
    assert report.defects == []


def test_who_wants_to_hear_of_no_failure_does_not(outbox, program):
    program.ends(67)
    outbox.put(Outgoing("redirect", "a@b", "c@d", b"A: b\n\n", dsn=DsnOptions(failure=False)))
    assert outbox.run_due(time.time()) == 1
    assert waiting(outbox) == []


@pytest.mark.parametrize(("size", "whole"), [(1000, True), (2_000_000, False)])
def test_the_whole_message_comes_back_when_it_was_asked_for_and_is_not_too_large(outbox, program, size, whole):
    program.ends(67)
    options = DsnOptions(full=True, envid="E1", orcpt="rfc822;info@x")
    outbox.put(Outgoing("redirect", "a@b", "c@d", b"A: b\n\n", b"x" * size, dsn=options))
    outbox.run_due(time.time())
    data = bounced(outbox)[0]["data"]
    assert (b"x" * size in data) == whole
    assert (b"Content-Type: message/rfc822" in data) == whole
    assert b"Original-Envelope-Id: E1\n" in data
    assert b"Original-Recipient: rfc822;info@x\n" in data


def test_old_age_is_told_to_the_sender(outbox, program):
    program.ends(75)
    outbox.put(out())
    assert outbox.run_due(time.time() + 3601) == 1
    assert b"Status: 5.4.7" in bounced(outbox)[0]["data"]


@pytest.mark.parametrize("kind", ["redirect", "vacation", "reject", "bounce"])
def test_nobody_is_told_about_what_nobody_sent(outbox, program, kind):
    program.ends(67)
    outbox.put(out(sender="", kind=kind))
    assert outbox.run_due(time.time()) == 1
    assert waiting(outbox) == []


def test_a_bounce_that_fails_ends_there(outbox, program):
    program.ends(67)
    outbox.put(out())
    for _ in range(3):
        outbox.run_due(time.time())
    assert waiting(outbox) == []
    assert len(program.messages) == 2


def test_a_large_message_goes_out_whole(outbox, program):
    body = b"".join(b"line %d\n" % n for n in range(200_000))
    outbox.put(Outgoing("redirect", "a@b", "c@d", b"Subject: x\n\n", b"xx" + body, 2, b"end\n"))
    outbox.run_due(time.time())
    assert program.messages == [b"Subject: x\n\n" + body + b"end\n"]


# --- crashes and others ---


def test_what_cannot_be_read_is_put_aside(outbox, program):
    outbox.put(out())
    (outbox._new / "0000000001.0.bad").write_bytes(b"no envelope")
    (outbox._new / "rubbish").write_bytes(b"")
    assert outbox.run_due(time.time()) == 1
    assert [p.name for p in (outbox._root / "bad").iterdir()] == ["0000000001.0.bad"]


def test_a_message_in_the_hands_of_another_process_is_left_alone(outbox, program):
    outbox.put(out())
    with next(outbox._new.iterdir()).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert outbox.run_due(time.time()) == 0
        assert program.messages == []
    assert outbox.run_due(time.time()) == 1


def test_two_processes_hand_each_message_on_once(outbox, program, world):
    for number in range(20):
        outbox.put(out(to=f"{number}@x"))
    code = f"""
import time
from pathlib import Path
from dataclasses import replace
from sievemda.config import Settings, Outbox as Options
from sievemda.delivery.outbox import Outbox
outbox = Outbox(Settings(data=Path({str(world.settings.data)!r}), outbox=Options(sendmail=Path({str(program.path)!r}))))
outbox.run_due(time.time())
"""
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    thread = threading.Thread(target=lambda: outbox.run_due(time.time()))
    thread.start()
    thread.join()
    assert [other.wait(30) for other in others] == [0, 0]
    assert sorted(a[-1] for a in program.arguments) == sorted(f"{n}@x" for n in range(20))
    assert waiting(outbox) == []


def test_leftovers_of_a_crash_are_removed_when_they_are_old(outbox):
    outbox.put(out())
    old, young = outbox._tmp / "old", outbox._tmp / "young"
    old.write_text("half")
    young.write_text("half")
    os.utime(old, (1, 1))
    outbox.run_due(time.time())
    assert list(outbox._tmp.iterdir()) == [young]


# --- SMTP ---


class Host:
    """A real SMTP server that keeps what it gets and answers as told."""

    def __init__(self):
        self.got, self.answer = [], "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if not self.answer.startswith("250"):
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, envelope.mail_options))
        return "250 taken"


@pytest.fixture
def host():
    host = Host()
    host.port = free_port()
    controller = Controller(host, hostname="127.0.0.1", port=host.port, enable_SMTPUTF8=True)
    controller.start()
    yield host
    controller.stop()


@pytest.fixture
def smtp(world, host):
    return Outbox(changed(world.settings, smtp_backend="host", smtp_host=f"127.0.0.1:{host.port}", outbox_retry=300))


def test_a_host_gets_the_envelope_and_crlf(smtp, host):
    smtp.put(out(data=b"Subject: x\n\n.dot\n..two\nlast"))
    assert smtp.run_due(time.time()) == 1
    ((sender, recipients, data, options),) = host.got
    assert (sender, recipients) == ("bob@example.net", ["away@example.net"])
    assert data == b"Subject: x\r\n\r\n.dot\r\n..two\r\nlast\r\n"
    assert "BODY=8BITMIME" in options


def test_a_host_gets_no_address_without_a_domain(smtp, host):
    smtp.put(out(sender="root", to="bob"))
    smtp.run_due(time.time())
    assert host.got[0][:2] == ("root@mx.example.org", ["bob@mx.example.org"])


def test_a_host_gets_the_null_sender(smtp, host):
    smtp.put(out(sender="", kind="vacation"))
    smtp.run_due(time.time())
    assert host.got[0][0] in ("", "<>", None)


def test_a_host_gets_a_large_message_whole(smtp, host):
    data = b"Subject: x\n\n" + b"".join(b".line %d\n" % n for n in range(100_000))
    smtp.put(out(data=data))
    smtp.run_due(time.time())
    assert host.got[0][2] == data.replace(b"\n", b"\r\n")


def test_addresses_beyond_ascii_need_and_get_smtputf8(smtp, host):
    smtp.put(out(to="jürgen@example.net"))
    assert smtp.run_due(time.time()) == 1
    assert host.got[0][1] == ["jürgen@example.net"]
    assert "SMTPUTF8" in host.got[0][3]


@pytest.mark.parametrize(
    ("answer", "left", "bounces"), [("450 4.2.0 later", 0, 0), ("550 5.1.1 nobody", 1, 1), ("552 big", 1, 1)]
)
def test_a_host_may_refuse_for_now_or_for_good(smtp, host, answer, left, bounces):
    host.answer = answer
    smtp.put(out())
    assert smtp.run_due(time.time()) == left
    assert len(bounced(smtp)) == bounces
    assert len(waiting(smtp)) == 1


def test_a_host_that_is_not_there_means_later(world):
    outbox = Outbox(changed(world.settings, smtp_backend="host", smtp_host="127.0.0.1:1"))
    outbox.put(out())
    assert outbox.run_due(time.time()) == 0
    assert len(waiting(outbox)) == 1


def test_what_a_delivery_redirects_arrives(world, program):
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message())
    Outbox(changed(world.settings, sendmail=program.path)).run_due(time.time())
    assert program.arguments == [["-i", "-f", "bob@example.net", "--", "away@example.net"]]
    assert program.messages[0].startswith(b"X-Sieve-Action: redirect\n")
