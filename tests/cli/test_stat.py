"""What is told of workers that are there and say nothing. A server that answers is in tests/serve."""

import json
import socket
from contextlib import ExitStack

from sievemda.serve import asking


def test_workers_that_are_stopped_are_named_and_are_no_server_that_is_missing(call, tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "_TIME", 0.05)
    place = tmp_path / "d" / "run" / "stat"
    place.mkdir(parents=True)
    with ExitStack() as opened:
        for pid in ("11", "22"):
            listening = opened.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(place / pid))
            listening.listen()
        code, out, err = call("stat")
        assert (code, err.count("\n")) == (75, 1)
        assert "server: no worker answers\nworker 11 does not answer\nworker 22 does not answer\n" in out
        told = json.loads(call("stat", "--json")[1])
        assert (told["running"], told["silent"]) == (True, [11, 22])
    assert call("stat")[0] == 69
