"""Any sequence of commands, in segments of any size: the codes are those of a model of twenty lines."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lmtp.running import running
from tests.lmtp.sink import AT_DATA, Sink

RECIPIENTS = {"a@x": "250", "b@x": "250", "nobody@x": "550", "full@x": "452", "late@x": "250", "a b": "501"}
COMMANDS = [
    *("LHLO x", "LHLO", "EHLO x", "NOOP", "NOOP x", "RSET", "VRFY a", "FOO", "", "\0\xff", "DATA", "DATA x"),
    *("MAIL FROM:<a@x>", "mail from:<>", "MAIL FROM:<a@x> SIZE=x", "MAIL FROM:<a b>", "X" * 5000),
    *(f"RCPT TO:<{name}>" for name in RECIPIENTS),
]
MESSAGES = ["", "x\r\n", "..x\r\n", "\n.\n\r\n", "A: b\r\n\r\n" + "x" * 3000 + "\r\n"]


class Model:
    """What the session has accepted, and the code of each reply."""

    def __init__(self):
        self.open, self.accepted = False, []

    def codes(self, command):
        verb, _, argument = command.partition(" ")
        simple = {
            ("LHLO", False): "501", ("NOOP", False): "250", ("VRFY", True): "252", ("DATA", True): "501",
        }  # fmt: skip
        if (verb, verb in {"LHLO", "RSET"}) in {("LHLO", bool(argument)), ("RSET", not argument)}:
            self.open, self.accepted = False, []
            return ["250"]
        if code := simple.get((verb, bool(argument))):
            return [code]
        if verb.upper() in {"MAIL", "RCPT", "DATA"}:
            return self.transaction(verb.upper(), argument)
        return ["500"]

    def transaction(self, verb, argument):
        if verb == "MAIL" and not self.open:
            self.open = argument.endswith(">") and " b" not in argument
            return ["250" if self.open else "501"]
        if verb == "RCPT" and self.open:
            name = argument[4:-1]
            self.accepted += [name] if RECIPIENTS[name] == "250" else []
            return [RECIPIENTS[name]]
        if verb == "DATA" and self.accepted:
            names, self.open, self.accepted = self.accepted, False, []
            return ["354", *("452" if name.partition("@")[0] in AT_DATA else "250" for name in names)]
        return ["503"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("model"), Sink()) as started:
        yield started


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from(COMMANDS), max_size=30), st.lists(st.sampled_from(MESSAGES)), st.integers(1, 20_000))
def test_every_command_gets_its_reply(server, commands, messages, segment):
    model, wanted, octets = Model(), [], b""
    for command in commands:
        codes = model.codes(command)
        wanted += codes
        octets += command.encode("latin-1") + b"\r\n"
        if codes[0] == "354":
            octets += (messages.pop() if messages else "").encode() + b".\r\n"
    with server.client() as client:
        for start in range(0, len(octets), segment):
            client.send(octets[start : start + segment])
        client.send("QUIT\r\n")
        assert [reply[:3] for reply in client.replies(len(wanted) + 1)] == [*wanted, "221"]
        assert client.at_end()
