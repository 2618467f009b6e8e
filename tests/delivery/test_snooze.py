"""Messages that are to come later: from the script to the move, over the real store."""

import json
import time

import pytest

from sievemda.cli.main import run
from sievemda.delivery.awakening import Awakening
from sievemda.delivery.places import Places
from sievemda.delivery.snoozes import Note, Snoozes
from sievemda.errors import TemporaryTrouble
from sievemda.store import messages
from tests.delivery.world import message

DAY = 86_400
HEAD = 'require ["snooze", "imap4flags", "mailbox", "special-use", "mailboxid", "fileinto"];'


def watch(world):
    snoozes = Snoozes(world.settings)
    return Awakening(world.settings, world.store, snoozes, Places(world.settings, world.store), world.journal)


def awaken(world, after=8 * DAY):
    return watch(world).run_due(time.time() + after)


def notes(world):
    folder = world.settings.data / "spool" / "snooze"
    return sorted(folder.iterdir()) if folder.exists() else []


def flags(world, name):
    mailbox = world.store.find(world.store.namespace.parse_admin(name))
    (file,) = world.files(name)
    return sorted(messages.flags_of(mailbox, file))


@pytest.fixture
def snoozed(world):
    """Delivers one message to alice with that snooze."""

    def deliver(arguments='"00:00:00"', before=""):
        world.user("alice", script=f"{HEAD}{before} snooze {arguments};")
        world.deliver("alice@example.org", message())
        return world

    return deliver


def test_the_message_waits_where_its_owner_can_see_it(snoozed):
    world = snoozed()
    (file,) = world.files("user/alice/Snoozed")
    assert b"Subject: hello" in file.read_bytes()
    assert world.store.find(world.store.namespace.parse_admin("user/alice/Snoozed")).special_use == "\\Snoozed"
    assert world.files("user/alice") == []


def test_the_mailbox_for_snoozed_mail_that_is_there_is_used(world):
    world.user("alice", script=HEAD + 'snooze "00:00:00";')
    world.mailbox("user/alice/Later", special_use="\\Snoozed")
    world.deliver("alice@example.org", message())
    assert len(world.files("user/alice/Later")) == 1


def test_a_folder_of_the_usual_name_gets_the_use(world):
    world.user("alice", "Snoozed", script=HEAD + 'snooze "00:00:00";')
    world.deliver("alice@example.org", message())
    assert world.store.find(world.store.namespace.parse_admin("user/alice/Snoozed")).special_use == "\\Snoozed"
    assert len(world.files("user/alice/Snoozed")) == 1


def test_fileinto_does_not_reach_it(world):
    world.user("alice", script=HEAD + 'fileinto "Snoozed";')
    world.mailbox("user/alice/Snoozed", special_use="\\Snoozed")
    world.deliver("alice@example.org", message())
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_before_its_time_nothing_happens(snoozed):
    world = snoozed()
    assert awaken(world, after=0) == 0
    assert len(world.files("user/alice/Snoozed")) == 1


def test_it_comes_back_to_the_inbox(snoozed):
    world = snoozed()
    (before,) = world.files("user/alice/Snoozed")
    arrived = before.stat().st_mtime_ns
    assert awaken(world) == 1
    assert world.files("user/alice/Snoozed") == []
    (file,) = world.files("user/alice")
    assert file.parent.name == "new"
    assert file.stat().st_mtime_ns == arrived
    assert notes(world) == []
    assert awaken(world) == 0


def test_it_comes_back_to_the_mailbox_that_was_named(snoozed):
    world = snoozed(':mailbox "Back" "00:00:00"')
    world.mailbox("user/alice/Back")
    assert awaken(world) == 1
    assert len(world.files("user/alice/Back")) == 1


def test_a_mailbox_that_is_not_there_means_the_inbox(snoozed):
    """Draft §4.1."""
    world = snoozed(':mailbox "Back" "00:00:00"')
    awaken(world)
    assert len(world.files("user/alice")) == 1


def test_the_mailbox_is_made_where_that_was_asked_for(snoozed):
    """Draft §4.4.2, §4.4.3."""
    world = snoozed(':mailbox "Back" :create :specialuse "\\\\Archive" "00:00:00"')
    awaken(world)
    assert len(world.files("user/alice/Back")) == 1
    assert world.store.find(world.store.namespace.parse_admin("user/alice/Back")).special_use == "\\Archive"


def test_a_special_use_goes_before_the_name(snoozed):
    world = snoozed(':specialuse "\\\\Archive" "00:00:00"')
    world.mailbox("user/alice/Old", special_use="\\Archive")
    awaken(world)
    assert len(world.files("user/alice/Old")) == 1


def test_an_identifier_goes_before_the_name(world):
    world.user("alice", "Lists")
    known = world.store.find(world.store.namespace.parse_admin("user/alice/Lists")).id
    world.script("alice", HEAD + f'snooze :mailboxid "{known}" "00:00:00";')
    world.deliver("alice@example.org", message())
    awaken(world)
    assert len(world.files("user/alice/Lists")) == 1


def test_flags_are_there_while_it_waits_and_change_when_it_awakens(snoozed):
    """Draft §4.4.1."""
    world = snoozed(
        ':addflags ["$Back", "\\\\Flagged"] :removeflags "\\\\Seen" "00:00:00"', 'setflag ["\\\\Seen", "x"];'
    )
    assert flags(world, "user/alice/Snoozed") == ["\\Seen", "x"]
    awaken(world)
    assert flags(world, "user/alice") == ["$Back", "\\Flagged", "x"]


def test_flags_that_came_while_it_waited_stay(snoozed):
    world = snoozed(':removeflags "\\\\Seen" "00:00:00"')
    mailbox = world.store.find(world.store.namespace.parse_admin("user/alice/Snoozed"))
    messages.set_flags(mailbox, world.files("user/alice/Snoozed")[0], ("\\Seen", "\\Answered"))
    awaken(world)
    assert flags(world, "user/alice") == ["\\Answered"]


def test_a_message_that_was_removed_meanwhile_does_not_come_back(snoozed):
    world = snoozed()
    world.files("user/alice/Snoozed")[0].unlink()
    assert awaken(world) == 0
    assert world.files("user/alice") == []
    assert notes(world) == []


def test_one_that_was_moved_meanwhile_stays_where_it_is(snoozed):
    world = snoozed()
    world.mailbox("user/alice/Work")
    file = world.files("user/alice/Snoozed")[0]
    file.rename(world.folder("user/alice/Work") / "cur" / (file.name + ":2,S"))
    assert awaken(world) == 0
    assert len(world.files("user/alice/Work")) == 1


def test_a_mailbox_for_snoozed_mail_may_be_renamed_meanwhile(snoozed):
    world = snoozed()
    parse = world.store.namespace.parse_admin
    world.store.rename(parse("user/alice/Snoozed"), parse("user/alice/Asleep"))
    assert awaken(world) == 1


def test_a_user_who_is_gone_is_forgotten_when_he_cannot_come_back(snoozed):
    world = snoozed()
    world.store.delete(world.store.namespace.parse_admin("user/alice"))
    assert awaken(world) == 0
    assert len(notes(world)) == 1
    assert awaken(world, after=20 * DAY) == 0
    assert notes(world) == []


def test_a_user_who_is_brought_back_gets_his_message(snoozed):
    world = snoozed()
    name = world.store.namespace.parse_admin("user/alice")
    world.store.delete(name)
    assert awaken(world, after=2 * DAY) == 0
    world.store.undelete(name)
    assert awaken(world, after=3 * DAY) == 1
    assert len(world.files("user/alice")) == 1


def test_a_full_quota_does_not_keep_it_asleep(snoozed):
    world = snoozed(':mailbox "Back" "00:00:00"')
    world.mailbox("user/alice/Back")
    world.quota("user/alice", storage=0)
    awaken(world)
    assert len(world.files("user/alice/Back")) == 1


def test_quota_roots_follow_the_message(snoozed):
    world = snoozed(':mailbox "Back" "00:00:00"')
    world.mailbox("user/alice/Back")
    world.quota("user/alice", storage=10**6)
    world.quota("user/alice/Back", storage=10**6)
    awaken(world)
    used = {root.name.path: root.usage().messages for root in world.store.roots()}
    assert used == {(): 0, ("Back",): 1}


def test_another_partition_is_reached_too(make_world, tmp_path):
    world = make_world(partitions={"two": tmp_path / "two"})
    world.user("alice", script=HEAD + 'snooze :mailbox "Back" :addflags "x" "00:00:00";')
    world.store.create(world.store.namespace.parse_admin("user/alice/Back"), partition="two")
    world.deliver("alice@example.org", message())
    awaken(world)
    assert flags(world, "user/alice/Back") == ["x"]
    assert world.files("user/alice/Snoozed") == []


def test_what_stands_in_the_way_now_is_tried_again(snoozed, monkeypatch):
    world = snoozed()
    with monkeypatch.context() as patch:
        patch.setattr(messages, "move", lambda *_: (_ for _ in ()).throw(TemporaryTrouble("locked")))
        assert awaken(world) == 0
    assert len(notes(world)) == 1
    assert awaken(world) == 0  # not at once
    assert awaken(world, after=9 * DAY) == 1


def test_a_crash_before_the_message_is_there_leaves_a_note_that_comes_to_nothing(world):
    world.user("alice", script=HEAD + 'snooze "00:00:00";')
    world.mailbox("user/alice/Snoozed", special_use="\\Snoozed")
    known = world.store.find(world.store.namespace.parse_admin("user/alice/Snoozed")).id
    Snoozes(world.settings).put(Note(due=1, user="alice", mailbox=known, unique="1.M1P1.host"))
    assert awaken(world) == 0
    assert notes(world) == []


def test_a_message_that_cannot_be_put_to_sleep_leaves_no_note(world):
    world.user("alice", "Snoozed", script=HEAD + 'snooze "00:00:00";')
    folder = world.folder("user/alice/Snoozed")
    for part in ("new", "tmp"):
        (folder / part).rmdir()
        (folder / part).write_text("in the way")
    world.deliver("alice@example.org", message())
    assert notes(world) == []
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_two_watches_awaken_it_once(snoozed):
    world = snoozed()
    one, other = watch(world), watch(world)
    now = time.time() + 8 * DAY
    (path,) = one.snoozes.due(now)
    with one.snoozes.taken(path) as note:
        assert note is not None
        assert other.run_due(now) == 0
    assert other.run_due(now) == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"due": 1}', b'{"due":1,"user":1,"mailbox":2,"add_flags":3}']
)
def test_a_damaged_note_is_put_aside(snoozed, content):
    world = snoozed()
    (note,) = notes(world)
    note.write_bytes(content)
    assert awaken(world) == 0
    (aside,) = notes(world)
    assert aside.name.startswith("damaged.")


def test_the_journal_tells_of_it(snoozed):
    world = snoozed()
    (done,) = [each for each in world.journal.find("<1@example.net>")[0]["done"] if each["action"] == "snooze"]
    assert done["mailbox"] == "user/alice/Snoozed"
    assert done["awakens"].startswith("20")


def test_the_journal_tells_of_its_coming_back(snoozed):
    world = snoozed(':mailbox "Back" :addflags "x" "00:00:00"')
    world.mailbox("user/alice/Back")
    awaken(world)
    delivered, awakened = world.journal.find("<1@example.net>")
    (file,) = world.files("user/alice/Back")
    assert "awakened" not in delivered
    assert awakened["done"] == [
        {"action": "awakening", "line": 0, "mailbox": "user/alice/Back", "file": str(file), "flags": ["x"]}
    ]
    assert awakened["size"] == file.stat().st_size


def test_the_journal_says_why_it_came_back_to_the_inbox(snoozed):
    world = snoozed(':mailbox "Back" "00:00:00"')
    awaken(world)
    awakened = world.journal.find("<1@example.net>")[1]
    assert awakened["done"][0]["mailbox"] == "user/alice"
    assert awakened["not_done"] == [{"action": "awakening into Back", "line": 0, "why": "there is no such mailbox"}]


def test_why_tells_of_its_coming_back(snoozed, capsys):
    world = snoozed(':mailbox "Back" "00:00:00"')
    awaken(world)
    assert run(["--data", str(world.settings.data), "why", "1@example.net"]) == 0
    told = capsys.readouterr().out
    assert "until 20" in told
    assert "a snoozed message of alice came back" in told
    assert "not done  awakening into Back: there is no such mailbox" in told
    assert "done      awakening: stored in user/alice, as " in told


def test_a_journal_that_fails_does_not_keep_it_asleep(snoozed, caplog):
    world = snoozed()
    world.journal.close()
    world.settings.journal_path.unlink()
    world.settings.journal_path.mkdir()
    assert awaken(world) == 1
    assert len(world.files("user/alice")) == 1


def test_a_note_says_all_that_the_script_said(snoozed):
    world = snoozed(':mailbox "Back" :create :addflags "x" :tzid "Asia/Tokyo" "00:00:00"')
    (note,) = notes(world)
    content = json.loads(note.read_text())
    assert (content["to"], content["create"], content["add_flags"]) == ("Back", True, ["x"])
    assert (content["due"] + 9 * 3600) % DAY == 0


def test_snooze_and_keep_are_two_copies(snoozed):
    world = snoozed('"00:00:00"; keep')
    assert len(world.files("user/alice")) == 1
    assert len(world.files("user/alice/Snoozed")) == 1


def test_two_snoozes_are_one_message_and_one_note(world):
    world.user("alice", script=HEAD + 'snooze "00:00:00"; snooze :mailbox "B" "01:00:00";')
    world.deliver("alice@example.org", message())
    assert len(world.files("user/alice/Snoozed")) == 1
    assert len(notes(world)) == 1


def test_who_is_renamed_keeps_what_is_snoozed(snoozed):
    world = snoozed()
    command = ("mailbox", "rename", "user/alice", "user/alicia")
    assert run(["--data", str(world.settings.data), *command]) == 0
    assert awaken(world) == 1
    assert len(world.files("user/alicia")) == 1
