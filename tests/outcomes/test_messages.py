"""What becomes of a message on its way into a mailbox, and which messages are the same: octets in, octets and files out.

One user gets all of them; what is new in his INBOX afterwards is what the message became.
"""

import re
import stat

import pytest

from tests.outcomes.site import Client, message

FIELDS = b"From: a@b\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
BODY = b"\r\nx\r\n.\r\n"
REFUSED = "554 5.6.0"


@pytest.fixture(scope="module")
def box(site):
    """Sends octets to a user in one transaction: the replies, and the files that are new in his INBOX."""
    site.user("box")
    new = site.folder("user/box") / "new"

    def send(wire, *parameters, recipients=("box",)):
        before = set(new.iterdir())
        with Client(site.socket) as c:
            c.hello()
            c.say(" ".join(("MAIL FROM:<bob@example.net>", *parameters)))
            for recipient in recipients:
                c.say(f"RCPT TO:<{recipient}>")
            c.say("DATA")
            c.send(wire)
            replies = [c.reply() for _ in recipients]
            assert c.say("NOOP").startswith("250")
        return replies, sorted(set(new.iterdir()) - before)

    return send


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"Subject: \0\r\n" + FIELDS + BODY, id="NUL in the header"),
        pytest.param(FIELDS + b"\r\nx\0\r\n.\r\n", id="NUL in the body"),
        pytest.param(FIELDS + b"\r\n" + b"y" * 600_000 + b"\0\r\n.\r\n", id="NUL behind what was spooled"),
        pytest.param(b"Message-ID:\r\n" + FIELDS + BODY, id="empty Message-ID"),
        pytest.param(b"message-id : \t\r\n  \r\n" + FIELDS + BODY, id="Message-ID of blanks, folded"),
        pytest.param(b"Message-ID:\r\nMessage-ID: <2@x>\r\n" + FIELDS + BODY, id="the first of two is empty"),
        pytest.param(b"no colon\r\n" + FIELDS + BODY, id="no colon at the top"),
        pytest.param(FIELDS + b"no colon\r\n" + BODY, id="no colon at the end"),
        pytest.param(b": x\r\n" + FIELDS + BODY, id="no name"),
        pytest.param(b"Sub ject: x\r\n" + FIELDS + BODY, id="a blank in the name"),
        pytest.param(b" x\r\n" + FIELDS + BODY, id="begins folded"),
        pytest.param(b">From x\r\n" + FIELDS + BODY, id="a quoted line of mbox"),
        pytest.param(FIELDS + b"From x@y Mon\r\n" + BODY, id="a line of mbox further down"),
        pytest.param(b"X: " + b"y" * 1_200_000 + b"\r\n" + FIELDS + BODY, id="a header of 1.2 MB"),
    ],
)
def test_a_message_that_is_none_is_refused_for_every_recipient(box, wire):
    replies, files = box(wire, recipients=("box", "box+x"))
    assert [reply[:9] for reply in replies] == [REFUSED, REFUSED]
    assert files == []


@pytest.mark.parametrize(
    ("wire", "header", "body"),
    [
        pytest.param(FIELDS + b"\r\na\rb\r\r\nc\nd\r\n.\r\n", b"", b"ab\nc\nd\n", id="bare CR goes, bare LF ends a line"),
        pytest.param(FIELDS + b"\r\n..\r\n...\r\n..a\r\n.b\r\n.\r\n", b"", b".\n..\n.a\nb\n", id="dots"),
        pytest.param(FIELDS + b"\r\na\n.\nb\n.\r\nc\r\n.\r\n", b"", b"a\n.\nb\n.\nc\n", id="LF.CRLF ends nothing"),
        pytest.param(b"Subject: a\nX-Y: b\r\n" + FIELDS + BODY, b"Subject: a\nX-Y: b\n", b"x\n", id="LF in the header"),
        pytest.param(b"Subject: \xe4\r\nX-\xe4: y\r\n" + FIELDS + b"\r\n\xe4\r\n.\r\n", b"Subject: X\nX-X: y\n", b"\xe4\n", id="8 bits"),
        pytest.param(b"Subject : x\r\n" + FIELDS + BODY, b"Subject : x\n", b"x\n", id="a blank before the colon"),
        pytest.param(b"Subject:\r\n \r\n" + FIELDS + BODY, b"Subject:\n \n", b"x\n", id="a field of nothing"),
        pytest.param(b"From x@y Mon Jan  1\r\n" + FIELDS + BODY, b"From: a@b\n", b"x\n", id="a line of mbox goes"),
        pytest.param(b".\r\n", b"Message-ID: ", b"", id="nothing at all"),
        pytest.param(b"\r\n.\r\n", b"Message-ID: ", b"", id="an empty line"),
        pytest.param(b"Subject: x\r\n.\r\n", b"Subject: x\nMessage-ID: ", b"", id="a header only"),
        pytest.param(FIELDS + b"\r\n" + b"y" * 300_000 + b"\r\n.\r\n", b"", b"y" * 300_000 + b"\n", id="one long line"),
        pytest.param(FIELDS + b"\r\nReturn-Path: x\r\n.\r\n", b"", b"Return-Path: x\n", id="a field in the body"),
    ],
)  # fmt: skip
def test_a_message_is_stored_in_one_form_and_its_file_says_how_large_it_is(box, wire, header, body):
    (reply,), (file,) = box(wire)
    assert reply.startswith("250 2.1.5")
    stored = file.read_bytes()
    stored_header, _, stored_body = stored.partition(b"\n\n")
    assert header in stored_header + b"\n"
    assert stored_body == body
    assert b"\r" not in stored
    assert re.search(r",S=(\d+),W=(\d+)$", file.name).groups() == (
        str(len(stored)),
        str(len(stored) + stored.count(b"\n")),
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_trace_fields_stand_in_order_and_no_other_return_path(box):
    old = b"Return-Path: <x@y>\r\nRETURN-path : <z>\r\n folded\r\nX-Sieve: forged\r\nReceived: from a by b; x\r\n"
    _, (file,) = box(old + FIELDS + BODY, "AUTH=alice+2Bx", "BODY=8BITMIME")
    header = file.read_text().partition("\n\n")[0]
    names = [line.partition(":")[0] for line in header.split("\n") if not line[0].isspace()]
    ours = ["Return-Path", "Received", "X-Cyrus-Session-Id", "X-Sieve"]
    assert names == [*ours, "X-Sieve", "Received", "From", "Date", "Message-ID"]
    assert "(authenticated user=alice+x bits=0)" in header


@pytest.mark.parametrize(
    ("first", "second", "copies"),
    [
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {id}\r\nDate: d\r\n", 1),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID:\r\n {id}\r\nDate: d\r\n", 1),
        ("Message-ID: {id}\r\nDate: d\r\n", "message-id:{id}\r\nDate:d\r\n", 1),
        ("Message-ID: {id}\r\nDate: d\r\n", "Resent-Message-ID: <r@x>\r\nMessage-ID: {id}\r\nDate: d\r\n", 1),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {id}\r\nDate: d\r\nDate: e\r\n", 1),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {id}\r\nMessage-ID: <other@x>\r\nDate: d\r\n", 1),
        ("Message-ID: {id}\r\nDate:\r\n", "Message-ID: {id}\r\nDate:\r\n", 1),
        ("Message-ID: no brackets {id}\r\nDate: d\r\n", "Message-ID: no brackets {id}\r\nDate: d\r\n", 1),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {id}\r\nDate: e\r\n", 2),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {id}\r\n", 2),
        ("Message-ID: {id}\r\nDate: a  b\r\n", "Message-ID: {id}\r\nDate: a b\r\n", 2),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {id} (c)\r\nDate: d\r\n", 2),
        ("Message-ID: {id}\r\nDate: d\r\n", "Message-ID: {up}\r\nDate: d\r\n", 2),
        ("Date: d\r\n", "Date: d\r\n", 2),
    ],
)
def test_what_makes_two_messages_the_same(box, fresh, first, second, copies):
    number = 0
    for header in (first, second):
        (reply,), files = box((header.format(id=fresh, up=fresh.upper()) + "Subject: x\r\n").encode() + BODY)
        assert reply.startswith("250 2.1.5")
        number += len(files)
    assert number == copies


def test_several_addresses_of_one_inbox_get_one_copy_and_why_tells_of_each(site, box):
    replies, files = box(message("<four@x>") + b".\r\n", recipients=("box", "BOX@y", "box+nope", "box+inbox"))
    assert [reply[:9] for reply in replies] == ["250 2.1.5"] * 4
    assert len(files) == 1
    assert len(site.cli("why", "--json", "<four@x>").splitlines()) == 4


def test_the_identity_of_one_transaction_is_not_that_of_the_next(site, name):
    site.user(name, "P", open_to_all=False)
    site.cli("acl", "set", f"user/{name}/P", "fred", "p")
    with Client(site.socket) as c:
        c.hello()
        for number, parameters in enumerate(("AUTH=fred", "")):
            c.transaction([f"{name}+P"], message(f"<identity{number}@x>"), parameters=parameters)
    assert [len(site.files(f"user/{name}{folder}")) for folder in ("/P", "")] == [1, 1]


def test_a_refused_message_can_be_asked_for(site, box):
    box(b"Message-ID: <refused@x>\r\n" + FIELDS + b"\r\n\0\r\n.\r\n")
    assert "NUL" in site.cli("why", "<refused@x>")
