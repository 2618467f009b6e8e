"""What a running server tells of itself."""

import json
import signal

from sievemda.serve import asking
from tests.serve.service import alive


def look(service):
    return json.loads(service.cli("stat", "--json"))


def test_it_tells_of_sessions_and_of_what_was_counted_by_workers_of_before_and_now(service):
    service.start()
    assert service.send()[0].startswith("250")
    assert look(service)["counters"] == {
        "lmtp_connections": 1, "lmtp_delivered": 1, "lmtp_messages": 1, "lmtp_octets": 20,
    }  # fmt: skip
    old = service.children()
    service.signal(signal.SIGHUP)
    service.wait(lambda: service.log.read_text().count("serving ") == 2)
    service.wait(lambda: not old & service.children())
    with service.client() as client:
        assert client.message("Subject: y\r\n\r\n.\r\n", ["alice"])[0].startswith("250")
        assert client.do("MAIL FROM:<>").startswith("250")
        assert client.do("RCPT TO:<nobody>").startswith("550")
        seen = look(service)
        assert seen["counters"]["lmtp_delivered"] == 2
        assert seen["counters"]["lmtp_no_such_user"] == 1
        assert seen["connections"] == {"lmtp": 1, "managesieve": 0}
        assert seen["users"] == {"postman": 1}
        (session,) = seen["sessions"]
        assert session["protocol"] == "lmtp"
        assert session["messages"] == 1
        assert not session["tls"]
        assert "session lmtp" in service.cli("stat", "--sessions")
    assert len({one["pid"] for one in seen["workers"]}) == 2
    watched = [
        json.loads(line) for line in service.cli("stat", "--watch", "0.1", "--count", "2", "--json").splitlines()
    ]
    assert [one["running"] for one in watched] == [True, True]
    assert service.stop() == 0
    assert not look_code_69(service)["running"]


def look_code_69(service):
    return json.loads(service.cli("stat", "--json", code=69))


def test_a_worker_that_was_killed_is_no_obstacle(service):
    service.start()
    place = service.data / "run" / "stat"
    (place / "999999").touch()
    (place / asking.GONE).write_text('{"lmtp_messages": 3}\n{"lmtp_mess\n[]\n')
    seen = look(service)
    assert seen["counters"]["lmtp_messages"] == 3
    assert len(seen["workers"]) == 2
    workers = service.children()
    service.close()
    service.wait(lambda: not any(map(alive, workers)))
    service.start()
    assert look(service)["counters"] == {}
    assert not (place / "999999").exists()
