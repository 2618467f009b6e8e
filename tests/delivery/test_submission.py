"""What the next host is told of DSN (RFC 3461) and Deliver-By (RFC 2852), by a real SMTP server and a real program."""

import re
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from sievemda.delivery.outbox import Outbox
from sievemda.delivery.outgoing import DsnOptions, Outgoing
from tests.delivery.test_outbox import Program
from tests.delivery.world import changed, message
from tests.ports import free_port

_OURS = re.compile(r" (?:RET|ENVID|BY|NOTIFY|ORCPT)=\S+")


class Next(SMTP):
    """A server that notes what MAIL and RCPT say, and knows the parameters of DSN and Deliver-By."""

    async def smtp_MAIL(self, arg):  # noqa: N802 - aiosmtpd's name
        self.event_handler.said.append(f"MAIL {arg}")
        await super().smtp_MAIL(_OURS.sub("", arg))

    async def smtp_RCPT(self, arg):  # noqa: N802
        self.event_handler.said.append(f"RCPT {arg}")
        await super().smtp_RCPT(_OURS.sub("", arg))


class Handler:
    def __init__(self):
        self.said, self.offers, self.answer = [], ["250-DSN", "250-DELIVERBY 240"], "250 taken"

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        return [*responses[:-1], *self.offers, responses[-1]]

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        return self.answer


class Listening(Controller):
    def factory(self):
        return Next(self.handler, **self.SMTP_kwargs)


@pytest.fixture
def host():
    handler = Handler()
    handler.port = free_port()
    controller = Listening(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def smtp(world, host):
    settings = changed(
        world.settings, smtp_backend="host", smtp_host=f"127.0.0.1:{host.port}", outbox_retry=300, outbox_expire=86_400
    )
    return Outbox(settings)


def put(outbox, sender="alice@x", **options):
    outbox.put(Outgoing("redirect", sender, "away@example.net", b"Subject: x\n\nBody\n", dsn=DsnOptions(**options)))


def waiting(outbox):
    return [path.read_bytes() for path in sorted(outbox._new.iterdir())]


def parameters(line):
    return set(line.partition("> ")[2].split())


def test_the_host_is_told_what_the_sender_wants_to_know(smtp, host):
    put(smtp, notify="SUCCESS,FAILURE", ret="HDRS", envid="Q+1 x=y", orcpt="rfc822;in fo+x@example.org")
    assert smtp.run_due(time.time()) == 1
    mail, rcpt = host.said
    assert parameters(mail) >= {"RET=HDRS", "ENVID=Q+2B1+20x+3Dy"}
    assert parameters(rcpt) == {"NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;in+20fo+2Bx@example.org"}


def test_a_host_without_dsn_is_told_nothing_of_it(smtp, host):
    """RFC 6009 §6: the arguments are ignored then, and are no error."""
    host.offers = []
    put(smtp, notify="NEVER", ret="FULL")
    assert smtp.run_due(time.time()) == 1
    assert "RET=" not in host.said[0]
    assert host.said[1] == "RCPT TO:<away@example.net>"
    assert waiting(smtp) == []


@pytest.mark.parametrize(("mode", "trace", "end"), [("R", False, ";R"), ("N", True, ";NT")])
def test_the_host_is_told_how_much_time_is_left(smtp, host, mode, trace, end):
    put(smtp, by_until=int(time.time()) + 600, by_mode=mode, by_trace=trace)
    assert smtp.run_due(time.time()) == 1
    (word,) = (word for word in parameters(host.said[0]) if word.startswith("BY="))
    seconds, _, rest = word[3:].partition(";")
    assert 590 <= int(seconds) <= 600
    assert f";{rest}" == end


def test_the_time_may_be_over_for_who_only_wants_to_be_told(smtp, host):
    put(smtp, by_until=int(time.time()) - 40, by_mode="N")
    assert smtp.run_due(time.time()) == 1
    assert re.search(r"BY=-4\d;N", host.said[0])


def test_a_message_that_is_late_is_returned_and_not_sent(smtp, host):
    put(smtp, by_until=int(time.time()) - 1, by_mode="R")
    assert smtp.run_due(time.time()) == 1
    assert host.said == []
    (bounce,) = waiting(smtp)
    assert b"Status: 5.4.7" in bounce
    assert b"To: <alice@x>" in bounce


def test_a_host_without_deliver_by_gets_no_message_that_is_to_be_returned(smtp, host):
    """RFC 2852 §4.1.4 for mode R."""
    host.offers = ["250-DSN"]
    put(smtp, by_until=int(time.time()) + 600, by_mode="R")
    assert smtp.run_due(time.time()) == 1
    assert host.said == []
    assert b"Status: 5.3.3" in waiting(smtp)[0]


def test_and_any_other_goes_there_and_the_sender_is_told(smtp, host):
    """RFC 2852 §4.1.4 for mode N."""
    host.offers = ["250-DSN"]
    put(smtp, by_until=int(time.time()) + 600, by_mode="N")
    assert smtp.run_due(time.time()) == 1
    assert "BY=" not in host.said[0]
    (notice,) = waiting(smtp)
    assert b"Action: relayed" in notice
    assert b"Status: 2.0.0" in notice


@pytest.mark.parametrize("options", [{"notify": "NEVER"}, {"sender": ""}])
def test_but_not_who_wants_to_hear_of_nothing(smtp, host, options):
    host.offers = []
    put(smtp, by_until=int(time.time()) + 600, by_mode="N", **options)
    assert smtp.run_due(time.time()) == 1
    assert waiting(smtp) == []


def test_a_delay_beyond_the_time_is_told_once(smtp, host):
    host.answer = "450 4.2.0 later"
    now = time.time()
    put(smtp, by_until=int(now) + 100, by_mode="N")
    for later in (0, 400, 1_500, 5_000):
        smtp.run_due(now + later)
    notices = [data for data in waiting(smtp) if b"Action: delayed" in data]
    assert len(notices) == 1
    assert b"Status: 4.4.7" in notices[0]


# --- the program ---


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


@pytest.fixture
def outbox(world, program):
    return Outbox(changed(world.settings, sendmail=program.path))


def test_the_program_is_told_what_the_sender_wants_to_know(outbox, program):
    put(outbox, notify="SUCCESS,DELAY", ret="FULL", envid="E 1")
    outbox.run_due(time.time())
    told = ["-i", "-N", "success,delay", "-R", "full", "-V", "E 1", "-f", "alice@x", "--", "away@example.net"]
    assert program.arguments == [told]


def test_the_program_knows_no_time(outbox, program):
    put(outbox, by_until=int(time.time()) + 600, by_mode="R")
    put(outbox, by_until=int(time.time()) + 600, by_mode="N", notify="NEVER")
    assert outbox.run_due(time.time()) == 2
    assert len(program.messages) == 1


def test_what_a_script_asks_for_arrives_at_the_next_host(world, smtp, host):
    script = 'require ["redirect-dsn", "redirect-deliverby"]; '
    script += 'redirect :notify "DELAY" :bytimerelative 600 :bymode "notify" "away@example.net";'
    world.user("alice", script=script)
    world.deliver("alice@x", message())
    assert smtp.run_due(time.time()) == 1
    assert host.said[0].startswith("MAIL FROM:<alice@x>")
    assert re.search(r"BY=\d+;N", host.said[0])
    assert host.said[1] == "RCPT TO:<away@example.net> NOTIFY=DELAY"


@pytest.mark.parametrize("offers", [["250-DSN", "250-DELIVERBY"], ["250-DSN"]])
@pytest.mark.parametrize("left", [600, -1])
def test_what_came_from_nobody_cannot_be_returned_and_goes_on(smtp, host, offers, left):
    host.offers = offers
    put(smtp, "", by_until=int(time.time()) + left, by_mode="R")
    assert smtp.run_due(time.time()) == 1
    assert ("BY=" in host.said[0]) is (left > 0 and len(offers) == 2)
    assert host.said[1] == "RCPT TO:<away@example.net>"
    assert waiting(smtp) == []


def test_nobody_hears_what_became_of_an_answer(world, smtp, host):
    """RFC 5230 §5.1."""
    world.user("alice", script='require "vacation"; vacation :addresses "alice@example.org" "Away";')
    world.deliver("alice@x", message())
    assert smtp.run_due(time.time()) == 1
    assert host.said[0].startswith("MAIL FROM:<>")
    assert host.said[1] == "RCPT TO:<bob@example.net> NOTIFY=NEVER"


def test_the_program_is_not_told_whom_to_notify_where_there_is_nobody(outbox, program):
    put(outbox, "", notify="NEVER", ret="HDRS")
    outbox.run_due(time.time())
    assert program.arguments == [["-i", "-f", "<>", "--", "away@example.net"]]
