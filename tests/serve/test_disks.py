"""The service while its disks are away."""

import os
import signal

from tests.lmtp.running import Client


def test_mail_waits_while_the_data_directory_is_away_and_a_worker_that_begins_then_knows(service):
    """Nobody is unknown, whatever is in its place: an empty mount point, or nothing."""
    service.start()
    away = service.data.with_name("away")
    service.data.rename(away)

    def asked(place):
        with Client(str(place / "run" / "lmtp")) as client:
            client.do("LHLO x")
            client.do("MAIL FROM:<>")
            return [client.do(f"RCPT TO:<{name}>")[:3] for name in ("alice", "nobody")]

    assert asked(away) == ["451", "451"]
    old = service.children()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    service.data.mkdir()
    service.log = away / "log"
    service.wait(lambda: len(service.children() - old) == len(old))
    assert asked(away) == ["451", "451"]
    for left in sorted(service.data.rglob("*"), reverse=True):
        left.rmdir() if left.is_dir() else left.unlink()
    service.data.rmdir()
    away.rename(service.data)
    assert asked(service.data) == ["250", "550"]
