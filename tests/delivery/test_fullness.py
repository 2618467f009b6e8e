"""Full mailboxes, in deliveries: who is told of them, and for how long senders are put off."""

import logging
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sievemda.delivery.fullness.round import Rounds
from sievemda.delivery.fullness.watch import Watch
from sievemda.mail.message import Message
from sievemda.mail.result import Result
from sievemda.policy.quota import KIB, Limits
from sievemda.policy.warnings import State, Told
from sievemda.store import rootlist
from sievemda.store.spelling import to_disk
from tests.delivery.world import World, message

ALICE = "alice@example.org"
HOUR = 3600


def fill(world, number, name="user/alice", size=100):
    """Messages that come without a delivery, as over IMAP."""
    folder = world.folder(name)
    for each in range(number):
        (folder / "cur" / f"{each}.i{time.monotonic_ns()}.x,S={size}:2,S").write_bytes(b"\n" * size)


def empty(world, name="user/alice", keep=0):
    for file in world.files(name)[keep:]:
        file.unlink()


def letters(world, name="user/alice"):
    files = sorted(world.files(name), key=lambda file: file.stat().st_mtime_ns)
    found = [Message(file.read_bytes()) for file in files]
    return [each for each in found if each.values("auto-submitted")]


def subjects(world, name="user/alice"):
    return [next(iter(each.values("subject"))) for each in letters(world, name)]


def send(world, number, to=ALICE, **more):
    return [world.deliver(to, message(f"<{time.monotonic_ns()}@x>"), **more)[0] for _ in range(number)]


def state(world, name="user/alice"):
    return Watch(world.settings, world.store).states.get(world.folder(name))


def remember(world, what, name="user/alice"):
    states = Watch(world.settings, world.store).states
    with states.held(world.folder(name)) as held:
        held.replace(what)


def changed(world, **changes):
    """The same site with other settings."""
    return World(world.settings.data, **changes)


@pytest.fixture
def alice(make_world):
    """Alice has room for a hundred messages, and is told at 80 % and 95 %."""
    world = make_world(quota_warnings=("80%", "95%"))
    world.user("alice", "Lists", "Trash")
    world.quota("user/alice", messages=100)
    return world


# -- who is told, and when --------------------------------------------------------------------------------------------


def test_nobody_is_told_below_the_lowest_level_and_nothing_is_remembered(alice):
    fill(alice, 70)
    send(alice, 3)
    assert subjects(alice) == []
    assert not (alice.folder("user/alice") / "sievemda-quota").exists()


def test_the_message_that_reaches_a_level_has_the_owner_told_once(alice):
    fill(alice, 78)
    alice.store.quota_root(alice.store.namespace.parse_admin("user/alice")).recount()
    send(alice, 1)
    assert subjects(alice) == []
    send(alice, 4)
    assert subjects(alice) == ["Mailbox user/alice is 80% full"]


def test_each_level_is_told_of_and_then_that_mail_is_refused(alice):
    fill(alice, 79)
    recount(alice)
    send(alice, 25)
    assert subjects(alice) == [
        "Mailbox user/alice is 80% full",
        "Mailbox user/alice is 95% full",
        "Mailbox user/alice is full: mail is being refused",
    ]


def recount(world, name="user/alice"):
    world.store.quota_root(world.store.namespace.parse_admin(name)).recount()


def test_an_imap_client_that_empties_the_mailbox_arms_the_level_again(alice):
    fill(alice, 79)
    recount(alice)
    send(alice, 1)
    empty(alice, keep=10)
    recount(alice)
    send(alice, 1)
    assert state(alice) == State()
    fill(alice, 75)
    recount(alice)
    empty_letters = len(letters(alice))
    send(alice, 1)
    assert len(letters(alice)) == empty_letters + 1


def test_usage_that_only_the_file_believes_in_tells_nobody(alice):
    (alice.folder("user/alice") / "maildirsize").write_text("100C\n0 85\n0 0\n")
    send(alice, 1)
    assert subjects(alice) == []
    assert state(alice) == State()


def test_who_stays_at_a_level_is_reminded_after_the_interval(alice):
    fill(alice, 85)
    recount(alice)
    send(alice, 2)
    assert len(letters(alice)) == 1
    remember(alice, State(0, {"": Told(80, int(time.time()) - 25 * HOUR)}))
    send(alice, 2)
    assert len(letters(alice)) == 2


def test_without_warnings_nothing_is_done(make_world):
    world = make_world()
    world.user("alice")
    world.quota("user/alice", messages=2)
    send(world, 6)
    assert subjects(world) == []
    assert len(world.files("user/alice")) == 3
    assert not (world.folder("user/alice") / "sievemda-quota").exists()


def test_a_folder_that_is_a_root_is_told_of_by_its_own_name(alice):
    alice.quota("user/alice/Lists", messages=5)
    send(alice, 4, "alice+Lists@example.org")
    assert subjects(alice) == ["Mailbox user/alice/Lists is 80% full"]
    assert len(alice.files("user/alice/Lists")) == 4


def test_a_full_folder_is_told_of_while_its_mail_goes_to_the_inbox(alice):
    alice.quota("user/alice/Lists", messages=0)
    send(alice, 3, "alice+Lists@example.org")
    assert subjects(alice) == ["Mailbox user/alice/Lists is full: mail is being refused"]
    assert len(alice.files("user/alice/Lists")) == 1
    assert len(alice.files("user/alice")) == 3


def test_the_script_of_the_owner_does_not_see_the_letter(alice):
    alice.script("alice", "discard;")
    fill(alice, 85)
    recount(alice)
    send(alice, 1)
    assert subjects(alice) == []  # discarded: nothing has arrived
    alice.script("alice", 'if header :contains "subject" "hello" { keep; } else { discard; }')
    send(alice, 1)
    assert len(letters(alice)) == 1


def test_for_a_board_the_postmaster_is_told_by_mail(alice):
    alice.mailbox("board", ("anyone", "lrsp"))
    alice.quota("board", messages=5)
    send(alice, 4, "+board@example.org")
    ((envelope, text),) = alice.outgoing()
    assert (envelope["from"], envelope["to"]) == ("", "postmaster@mx.example.org")
    assert b"Subject: Mailbox board is 80% full\n" in text
    assert len(alice.files("board")) == 4


def test_mail_that_ignores_the_quota_is_told_of_as_well(alice):
    fill(alice, 101)
    recount(alice)
    assert send(alice, 1, ignore_quota=True) == [Result.DELIVERED]
    assert subjects(alice) == ["Mailbox user/alice is full: mail is being refused"]


@pytest.mark.parametrize(
    ("changes", "number", "told"),
    [
        ({}, 90, False),
        ({}, 91, True),
        ({"quotawarnpercent": 50}, 51, True),
        ({"quotawarnmsg": 5}, 94, False),
        ({"quotawarnmsg": 5}, 96, True),
        ({"quotawarnpercent": 0, "quotawarnmsg": 60}, 41, True),
        ({"quotawarnpercent": 0, "quotawarnmsg": 60}, 30, False),
        ({"quotawarnsize": 5}, 91, True),
    ],
)
def test_the_settings_of_cyrus_say_when(make_world, changes, number, told):
    world = make_world(quota_warnings=("on",), **changes)
    world.user("alice")
    world.quota("user/alice", messages=100)
    fill(world, number - 1)
    recount(world)
    send(world, 1)
    assert bool(subjects(world)) is told


def test_quotawarnsize_is_in_kib(make_world):
    world = make_world(quota_warnings=("on",), quotawarnsize=100)
    world.user("alice")
    world.quota("user/alice", storage=2000 * KIB)
    fill(world, 1, size=1890 * KIB)
    recount(world)
    send(world, 1)
    assert subjects(world) == []
    fill(world, 1, size=15 * KIB)
    recount(world)
    send(world, 1)
    assert subjects(world) == ["Mailbox user/alice is 95% full"]


# -- never more than it should be -------------------------------------------------------------------------------------


def test_of_deliveries_at_once_one_tells(make_world):
    world = make_world(quota_warnings=("10%",))
    world.user("alice")
    world.quota("user/alice", messages=10_000)
    fill(world, 999)
    recount(world)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: world.deliver(ALICE, message(f"<{n}@x>"))[0], range(40)))
    assert set(results) == {Result.DELIVERED}
    assert subjects(world) == ["Mailbox user/alice is 10% full"]


def test_while_somebody_else_is_telling_nobody_waits(alice):
    fill(alice, 90)
    recount(alice)
    lock = alice.folder("user/alice") / "sievemda-quota.lock"
    lock.touch()
    send(alice, 1)
    assert subjects(alice) == []
    lock.unlink()
    send(alice, 1)
    assert len(letters(alice)) == 1


def test_a_crash_between_the_letter_and_the_memory_of_it_costs_one_letter(alice, monkeypatch):
    fill(alice, 80)
    recount(alice)
    with monkeypatch.context() as broken:
        broken.setattr("sievemda.store.quota_state.Held.replace", lambda *_: (_ for _ in ()).throw(OSError(5, "gone")))
        assert send(alice, 1) == [Result.DELIVERED]
    assert len(letters(alice)) == 1
    send(alice, 3)
    assert len(letters(alice)) == 2


def test_trouble_with_the_letter_does_not_touch_the_delivery(alice, monkeypatch, caplog):
    fill(alice, 90)
    recount(alice)

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sievemda.delivery.fullness.letter.Letters._put", broken)
    assert send(alice, 1) == [Result.DELIVERED]
    assert state(alice) == State()
    assert "quota not looked at" in caplog.text


def test_what_one_rule_has_told_is_remembered_when_another_fails(alice, tmp_path, monkeypatch):
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[rules.a]\nthreshold = 80\nexclusive = false\n[rules.b]\nthreshold = 80\nto = "help@example.org"\n'
    )
    world = changed(alice, quota_warnings=(), quota_rules=rules)
    fill(world, 90)
    with monkeypatch.context() as broken:
        broken.setattr("sievemda.delivery.outbox.Outbox.put", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        rounds(world)
        rounds(world)
    assert len(letters(world)) == 1
    assert set(state(world).told) == {"a"}
    rounds(world)
    assert len(letters(world)) == 1 == len(world.outgoing())
    world.close()


@pytest.mark.parametrize("content", [b"{", b"", b'{"told": {"": [95, 99999999999999999999]}}'])
def test_a_broken_memory_costs_one_letter(alice, content):
    fill(alice, 85)
    recount(alice)
    (alice.folder("user/alice") / "sievemda-quota").write_bytes(content)
    assert send(alice, 3) == [Result.DELIVERED] * 3
    assert len(letters(alice)) == 1


def test_with_a_directory_in_place_of_the_memory_mail_arrives_and_nobody_is_told(alice, caplog):
    fill(alice, 85)
    recount(alice)
    (alice.folder("user/alice") / "sievemda-quota").mkdir()
    assert send(alice, 2) == [Result.DELIVERED] * 2
    assert subjects(alice) == []
    assert "Is a directory" in caplog.text


# -- the letter -------------------------------------------------------------------------------------------------------


def test_the_letter_is_a_message_like_any_made_by_a_machine(alice):
    fill(alice, 84)
    recount(alice)
    send(alice, 1)
    (letter,) = letters(alice)
    assert letter.data.startswith(b"Return-Path: <>\nDate: ")
    assert letter.values("auto-submitted") == ("auto-generated",)
    assert letter.values("to") == ("<alice@mx.example.org>",)
    assert letter.values("from") == ("Postmaster <postmaster@mx.example.org>",)
    assert len(letter.values("message-id")) == 1
    assert b"The mailbox user/alice holds 85 messages, and its limit is 100 messages.\n" in letter.data
    (file,) = [each for each in alice.files("user/alice") if b"auto-generated" in each.read_bytes()]
    assert file.parent.name == "new"
    assert f",S={file.stat().st_size}," in file.name


def test_the_letter_counts_like_any_message(alice):
    fill(alice, 84)
    recount(alice)
    send(alice, 1)
    root = alice.store.quota_root(alice.store.namespace.parse_admin("user/alice"))
    assert root.usage().messages == 86 == root.usage(fresh=True).messages


@pytest.mark.parametrize(("junk", "hint"), [(50, "The folder Trash holds 50 messages."), (1, "The folder Lists holds")])
def test_the_letter_says_where_room_can_be_made(alice, junk, hint):
    fill(alice, junk, "user/alice/Trash")
    fill(alice, 84 - junk, "user/alice/Lists")
    recount(alice)
    send(alice, 1)
    assert hint.encode() in letters(alice)[0].data


def test_the_site_may_say_it_in_its_own_words(make_world, tmp_path):
    text = "Subject: {{{level}}} of {root}\n\n{user}: {used} of {limit} ({free} free, {percent}) {resource}\n\n{hint}\n\n{host} {postmaster}\n"
    (tmp_path / "alice.txt").write_text(text)
    world = make_world(quota_warnings=("80%",), quota_warning_template=str(tmp_path / "{local}.txt"))
    for user in ("alice", "bob"):
        world.user(user)
        world.quota(f"user/{user}", messages=10)
        fill(world, 7, f"user/{user}")
        recount(world, f"user/{user}")
        send(world, 1, f"{user}@example.org")
    assert subjects(world) == ["{80%} of user/alice"]
    body = letters(world)[0].data.partition(b"\n\n")[2].decode()
    assert body == (
        "alice: 8 messages of 10 messages (2 messages free, 80%) MESSAGE\n\nmx.example.org postmaster@mx.example.org\n"
    )
    assert subjects(world, "user/bob") == ["Mailbox user/bob is 80% full"]


def test_there_may_be_a_template_for_each_level(make_world, tmp_path):
    (tmp_path / "over.txt").write_text("Subject: Nothing goes any more\n\n{refusal}\n")
    world = make_world(quota_warnings=("80%",), quota_warning_template=str(tmp_path / "{level}.txt"))
    world.user("alice")
    world.quota("user/alice", messages=10)
    fill(world, 7)
    recount(world)
    send(world, 4)
    assert subjects(world) == ["Mailbox user/alice is 80% full", "Nothing goes any more"]


def test_a_broken_template_is_logged_and_ours_is_taken(make_world, tmp_path, caplog):
    (tmp_path / "t.txt").write_text("Subject: {nonsense}\n\nx\n")
    world = make_world(quota_warnings=("80%",), quota_warning_template=str(tmp_path / "t.txt"))
    world.user("alice")
    world.quota("user/alice", messages=10)
    fill(world, 7)
    recount(world)
    send(world, 1)
    assert subjects(world) == ["Mailbox user/alice is 80% full"]
    assert "nonsense" in caplog.text


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("de", "Postfach user/alice ist zu 80% voll"),
        ("fr-CA", "La boîte aux lettres user/alice est pleine à 80%"),
        ("es", "El buzón user/alice está lleno al 80%"),
        ("it", "La casella user/alice è piena al 80%"),
        ("nl", "Mailbox user/alice is voor 80% vol"),
        ("tlh", "Mailbox user/alice is 80% full"),
    ],
)
def test_the_letter_speaks_the_language_of_the_site(make_world, language, subject):
    world = make_world(quota_warnings=("80%",), quota_warning_language=language)
    world.user("alice")
    world.quota("user/alice", messages=10)
    fill(world, 7)
    recount(world)
    send(world, 4)
    assert subjects(world)[0] == subject
    assert len(subjects(world)) == 2


@pytest.mark.parametrize(("said", "start"), [("de", "Postfach"), ("../../etc", "Mailbox"), ("", "Mailbox")])
def test_an_annotation_of_the_inbox_says_the_language_of_the_owner(alice, said, start):
    inbox = alice.store.find(alice.store.namespace.parse_admin("user/alice"))
    alice.store.annotations.set(inbox, "alice", "/shared/vendor/sievemda/language", said)
    fill(alice, 80)
    recount(alice)
    send(alice, 1)
    assert subjects(alice)[0].startswith(start)


@pytest.mark.parametrize(
    ("folder", "lands"), [("Lists", "user/alice/Lists"), ("Nope", "user/alice"), ("a//b", "user/alice")]
)
def test_the_letter_may_go_to_a_folder(alice, folder, lands):
    world = changed(alice, quota_warnings=("80%",), quota_warning_folder=folder)
    fill(world, 80)
    recount(world)
    send(world, 1)
    world.close()
    assert len(letters(alice, lands)) == 1


def test_hostile_names_cannot_write_into_the_header(alice):
    folder = alice.folder("user/alice") / to_disk(("x\u2028Bcc: eve@example.net\u0085Bcc: eve@example.net",))
    (folder / "cur").mkdir(parents=True)
    (folder / "maildirsize").write_text("1000S\n0 0\n")
    (folder / "cur" / "1,S=2000:2,").write_bytes(b"\n" * 2000)
    rounds(alice)
    (letter,) = letters(alice)
    assert letter.values("bcc") == ()
    assert "x Bcc: eve@example.net Bcc: eve@example.net is full" in letter.values("subject")[0]


# -- the grace period -------------------------------------------------------------------------------------------------


@pytest.fixture
def graced(make_world):
    """Alice has room for two messages; senders are put off for an hour."""
    world = make_world(quota_grace=HOUR)
    world.user("alice")
    world.quota("user/alice", messages=2)
    return world


def later(world, seconds, name="user/alice"):
    """As if the root had become full so much earlier."""
    was = state(world, name)
    assert was.full_since
    remember(world, replace(was, full_since=was.full_since - seconds), name)


def test_a_full_mailbox_refuses_for_now_and_after_the_grace_period_for_good(graced):
    assert send(graced, 3) == [Result.DELIVERED] * 3
    assert send(graced, 2) == [Result.OVER_QUOTA] * 2
    later(graced, HOUR - 60)
    assert send(graced, 1) == [Result.OVER_QUOTA]
    later(graced, 120)
    assert send(graced, 2) == [Result.OVER_QUOTA_PERMANENT] * 2
    assert subjects(graced) == []


def test_the_period_begins_with_the_message_that_made_it_full_not_with_the_first_refusal(graced):
    send(graced, 3)
    later(graced, 2 * HOUR)
    assert send(graced, 1) == [Result.OVER_QUOTA_PERMANENT]


def test_with_room_again_all_is_as_before(graced):
    send(graced, 4)
    later(graced, 2 * HOUR)
    empty(graced, keep=1)
    assert send(graced, 1) == [Result.DELIVERED]
    assert state(graced) == State()
    assert send(graced, 2) == [Result.DELIVERED, Result.OVER_QUOTA]


def test_a_mailbox_that_was_filled_over_imap_is_full_from_the_first_refusal(graced):
    fill(graced, 9)
    recount(graced)
    assert send(graced, 1) == [Result.OVER_QUOTA]
    later(graced, HOUR)
    assert send(graced, 1) == [Result.OVER_QUOTA_PERMANENT]


def test_new_limits_begin_a_new_period(graced):
    send(graced, 4)
    later(graced, 2 * HOUR)
    graced.quota("user/alice", messages=1)
    assert send(graced, 1) == [Result.OVER_QUOTA]


def test_a_time_in_the_future_is_now(graced):
    send(graced, 3)
    remember(graced, State(int(time.time()) + 10**6))
    assert send(graced, 1) == [Result.OVER_QUOTA]
    assert state(graced).full_since <= time.time()


@pytest.mark.parametrize("content", [b"nonsense", b""])
def test_a_broken_memory_begins_a_new_period(graced, content):
    send(graced, 3)
    (graced.folder("user/alice") / "sievemda-quota").write_bytes(content)
    assert send(graced, 1) == [Result.OVER_QUOTA]
    later(graced, HOUR)
    assert send(graced, 1) == [Result.OVER_QUOTA_PERMANENT]


def test_mail_that_ignores_the_quota_does_not_end_the_period(graced):
    send(graced, 3)
    later(graced, 2 * HOUR)
    assert send(graced, 1, ignore_quota=True) == [Result.DELIVERED]
    assert send(graced, 1) == [Result.OVER_QUOTA_PERMANENT]


def test_each_root_has_a_period_of_its_own(graced):
    graced.user("bob")
    graced.quota("user/bob", messages=0)
    send(graced, 3)
    later(graced, 2 * HOUR)
    assert send(graced, 2, "bob@example.org") == [Result.DELIVERED, Result.OVER_QUOTA]
    assert send(graced, 1) == [Result.OVER_QUOTA_PERMANENT]


def test_a_board_has_it_too(graced):
    graced.mailbox("board", ("anyone", "lrsp"))
    graced.quota("board", messages=0)
    assert send(graced, 2, "+board@example.org") == [Result.DELIVERED, Result.OVER_QUOTA]
    later(graced, 2 * HOUR, "board")
    assert send(graced, 1, "+board@example.org") == [Result.OVER_QUOTA_PERMANENT]


@pytest.mark.parametrize(
    ("permanent", "grace", "before", "after"),
    [
        (False, 0, Result.OVER_QUOTA, Result.OVER_QUOTA),
        (True, 0, Result.OVER_QUOTA_PERMANENT, Result.OVER_QUOTA_PERMANENT),
        (True, HOUR, Result.OVER_QUOTA, Result.OVER_QUOTA_PERMANENT),
    ],
)
def test_the_two_settings_together(make_world, permanent, grace, before, after):
    world = make_world(lmtp_over_quota_perm_failure=permanent, quota_grace=grace, quota_warnings=("over",))
    world.user("alice")
    world.quota("user/alice", messages=2)
    assert send(world, 4)[-1] == before
    later(world, 2 * HOUR)
    assert send(world, 1) == [after]


def test_strictly_the_period_begins_with_the_first_refusal_and_ends_with_the_next_message_taken(make_world):
    world = make_world(lmtp_strict_quota=True, quota_grace=HOUR)
    world.user("alice")
    world.quota("user/alice", storage=1500)
    large = message("<large@x>", body="x" * 5000 + "\n")
    assert world.deliver(ALICE, large) == [Result.OVER_QUOTA]
    later(world, 2 * HOUR)
    assert world.deliver(ALICE, large) == [Result.OVER_QUOTA_PERMANENT]
    assert send(world, 1) == [Result.DELIVERED]
    assert world.deliver(ALICE, large) == [Result.OVER_QUOTA]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"quota_grace": HOUR},
            r"Until \d{4}-\d\d-\d\d \d\d:\d\d their senders' servers try again; after that they go back",
        ),
        ({"lmtp_over_quota_perm_failure": True}, "They go back to their senders."),
        ({}, "Their senders' servers try again for some time"),
    ],
)
def test_the_letter_says_what_becomes_of_refused_mail(make_world, changes, words):
    world = make_world(quota_warnings=("over",), **changes)
    world.user("alice")
    world.quota("user/alice", messages=2)
    send(world, 3)
    (letter,) = letters(world)
    assert re.search(words, letter.data.decode())


# -- rounds -----------------------------------------------------------------------------------------------------------


def rounds(world, *times):
    going = Rounds(world.settings, world.store)
    for now in times or (0.0,):
        going.go_on(now)
    return going


def test_a_round_tells_of_what_an_imap_client_has_filled(alice):
    fill(alice, 90)
    rounds(alice)
    assert len(letters(alice)) == 1
    rounds(alice)
    assert len(letters(alice)) == 1


def test_a_round_arms_a_level_again(alice):
    fill(alice, 90)
    rounds(alice)
    empty(alice)
    rounds(alice)
    assert state(alice) == State()


def test_a_round_knows_that_there_is_room_again(graced):
    send(graced, 4)
    empty(graced)
    rounds(graced)
    assert state(graced) == State()


def test_rounds_come_at_their_interval(alice):
    going = rounds(alice, 0.0)
    fill(alice, 90)
    going.go_on(1.0)
    going.go_on(3599.0)
    assert letters(alice) == []
    going.go_on(3601.0)
    assert len(letters(alice)) == 1


def test_a_long_round_is_gone_on_with(alice, monkeypatch):
    monkeypatch.setattr("sievemda.delivery.fullness.round._SLICE", -1.0)
    for number in range(3):
        alice.user(f"u{number}")
        alice.quota(f"user/u{number}", messages=10)
        fill(alice, 9, f"user/u{number}")
    going = Rounds(alice.settings, alice.store)
    told = []
    for _ in range(4):
        going.go_on(0.0)
        told.append(sum(len(letters(alice, f"user/u{number}")) for number in range(3)))
    assert told == [0, 1, 2, 3]  # alice first, then one at a time


def test_rounds_follow_the_rules_of_a_file_and_read_it_anew(alice, tmp_path, caplog):
    rules = tmp_path / "rules.toml"
    rules.write_text("[rules.x]\nthresholds = [50]\nwrong = 1\n")
    world = changed(alice, quota_rules=rules)
    fill(world, 60)
    going = rounds(world, 0.0)
    assert "rules.x.wrong" in caplog.text
    rules.write_text("[rules.x]\nthresholds = [50]\n")
    going.go_on(4000.0)
    world.close()
    assert subjects(alice) == ["Mailbox user/alice is 60% full"]


def test_without_anything_to_watch_no_root_is_looked_at(make_world, monkeypatch):
    world = make_world()
    monkeypatch.setattr(world.store, "roots", lambda: pytest.fail("looked"))
    rounds(world)


def test_one_broken_root_does_not_stop_a_round(alice, caplog):
    alice.user("zoe")
    alice.quota("user/zoe", messages=10)
    fill(alice, 9, "user/zoe")
    fill(alice, 90)
    (alice.folder("user/alice") / "sievemda-quota.lock").mkdir()
    os.utime(alice.folder("user/alice") / "sievemda-quota.lock", (0, 0))
    rounds(alice)
    assert len(letters(alice, "user/zoe")) == 1
    assert "quota not looked at" in caplog.text


def test_what_was_told_is_in_the_log_and_in_the_journal(alice, caplog):
    caplog.set_level(logging.INFO)
    fill(alice, 84)
    recount(alice)
    alice.deliver(ALICE, message("<the-one@x>"))
    (letter,) = letters(alice)
    (message_id,) = letter.values("message-id")
    assert f"quota warning root=user/alice level=80% percent=85 to=user/alice msgid={message_id}" in caplog.text
    (entry,) = alice.journal.find("<the-one@x>")
    assert {
        "action": "quota warning",
        "line": 0,
        "root": "user/alice",
        "level": "80%",
        "message_id": message_id,
    } in entry["done"]


def test_limits_that_are_lifted_end_everything(alice):
    fill(alice, 90)
    rounds(alice)
    alice.store.make_root(alice.store.find(alice.store.namespace.parse_admin("user/alice"))).set_limits(Limits())
    assert send(alice, 1) == [Result.DELIVERED]
    assert state(alice) == State()


# -- other roots and rules --------------------------------------------------------------------------------------------


def test_of_a_domain_the_postmaster_is_told_and_its_senders_are_put_off(make_world):
    settings = {"virtdomains": "userid", "defaultdomain": "example.org"}
    world = make_world(quota_warnings=("80%",), quota_grace=HOUR, **settings)
    for user in ("ann", "ben"):
        world.mailbox(f"user/{user}@a.example")
    name = rootlist.root_name(world.store.namespace, "@a.example")
    root = rootlist.set_limits(world.store, name, Limits(messages=10))
    assert send(world, 7, "ann@a.example") == [Result.DELIVERED] * 7
    assert world.outgoing() == []
    assert send(world, 4, "ben@a.example") == [Result.DELIVERED] * 4
    assert send(world, 1, "ann@a.example") == [Result.OVER_QUOTA]
    told = [text.split(b"Subject: ")[1].partition(b"\n")[0] for _, text in world.outgoing()]
    assert sorted(told) == [b"Mailbox @a.example is 80% full", b"Mailbox @a.example is full: mail is being refused"]
    states = Watch(world.settings, world.store).states
    with states.held(root.path) as held:
        held.replace(replace(held.state, full_since=held.state.full_since - 2 * HOUR))
    assert send(world, 1, "ben@a.example") == [Result.OVER_QUOTA_PERMANENT]


def test_strictly_the_owner_is_told_when_mail_is_refused_for_the_little_that_is_left(make_world):
    world = make_world(lmtp_strict_quota=True, quota_warnings=("80%",))
    world.user("alice")
    world.quota("user/alice", storage=100 * KIB)
    fill(world, 1, size=96 * KIB)
    recount(world)
    assert world.deliver(ALICE, message("<1@x>", body="x" * 70 + "\n" + "y\n" * 4000)) == [Result.OVER_QUOTA]
    assert subjects(world) == ["Mailbox user/alice is full: mail is being refused"]


def test_strictly_one_message_that_is_too_large_does_not_make_a_mailbox_full(make_world):
    world = make_world(lmtp_strict_quota=True, quota_warnings=("80%",))
    world.user("alice")
    world.quota("user/alice", storage=100 * KIB)
    assert world.deliver(ALICE, message("<1@x>", body="y\n" * 60_000)) == [Result.OVER_QUOTA]
    assert subjects(world) == []


def test_a_limit_on_folders_is_told_of_by_a_rule_that_asks_for_it(alice, tmp_path):
    alice.quota("user/alice", mailboxes=3)
    rules = tmp_path / "rules.toml"
    rules.write_text('[rules.folders]\nthreshold = 90\nresource = "MAILBOX"\n')
    world = changed(alice, quota_warnings=(), quota_rules=rules)
    rounds(world)
    world.close()
    assert subjects(alice) == ["Mailbox user/alice is 100% full"]
    assert b"holds 3 folders, and its limit is 3 folders" in letters(alice)[0].data


def test_a_user_who_is_renamed_is_not_told_again(alice):
    fill(alice, 90)
    rounds(alice)
    namespace = alice.store.namespace
    alice.store.rename(namespace.parse_admin("user/alice"), namespace.parse_admin("user/zoe"))
    send(alice, 2, "zoe@example.org")
    assert len(letters(alice, "user/zoe")) == 1
