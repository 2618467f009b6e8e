"""From the blocks of DATA to the stored form."""

import errno
import os

import pytest

from sievemda.delivery.content import Intake
from sievemda.mail.envelope import Peer
from sievemda.mail.result import Result
from tests.delivery.world import PEER, changed, message, sender


@pytest.fixture
def intake(world):
    def make(who=None, peer=PEER, **changes):
        settings = changed(world.settings, **changes)
        return Intake(settings, world.store, who or sender(), peer, "default")

    return make


def take(intake, data: bytes, block: int = 1 << 16):
    for start in range(0, len(data), block):
        intake.feed(data[start : start + block])
    return intake.finish()


def stored(content) -> bytes:
    return bytes(content.message.data[:])


def test_our_fields_come_first_and_in_order(intake):
    content = take(intake(), b"Subject: x\r\n\r\nBody\r\n")
    names = [field.name for field in content.message.fields]
    assert names == ["Return-Path", "Received", "X-Cyrus-Session-Id", "X-Sieve", "Subject", "Message-ID", "Date"]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 16])
def test_no_border_of_blocks_means_anything(intake, block):
    data = b"Subject: x\r\n folded\r\nMessage-ID: <1@x>\r\nDate: d\r\n\r\n\r\nBody\r\n\r\nlast"
    content = take(intake(), data, block)
    assert stored(content).endswith(b"Subject: x\n folded\nMessage-ID: <1@x>\nDate: d\n\n\nBody\n\nlast")
    assert (content.message_id, content.date) == ("<1@x>", "d")


def test_every_carriage_return_goes(intake):
    assert stored(take(intake(), b"Message-ID: <i>\r\nDate: d\r\n\r\nx\ry\n\r\r\nz")).endswith(b"Date: d\n\nxy\n\nz")


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\nonly a body\r\n", b"only a body\n"),
        (b"Subject: x\r\n", b""),
        (b"Subject: x\r\n\r\n", b""),
        (b"From me@x Mon\r\n\r\nBody\r\n", b"Body\n"),
    ],
)
def test_a_message_without_a_part_is_completed(intake, data, body):
    content = take(intake(), data)
    assert content.refusal is None
    assert stored(content)[content.message.header_end :] == body
    assert content.message.values("message-id") == (content.message_id,)
    assert content.message.values("date") == (content.date,)


def test_what_is_there_is_not_added(intake):
    content = take(intake(), message())
    assert content.message.values("message-id") == ("<1@example.net>",)
    assert len(content.message.values("date")) == 1


def test_generated_ids_differ(intake):
    assert take(intake(), b"A: b\r\n\r\n").message_id != take(intake(), b"A: b\r\n\r\n").message_id


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (sender("bob@example.net"), b"Return-Path: <bob@example.net>\n"),
        (sender("bob"), b"Return-Path: <bob@mx.example.org>\n"),
        (sender(""), b"Return-Path: <>\n"),
        (sender('"b b"@x'), b'Return-Path: <"b b"@x>\n'),
        (sender("bäb@x", smtputf8=True), "Return-Path: <bäb@x>\n".encode()),
    ],
)
def test_the_return_path_is_the_envelope_sender(intake, who, expected):
    assert stored(take(intake(who), message(extra="Return-Path: <old@x>\n"))).startswith(expected)


@pytest.mark.parametrize(
    ("who", "peer", "expected"),
    [
        (sender(), PEER, "from client.example.net ([unix socket]) by mx.example.org (sievemda 0.1.0) with LMTPA;"),
        (sender(), Peer("s"), "from unknown ([unix socket]) by mx.example.org (sievemda 0.1.0) with LMTP;"),
        (
            sender(),
            Peer("s", "h", "10.0.0.1", tls=True),
            "from h ([10.0.0.1]) by mx.example.org (sievemda 0.1.0) with LMTPS;",
        ),
        (
            sender(),
            Peer("s", "h", "::1", "mta", tls=True),
            "from h ([::1]) by mx.example.org (sievemda 0.1.0) with LMTPSA;",
        ),
        (
            sender(smtputf8=True),
            Peer("s", "h", "", "x"),
            "from h ([unix socket]) by mx.example.org (sievemda 0.1.0) with UTF8LMTPA;",
        ),
        (
            sender(auth="fred"),
            PEER,
            "from client.example.net ([unix socket]) (authenticated user=fred bits=0) by mx.example.org (sievemda 0.1.0) with LMTPA;",
        ),
        (
            sender(),
            Peer("s", "evil\r\nX: y (z"),
            "from evil__X:_y__z ([unix socket]) by mx.example.org (sievemda 0.1.0) with LMTP;",
        ),
        (
            sender(auth="a)\\(\nb"),
            Peer("s", "h"),
            "from h ([unix socket]) (authenticated user=a____b bits=0) by mx.example.org (sievemda 0.1.0) with LMTP;",
        ),
    ],
)
def test_the_received_field_tells_the_way(intake, who, peer, expected):
    received = take(intake(who, peer), message()).message.values("received")[0]
    assert received.rpartition(" ")[0].startswith(expected.replace("0.1.0", _version()))


def _version():
    from sievemda import __version__

    return __version__


@pytest.mark.parametrize(
    ("told", "expected"), [("on", f" (sievemda {_version()})"), ("min", " (sievemda)"), ("off", "")]
)
def test_the_version_is_told_as_the_site_wants(intake, told, expected):
    received = take(intake(serverinfo=told), message()).message.values("received")[0]
    assert f"by mx.example.org{expected} with" in received


# --- refusals ---


@pytest.mark.parametrize("block", [1, 1 << 16])
@pytest.mark.parametrize("data", [b"A: b\0\r\n\r\n", b"A: b\r\n\r\nx\0", b"A: b\r\n\r\n" + b"x" * 300_000 + b"\0"])
def test_nul_is_refused_wherever_it_stands(intake, world, data, block):
    content = take(intake(), data, block if len(data) < 1000 else 4096)
    assert content.refusal.result is Result.CONTENT_REFUSED
    content.close()
    assert world.staged() == []


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"no header\r\n\r\n", "malformed"),
        (b"Message-ID:\r\n\r\n", "Message-ID"),
        (b"A: " + b"x" * (1 << 20) + b"\r\n\r\n", "long"),
    ],
)
def test_a_bad_header_is_refused_with_its_reason(intake, data, word):
    content = take(intake(), data)
    assert content.refusal.result is Result.CONTENT_REFUSED
    assert word in content.refusal.reason


def test_an_endless_header_is_not_collected_without_bound(intake):
    one = intake()
    for _ in range(100):
        one.feed(b"A: " + b"x" * 65_000 + b"\r\n")
    assert one.finish().refusal.result is Result.CONTENT_REFUSED
    assert one._head is None or len(one._head) < 2 << 20


@pytest.mark.parametrize(("hops", "refused"), [(100, False), (101, True)])
def test_too_many_hops_are_a_loop(intake, hops, refused):
    content = take(intake(), b"Received: x\r\n" * hops + b"\r\n")
    assert (content.refusal is not None and content.refusal.result is Result.LOOP) == refused


# --- large messages ---


def test_a_large_message_goes_to_the_stage_directory_as_it_comes(intake, world):
    one = intake(lmtp_spool_threshold=10_000)
    one.feed(message(body="x" * 20_000))
    assert len(world.staged()) == 1
    content = one.finish()
    assert content.spooled == world.staged()[0]
    assert content.spooled.read_bytes() == stored(content)
    content.close()
    assert world.staged() == []


def test_a_spooled_message_is_the_same_as_one_in_memory(intake):
    data = message(body="".join(f"line {n}\n" for n in range(100_000))).replace(b"\n", b"\r\n")
    small = take(intake(lmtp_spool_threshold=1 << 30), data, 5000)
    large = take(intake(lmtp_spool_threshold=1000), data, 5000)
    assert small.spooled is None
    assert stored(large) == stored(small)
    assert large.size == small.size == len(data)
    large.close()


def test_size_counts_crlf_whatever_came(intake):
    one = intake()
    one.feed(b"A: b\n\nxy\n")
    assert one.size == len(b"A: b\r\n\r\nxy\r\n")


def test_an_aborted_message_leaves_nothing(intake, world):
    one = intake(lmtp_spool_threshold=1000)
    one.feed(message(body="x" * 5000))
    one.abort()
    assert world.staged() == []


def test_abort_before_anything_came_is_fine(intake):
    intake().abort()


@pytest.mark.parametrize(
    ("number", "result"),
    [(errno.ENOSPC, Result.SPOOL_FULL), (errno.EDQUOT, Result.SPOOL_FULL), (errno.EIO, Result.SPOOL_TROUBLE)],
)
def test_a_disk_that_fails_becomes_a_temporary_refusal(intake, world, monkeypatch, number, result):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("sievemda.delivery.content.os.write", fail)
    content = take(intake(lmtp_spool_threshold=1000), message(body="x" * 5000))
    monkeypatch.undo()
    assert content.refusal.result is result
    assert world.staged() == []


def test_a_partition_that_cannot_be_written_is_a_temporary_refusal(intake, world, monkeypatch):
    def fail(*_, **__):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(world.store, "spool_path", fail)
    content = take(intake(lmtp_spool_threshold=1000), message(body="x" * 5000))
    assert content.refusal.result is Result.SPOOL_TROUBLE
