"""Expiry and pruning over the whole program: the settings, the housekeeper, and its children."""

import json
import os
import signal
import time

CONFIG = '[upkeep]\nexpire_schedule = "every 1s"\nexpire_rules = "{}"\n'
RULE = '[rules.old]\nmailboxes = "user/*"\narrived = {}\n'
DAY = 86400


def test_messages_expire_on_a_schedule_by_rules_that_are_read_again(service, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(RULE.format(60))
    service.config.write_text(CONFIG.format(rules))
    service.start()
    for text in ("Subject: 1\r\n\r\n1\r\n", "Subject: 2\r\n\r\n2\r\n"):
        service.send(text)
    old, older = service.inbox()
    os.utime(old, (time.time() - 40 * DAY,) * 2)
    os.utime(older, (time.time() - 70 * DAY,) * 2)
    service.wait(lambda: service.inbox() == [old])
    service.wait(lambda: "expire done messages=1 " in service.log.read_text())
    assert "prune done" in service.log.read_text()
    rules.write_text(RULE.format(30))
    service.signal(signal.SIGHUP)
    service.wait(lambda: service.inbox() == [])
    assert service.stop() == 0
    assert set(json.loads((service.data / "state" / "schedule").read_text())) == {"expire", "prune"}
    assert len(service.cli("mailbox", "discarded").splitlines()) == 2
    assert "Traceback" not in service.log.read_text()


def test_bad_rules_are_told_at_the_start_and_at_every_reload_and_mail_is_taken(service, tmp_path):
    def told(what):
        return [line for line in service.log.read_text().splitlines() if what in line]

    rules = tmp_path / "rules.toml"
    rules.write_text(RULE.format("40\nsize_over = 1"))
    service.config.write_text(CONFIG.format(rules).replace("every 1s", "daily 04:00"))
    service.start()
    service.wait(lambda: told("size_over"))
    assert "until the rules are mended" in told("size_over")[0]
    assert service.send()[0].startswith("250")
    rules.unlink()
    service.signal(signal.SIGHUP)
    service.wait(lambda: told("No such file"))
    assert len(told("until the rules are mended")) == 2
    assert "Traceback" not in service.log.read_text()
