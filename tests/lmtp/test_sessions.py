"""Sessions with timing, size or ill will in them; plain exchanges are in tests/dialogues/lmtp."""

import errno
import select
import socket
import struct
import time

import pytest

from tests.clock import Ahead
from tests.lmtp.running import PATIENCE, running

END = "\r\n.\r\n"


def wait_for(condition, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def open_data(client, *recipients):
    client.do("MAIL FROM:<a@x>")
    for recipient in recipients or ("a@x",):
        assert client.do(f"RCPT TO:<{recipient}>").startswith("250")
    assert client.do("DATA").startswith("354")


def test_what_a_delivery_learns(server, client, sink):
    client.do("LHLO mta.example")
    client.do("MAIL FROM:<s@x> SIZE=3 BODY=8BITMIME AUTH=fred RET=HDRS ENVID=e")
    client.do("RCPT TO:<a@x> NOTIFY=NEVER ORCPT=rfc822;o@x")
    client.do("RCPT TO:<b@x> IGNOREQUOTA")
    client.do("DATA")
    client.send("Subject: x\r\n\r\n..x\r\n.\r\n")
    assert [reply[:9] for reply in client.replies(2)] == ["250 2.1.5"] * 2
    [(sender, peer, names, data)] = sink.deliveries
    assert (str(sender.reverse_path), sender.size, sender.body, sender.auth) == ("s@x", 3, "8BITMIME", "fred")
    assert (sender.ret, sender.envid) == ("HDRS", "e")
    assert (peer.helo, peer.address, peer.authenticated, peer.tls) == ("mta.example", "", "postman", False)
    assert peer.session in client.do("LHLO again")
    assert (names, data) == (["a", "b"], b"Subject: x\r\n\r\n.x\r\n")
    [first, second] = [recipient for _, _, recipient, _ in sink.verified]
    assert (first.notify, first.orcpt_type, first.orcpt, first.ignore_quota) == (("NEVER",), "rfc822", "o@x", False)
    assert (second.notify, second.orcpt, second.ignore_quota) == ((), "", True)


def test_parameters_do_not_persist_to_the_next_message(client, sink):
    client.do("MAIL FROM:<s@x> AUTH=fred SMTPUTF8 SIZE=9")
    client.do("RCPT TO:<a@x>")
    client.do("DATA")
    client.send(".\r\n")
    client.reply()
    client.message(".\r\n", ["a@x"], sender="")
    assert sink.deliveries[1][0] == type(sink.deliveries[0][0])(None)


def test_every_session_has_its_own_id(server):
    ids = set()
    for _ in range(3):
        with server.client() as client:
            ids.add(client.do("LHLO x").rpartition("SESSIONID=")[2])
    assert len(ids) == 3


def test_octets_pass_as_they_came(client, sink):
    text = b"A: \xff\xfe\0\r\n\r\nbare\nLF, bare\rCR, \r\r\n" + bytes(range(256)).replace(b"\r\n", b"") + b"\r\n"
    open_data(client)
    client.send(text + b".\r\n")
    assert client.reply().startswith("250")
    assert sink.deliveries[0][3] == text


def test_a_line_of_100_kilobytes_arrives_whole(client, sink):
    open_data(client)
    client.send("x" * 100_000 + END)
    assert client.reply().startswith("250")
    assert sink.deliveries[0][3] == b"x" * 100_000 + b"\r\n"


def test_a_message_may_come_octet_by_octet(client, sink):
    open_data(client)
    for octet in "..a\r\n.b\r\n\r\n.\r\n":
        client.send(octet)
        time.sleep(0.001)
    assert client.reply().startswith("250")
    assert sink.deliveries[0][3] == b".a\r\nb\r\n\r\n"


def test_the_number_of_replies_is_that_of_accepted_recipients_even_when_repeated(client, sink):
    assert len(client.message(".\r\n", ["a@x"] * 5)) == 5
    assert client.do("NOOP") == "250 2.0.0 Ok"


def test_two_thousand_recipients_in_one_segment_get_two_thousand_replies(server, sink):
    with server.client() as client:
        commands = "".join(f"RCPT TO:<user{n}@x>\r\n" for n in range(2000))
        client.send(f"MAIL FROM:<a@x>\r\n{commands}DATA\r\n")
        replies = client.replies(2002)
        assert [reply[:9] for reply in replies[1:-1]] == ["250 2.1.5"] * 1000 + ["452 4.5.3"] * 1000
        assert replies[-1].startswith("354")
        client.send(".\r\n")
        assert [reply[:9] for reply in client.replies(1000)] == ["250 2.1.5"] * 1000
    assert sink.deliveries[0][2] == [f"user{n}" for n in range(1000)]


def test_recipients_that_arrive_together_are_verified_in_one_hop(client, sink):
    client.send("MAIL FROM:<a@x>\r\n" + "".join(f"RCPT TO:<u{n}@x>\r\n" for n in range(20)))
    assert all(reply.startswith("250") for reply in client.replies(21))
    assert len(sink.verified) == 20
    assert len({thread for thread, *_ in sink.verified}) <= 2  # one, unless the segment was divided


def test_an_overlong_command_is_refused_and_the_session_goes_on(client):
    for size in (5000, 100_000, 300_000):
        assert client.do("MAIL FROM:<" + "a" * size + "@x>") == "500 5.5.2 Line too long"
    assert client.do("NOOP") == "250 2.0.0 Ok"


def test_an_overlong_command_behind_a_recipient_is_answered_in_its_turn(client):
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<" + "b" * 5000 + "@x>\r\nRCPT TO:<c@x>\r\n")
    assert [reply[:3] for reply in client.replies(4)] == ["250", "250", "500", "250"]


def test_a_command_may_be_as_long_as_its_parameters_need(client):
    client.do("MAIL FROM:<a@x>")
    assert client.do(f"RCPT TO:<a@x> ORCPT=rfc822;{'+41' * 900}").startswith("250")


def test_what_arrived_before_the_client_closed_its_side_is_answered(server, sink):
    with server.client() as client:
        client.send("MAIL FROM:<a@x>\r\nRCPT TO:<a@x>\r\nDATA\r\nhi\r\n.\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert [reply[:3] for reply in client.replies(4)] == ["250", "250", "354", "250"]
        assert client.at_end()
    assert len(sink.deliveries) == 1


@pytest.mark.parametrize("text", ["half a mess", "x" * 400_000], ids=["in memory", "spooled"])
def test_a_client_that_leaves_in_data_leaves_nothing_behind(server, sink, text):
    with server.client() as client:
        open_data(client)
        client.send(text)
        wait_for(lambda: len(text) < 1000 or sink.intakes)
    wait_for(lambda: not server.server._sessions)
    assert not sink.deliveries
    assert all(intake.aborted for intake in sink.intakes)


def test_a_reset_connection_is_no_event(server, sink, caplog):
    with server.client(inet=True) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.send("NOOP\r\n" * 1000)
    wait_for(lambda: not server.server._sessions)
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]


def test_a_delivery_under_way_is_finished_when_the_client_leaves(server, sink):
    sink.gate.clear()
    with server.client() as client:
        open_data(client)
        client.send(END)
        assert sink.entered.wait(PATIENCE)
    sink.gate.set()
    wait_for(lambda: not server.server._sessions)
    assert len(sink.deliveries) == 1


def test_sessions_are_served_while_a_delivery_takes_long(server, sink):
    sink.gate.clear()
    with server.client() as slow, server.client() as other:
        open_data(slow)
        slow.send(END)
        assert sink.entered.wait(PATIENCE)
        assert other.do("MAIL FROM:<a@x>").startswith("250")
        assert other.do("RCPT TO:<b@x>").startswith("250")
        sink.gate.set()
        assert slow.reply().startswith("250")


def test_a_large_message_is_handed_on_as_it_comes(tmp_path, sink):
    sink.keep = False
    block = ("x" * 998 + "\r\n") * 1000
    with running(tmp_path, sink) as server, server.client() as client:
        open_data(client)
        for _ in range(60):
            client.send(block)
        client.send(".\r\n")
        assert client.reply().startswith("250")
    [intake] = sink.intakes
    assert intake.size == 60 * len(block)
    assert intake.largest <= 64 * 1024 + 4  # memory is bounded by the threshold, not by the message


def test_a_small_message_is_received_and_delivered_in_one_hop(server, client, sink):
    client.message("x" * 1000 + END, ["a@x"])
    assert len(sink.intakes) == 1
    assert not sink.intakes[0].aborted


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), "451 4.3.1"),
        (OSError(errno.EIO, "broken"), "451 4.3.2"),
        (RuntimeError("bug"), "451 4.3.0"),
    ],
)
@pytest.mark.parametrize("size", [10, 600_000])
def test_a_message_that_cannot_be_spooled_is_451_for_everybody(client, sink, error, code, size):
    sink.fail_feed = error
    replies = client.message("x" * size + END, ["a@x", "b@x"])
    assert [reply[:9] for reply in replies] == [code] * 2
    assert sink.intakes[0].aborted
    assert client.do("NOOP") == "250 2.0.0 Ok"


def test_a_message_past_the_limit_is_read_to_its_end_and_dropped(tmp_path, sink):
    with running(tmp_path, sink, maxmessagesize=1_000_000) as server, server.client() as client:
        assert [r[:9] for r in client.message("x" * 3_000_000 + END, ["a@x", "b@x"])] == ["552 5.2.3"] * 2
        assert sink.intakes[0].aborted
        assert client.message(".\r\n", ["a@x"])[0].startswith("250")


def test_an_idle_session_is_closed_with_421(tmp_path, sink):
    with running(tmp_path, sink, lmtp_timeout=0.2) as server, server.client() as client:
        assert client.reply() == "421 4.4.1 Idle for too long, closing"
        assert client.at_end()


def test_a_client_that_falls_silent_in_data_is_cut_off(tmp_path, sink):
    with running(tmp_path, sink, lmtp_timeout=300, loop=Ahead) as server, server.client() as client:
        open_data(client)
        client.send("half")
        wait_for(lambda: server.loop.put_forward(301) or select.select([client.socket], [], [], 0.05)[0])
        assert client.reply().startswith("421 4.4.1")
        assert client.at_end()
        wait_for(lambda: not server.server._sessions)
    assert not sink.deliveries


def test_each_sign_of_life_begins_the_idle_time_anew(tmp_path, sink):
    with running(tmp_path, sink, lmtp_timeout=300, loop=Ahead) as server, server.client() as client:
        for _ in range(6):
            server.loop.put_forward(200)
            assert client.do("NOOP").startswith("250")
        server.loop.put_forward(301)
        assert client.reply().startswith("421 4.4.1")


def test_a_delivery_that_takes_long_is_not_idleness(tmp_path, sink):
    sink.gate.clear()
    with running(tmp_path, sink, lmtp_timeout=300, loop=Ahead) as server, server.client() as client:
        open_data(client)
        client.send(END)
        assert sink.entered.wait(PATIENCE)
        server.loop.put_forward(1000)
        with server.client() as other:  # who is served only after what was due
            assert other.do("NOOP").startswith("250")
        sink.gate.set()
        assert client.reply().startswith("250")


def test_a_client_that_never_reads_is_cut_off_and_costs_no_memory(tmp_path, sink):
    with running(tmp_path, sink, lmtp_timeout=0.3) as server, server.client() as client:
        client.socket.settimeout(5)
        with pytest.raises(OSError):
            while True:
                client.send("VRFY x\r\n" * 10_000)
        wait_for(lambda: not server.server._sessions)


def test_a_session_with_nothing_but_errors_is_closed(client):
    client.send("FOO\r\n" * 101)
    assert [reply[:3] for reply in client.replies(102)] == ["500"] * 101 + ["421"]
    assert client.at_end()


def test_connections_past_the_limit_get_421(tmp_path, sink):
    with running(tmp_path, sink, lmtp_max_connections=2) as server, server.client(), server.client() as second:
        with server.client() as third:
            assert third.greeting == "421 4.3.2 Too many connections, try again later"
            assert third.at_end()
        assert second.do("QUIT").startswith("221")
        wait_for(lambda: len(server.server._sessions) < 2)
        with server.client() as fourth:
            assert fourth.greeting.startswith("220")


def test_who_is_refused_before_the_delivery_hears_of_it_is_logged_without_content(tmp_path, sink, caplog):
    caplog.set_level("INFO", "sievemda.lmtp")
    with running(tmp_path, sink, maxmessagesize=10) as server, server.client() as client:
        client.do("MAIL FROM:<a@x>")
        client.do("RCPT TO:<nobody@x>")
        client.do('RCPT TO:<"b c"@x>')
        client.do("DATA")
        client.send("Subject: secret\r\n\r\nsecret" + END)
        assert client.reply().startswith("552")
        client.do("NOOP")
    first, second = [record.getMessage() for record in caplog.records]
    assert first.endswith(" sender=a@x to=nobody@x result=no_such_user")
    assert second.endswith(r' sender=a@x to="\"b c\"@x" result=too_large')
    assert "secret" not in caplog.text


def test_replies_are_not_held_back_without_end_while_commands_keep_coming(server):
    """Every recipient takes a hop during which more arrives, so that there is always another line to read."""
    with server.client() as client:
        client.do("MAIL FROM:<a@x>")
        client.send("RCPT TO:<nobody@x>\r\nRSET\r\nMAIL FROM:<a@x>\r\n" * 3000 + "RCPT TO:<half")
        assert [reply[:3] for reply in client.replies(9000)] == ["550", "250", "250"] * 3000
