"""Quota as state, over LMTP: owners are told as mailboxes fill up, senders are put off, and then refused for good."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.outcomes.site import Client, Site, message

SETTINGS = ("quota_warnings=80%,95%", "quota_grace=1d")
DAY = 86_400


@pytest.fixture
def box(site, name):
    """A user with room for 100 messages."""
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "100")
    return f"user/{name}"


def folder_of(site, box):
    return site.data / f"mail/{box}/Maildir" if "/" in box else site.data / f"mail/shared/.{box}"


def files(site, box):
    found = [path for part in ("new", "cur") for path in (folder_of(site, box) / part).iterdir()]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def put(site, box, number):
    """Messages that an IMAP client has put there, which keeps the quota as well."""
    folder = folder_of(site, box)
    for each in range(number):
        (folder / "cur" / f"{time.monotonic_ns()}.imap{each}.x,S=5:2,S").write_bytes(b"\nbody")
    with (folder / "maildirsize").open("a") as counted:
        counted.write(f"{5 * number} {number}\n")


def remove(site, box, keep):
    """All but the oldest, by a client that keeps no quota."""
    for path in files(site, box)[keep:]:
        path.unlink()
    (folder_of(site, box) / "maildirsize").unlink()


def send(site, box, number, start=0):
    codes = []
    with Client(site.socket) as client:
        client.hello()
        for each in range(start, start + number):
            data = message(f"<{box}.{each}.{time.monotonic_ns()}@x>")
            codes.append(client.transaction([f"{box.removeprefix('user/')}@x"], data)[0][:9])
    return codes


def subjects(site, box):
    texts = [path.read_text() for path in files(site, box)]
    return [text.split("Subject: ")[1].split("\n")[0] for text in texts if "Auto-Submitted: auto-generated" in text]


def state(site, box):
    return json.loads(site.cli("quota", "state", box, "--json"))


def memory(site, box):
    return folder_of(site, box) / "sievemda-quota"


def became_full_earlier(site, box, seconds):
    """Let so much time have passed."""
    path = memory(site, box)
    found = json.loads(path.read_text())
    found["full_since"] -= seconds
    path.with_suffix(".new").write_text(json.dumps(found))
    path.with_suffix(".new").rename(path)


def test_levels_are_told_of_as_they_are_reached(site, box):
    put(site, box, 78)
    assert send(site, box, 1) == ["250 2.1.5"]
    assert subjects(site, box) == []
    send(site, box, 3)
    assert subjects(site, box) == [f"Mailbox {box} is 80% full"]
    put(site, box, 11)
    send(site, box, 1)
    assert subjects(site, box) == [f"Mailbox {box} is 80% full", f"Mailbox {box} is 95% full"]
    assert state(site, box)["level"] == "95%"


def test_a_mailbox_that_is_emptied_and_fills_up_again_is_told_of_again(site, box):
    put(site, box, 84)
    send(site, box, 2)
    remove(site, box, keep=2)
    send(site, box, 1)
    assert state(site, box)["told"] == {}
    before = len(subjects(site, box))
    put(site, box, 84)
    send(site, box, 1)
    assert len(subjects(site, box)) == before + 1


def test_a_full_mailbox_is_put_off_and_then_refused_and_has_room_again(site, box):
    put(site, box, 101)
    assert send(site, box, 2) == ["452 4.2.2"] * 2
    assert subjects(site, box) == [f"Mailbox {box} is full: mail is being refused"]
    told = state(site, box)
    assert (told["level"], told["refusal"]) == ("over", "temporary")
    assert told["grace_ends"] == told["full_since"] + DAY
    became_full_earlier(site, box, DAY - 600)
    assert send(site, box, 1) == ["452 4.2.2"]
    became_full_earlier(site, box, 600)
    assert send(site, box, 1) == ["552 5.2.2"]
    assert state(site, box)["refusal"] == "permanent"
    assert len(subjects(site, box)) == 1
    remove(site, box, keep=50)
    assert send(site, box, 1) == ["250 2.1.5"]
    assert state(site, box)["full_since"] is None


def test_the_message_that_fills_a_mailbox_begins_its_period(site, box):
    put(site, box, 94)
    send(site, box, 8)
    assert state(site, box)["full_since"]
    became_full_earlier(site, box, DAY)
    assert send(site, box, 1) == ["552 5.2.2"]


def test_of_many_deliveries_at_once_one_tells(site, box):
    put(site, box, 78)
    with ThreadPoolExecutor(6) as pool:
        codes = [code for some in pool.map(lambda n: send(site, box, 2, n * 10), range(6)) for code in some]
    assert set(codes) == {"250 2.1.5"}
    assert len(subjects(site, box)) == 1


def test_the_letter_says_what_it_is(site, box):
    put(site, box, 90)
    send(site, box, 1)
    (text,) = [path.read_text() for path in files(site, box) if "Auto-Submitted" in path.read_text()]
    assert text.startswith("Return-Path: <>\n")
    assert f"The mailbox {box} holds 91 messages, and its limit is 100 messages." in text


def test_what_was_told_stands_in_the_journal_of_the_delivery(site, box, fresh):
    put(site, box, 90)
    site.deliver(box.removeprefix("user/"), message(fresh))
    assert f"quota warning: {box}, 80%, <" in site.cli("why", fresh)


def test_a_broken_memory_harms_nothing(site, box):
    put(site, box, 101)
    send(site, box, 1)
    memory(site, box).write_text("}{")
    assert send(site, box, 1) == ["452 4.2.2"]
    assert len(subjects(site, box)) == 2


def test_a_board_has_a_period_and_its_postmaster_a_letter(site, name, tmp_path_factory):
    site.cli("mailbox", "create", name)
    site.cli("acl", "set", name, "anyone", "lrsp")
    site.cli("quota", "set", name, "MESSAGE", "1")
    assert send(site, f"+{name}", 3) == ["250 2.1.5", "250 2.1.5", "452 4.2.2"]
    became_full_earlier(site, name, DAY)
    assert send(site, f"+{name}", 1) == ["552 5.2.2"]
    waiting = [path.read_text() for path in (site.data / "spool/outbox/new").iterdir()]
    assert any(f"Subject: Mailbox {name} is full" in text and '"to": "postmaster@' in text for text in waiting)


def test_serve_looks_by_itself(tmp_path):
    site = Site(tmp_path / "d", ("quota_warnings=80%", "quota_check_interval=1"))
    site.start()
    try:
        site.user("alice")
        site.cli("quota", "set", "user/alice", "MESSAGE", "10")
        put(site, "user/alice", 9)
        for _ in range(600):
            if subjects(site, "user/alice"):
                break
            time.sleep(0.1)
        assert subjects(site, "user/alice") == ["Mailbox user/alice is 90% full"]
    finally:
        assert site.stop() == 0, site.words()
    assert "Traceback" not in site.words()
