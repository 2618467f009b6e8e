"""Snoozed messages over the whole program: LMTP, the script, and the housekeeper."""

from datetime import UTC, datetime, timedelta


def snooze(service, *, after, number):
    """Deliver a message that awakens so many seconds from now, or as soon after that as it can."""
    service.cli("script", "put", "alice", "main", "-", stdin="keep;")
    service.cli("script", "activate", "alice", "main")
    now = datetime.now(UTC)  # from here on it must be quick, and so no command is started
    times = ", ".join(f'"{now + timedelta(seconds=seconds):%H:%M:%S}"' for seconds in range(after, after + 60))
    (script,) = (service.data / "mail" / "user" / "alice").rglob("main.sieve")
    script.write_text(f'require "snooze"; snooze :tzid "UTC" [{times}];')
    assert service.send(f"Subject: {number}\r\nMessage-ID: <{number}@x>\r\n\r\nbody\r\n")[0].startswith("250")


def test_a_snoozed_message_comes_back_by_itself(service):
    service.start()
    snooze(service, after=6, number=1)
    assert service.inbox() == []
    service.wait(lambda: len(service.inbox()) == 1)
    service.wait(lambda: "awakened" in service.log.read_text())
    assert "a snoozed message of alice came back" in service.cli("why", "<1@x>")
    assert "Traceback" not in service.log.read_text()


def test_what_was_due_while_nothing_ran_comes_back_then(service):
    service.start()
    snooze(service, after=10, number=1)
    service.stop()
    assert service.inbox() == []
    (note,) = (service.data / "spool" / "snooze").iterdir()
    service.wait(lambda: datetime.now(UTC).timestamp() > int(note.name.partition(".")[0]))
    assert service.inbox() == []
    service.start()
    service.wait(lambda: len(service.inbox()) == 1)
