"""Every file of tests/dialogues/lmtp is one session, replayed over a real socket.

# comment
@ inet; maxmessagesize=100; lmtp_trusted_networks=127.0.0.0/8     how to connect, and settings
C: one line, sent with CRLF; lines that follow each other are sent at once
C! octets as they stand, with \\r \\n \\0 \\xHH
S: one line of the server, `...` standing for anything
S[closed]
"""

import ipaddress
import re
from pathlib import Path

import pytest

from tests.lmtp.running import running
from tests.lmtp.sink import Sink

FILES = sorted(Path(__file__).parents[1].joinpath("dialogues", "lmtp").glob("*.txt"))


def read(file):
    """(options, settings, steps); a step is ("C", octets), ("S", line) or ("closed", "")."""
    inet, settings, steps = False, {}, []
    for line in file.read_text().splitlines():
        if line.startswith("@"):
            for word in line[1:].split(";"):
                name, _, value = word.strip().partition("=")
                if name == "inet":
                    inet = True
                elif name:
                    settings[name] = typed(value)
        elif line.startswith("C:"):
            add(steps, line[3:].encode() + b"\r\n")
        elif line.startswith("C!"):
            add(steps, line[3:].encode("latin-1").decode("unicode_escape").encode("latin-1"))
        elif line.startswith("S:"):
            steps.append(("S", line[3:]))
        elif line.startswith("S[closed]"):
            steps.append(("closed", ""))
        else:
            assert not line or line.startswith("#"), line
    return inet, settings, steps


def add(steps, octets):
    if steps and steps[-1][0] == "C":
        octets = steps.pop()[1] + octets
    steps.append(("C", octets))


def typed(value):
    if value in {"yes", "no"}:
        return value == "yes"
    if value.isdigit():
        return int(value)
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return value
    return (value,)


def matches(pattern, line):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("..."))), line)


def follow(steps, client):
    for number, (kind, text) in enumerate(steps):
        if kind == "C":
            client.send(text)
        elif kind == "closed":
            assert client.at_end(), f"step {number}"
        else:
            line = client.file.readline().decode().rstrip("\r\n")
            assert matches(text, line), f"step {number}: {line!r} is not {text!r}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dialogue(file, tmp_path):
    inet, settings, steps = read(file)
    assert any(kind == "S" for kind, _ in steps)
    with running(tmp_path, Sink(), **settings) as server, server.client(inet=inet, greeting=False) as client:
        follow(steps, client)
