"""Where a message lands, with and without a script."""

import logging
import os
import time

import pytest

from sievemda.mail.result import Result
from sievemda.store.scripts import ScriptStore
from tests.delivery.world import PEER, message, sender

OK = Result.DELIVERED
FILEINTO = 'require ["fileinto", "copy", "mailbox", "imap4flags"]; '


def failed(world, user="alice") -> bool:
    return "$SieveFailed" in world.keywords(f"user/{user}")


# --- plain delivery ---


def test_mail_without_a_script_lands_in_the_inbox_unflagged(world):
    world.user("alice")
    assert world.deliver("alice@x", message()) == [OK]
    assert world.files("user/alice")[0].parent.name == "new"


def test_a_detail_folder_needs_the_posters_right(world):
    world.user("alice", "F", acl=("fred", "p"))
    world.deliver("alice+F@x", message("<1@x>"), sender(auth="fred"))
    world.deliver("alice+F@x", message("<2@x>"), sender(auth="bob"))
    assert len(world.files("user/alice/F")) == 1
    assert len(world.files("user/alice")) == 1
    assert not failed(world)


@pytest.mark.parametrize("detail", ["missing", "f", "F/x", "INBOX", "inbox"])
def test_a_detail_without_its_folder_lands_in_the_inbox(world, detail):
    world.user("alice", "F")
    world.deliver(f"alice+{detail}@x", message())
    assert len(world.files("user/alice")) == 1


@pytest.mark.parametrize(
    ("detail", "folder"), [("my-lists", "My Lists"), ("MY_LISTS/nope", "My Lists"), ("f/SUB", "F/sub"), ("f/nope", "F")]
)
def test_the_nearest_folder_is_found_when_the_site_wants_it(make_world, detail, folder):
    world = make_world(lmtp_fuzzy_mailbox_match=True)
    world.user("alice", "My Lists", "F", "F/sub")
    world.deliver(f"alice+{detail}@x", message())
    assert len(world.files(f"user/alice/{folder}")) == 1


def test_a_full_detail_folder_falls_back_to_the_inbox(world):
    world.user("alice", "F")
    world.quota("user/alice/F", messages=0)
    for number in range(3):
        assert world.deliver("alice+F@x", message(f"<{number}@x>")) == [OK]
    assert len(world.files("user/alice/F")) == 1
    assert len(world.files("user/alice")) == 2


@pytest.mark.parametrize("use", ["\\Drafts", "\\Scheduled", "\\Snoozed"])
def test_a_folder_that_takes_no_deliveries_falls_back_to_the_inbox(world, use):
    world.user("alice")
    world.mailbox("user/alice/D", ("anyone", "p"), special_use=use)
    world.deliver("alice+D@x", message())
    assert world.files("user/alice/D") == []
    assert len(world.files("user/alice")) == 1


def test_which_folders_take_no_deliveries_is_a_setting(make_world):
    world = make_world(lmtp_exclude_specialuse=())
    world.user("alice")
    world.mailbox("user/alice/D", ("anyone", "p"), special_use="\\Drafts")
    world.deliver("alice+D@x", message())
    assert len(world.files("user/alice/D")) == 1


@pytest.mark.parametrize("folder", ["#calendars", "#sieve/x"])
def test_a_folder_that_is_not_for_mail_falls_back_to_the_inbox(world, folder):
    world.user("alice", folder)
    assert world.deliver(f"alice+{folder}@x", message()) == [Result.DELIVERED]
    assert world.files(f"user/alice/{folder}") == []
    assert len(world.files("user/alice")) == 1


def test_a_shared_folder_that_is_not_for_mail_takes_none(world):
    world.mailbox("DELETED/b", ("anyone", "lrsp"))
    assert world.result("+DELETED/b@x") is Result.MAILBOX_BROKEN


def test_a_damaged_detail_folder_falls_back_to_the_inbox(world):
    world.user("alice", "F")
    new = world.folder("user/alice/F") / "new"
    new.rmdir()
    new.write_text("not a directory")
    assert world.deliver("alice+F@x", message()) == [OK]
    assert len(list((world.folder("user/alice") / "new").iterdir())) == 1


def test_a_user_who_went_away_after_rcpt_is_refused(world):
    world.user("alice")
    target = world.verify("alice@x")
    world.folder("user/alice").rename(world.settings.data / "gone")
    content = world.content(message(), [target])
    assert [r.result for r in world.deliverer.deliver(sender(), PEER, [target], content)] == [Result.NO_SUCH_USER]


def test_a_board_whose_right_went_away_after_rcpt_is_refused(world):
    board = world.mailbox("board", ("anyone", "lrsp"))
    target = world.verify("+board@x")
    board.change_acl(lambda acl: acl.changed("anyone", "lrs"))
    content = world.content(message(), [target])
    assert [r.result for r in world.deliverer.deliver(sender(), PEER, [target], content)] == [Result.NOT_PERMITTED]


def test_every_recipient_has_a_result_of_his_own_in_order(world):
    world.user("alice")
    world.user("bob", script='require "reject"; reject "no";')
    world.user("carol")
    results = world.deliver(["alice@x", "nobody@x", "bob@x", "carol@x"], message())
    assert results == [OK, Result.NO_SUCH_USER, Result.REJECTED, OK]


def test_a_refused_message_is_refused_for_all(world):
    world.user("alice")
    world.user("bob")
    assert world.deliver(["alice@x", "bob@x"], b"A: b\0\n\n") == [Result.CONTENT_REFUSED] * 2
    assert world.files("user/alice") == []


# --- one file ---


def test_recipients_share_one_file(world):
    users = ["a", "b", "c"]
    for user in users:
        world.user(user)
    world.deliver([f"{user}@x" for user in users], message())
    files = [world.files(f"user/{user}")[0] for user in users]
    assert len({file.stat().st_ino for file in files}) == 1
    assert files[0].stat().st_nlink == 3
    assert world.staged() == []


def test_each_partition_has_a_file(make_world, tmp_path):
    world = make_world(partitions={"default": tmp_path / "p1", "second": tmp_path / "p2"})
    for user, partition in (("a", ""), ("b", "second"), ("c", "second")):
        world.store.create(world.store.namespace.parse_admin(f"user/{user}"), partition=partition)
    world.deliver(["a@x", "b@x", "c@x"], message())
    inodes = [world.files(f"user/{user}")[0].stat().st_ino for user in "abc"]
    assert inodes[1] == inodes[2] != inodes[0]
    assert world.staged() == []


def test_links_can_be_switched_off(make_world):
    world = make_world(singleinstancestore=False)
    world.user("a")
    world.user("b")
    world.deliver(["a@x", "b@x"], message())
    assert world.files("user/a")[0].stat().st_nlink == 1
    assert world.stored("user/a") == world.stored("user/b")
    assert world.staged() == []


@pytest.mark.parametrize("users", [["a"], ["a", "b"], ["a", "b", "a"]])
def test_a_large_message_is_spooled_once_and_linked(make_world, users):
    world = make_world(lmtp_spool_threshold=10_000)
    for user in set(users):
        world.user(user)
    data = message(body="x" * 100_000 + "\n")
    assert world.deliver([f"{user}@x" for user in users], data) == [OK] * len(users)
    for user in set(users):
        assert world.stored(f"user/{user}").endswith(b"x" * 100_000 + b"\n")
    assert len({world.files(f"user/{user}")[0].stat().st_ino for user in users}) == 1
    assert world.staged() == []


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Sat, 21 Nov 2020 10:00:00 +0000", 1605952800),
        ("Sat, 21 Nov 2020 11:00:00 +0100", 1605952800),
        ("yesterday", None),
        ("Sat, 21 Nov 99999999 10:00:00 +0000", None),
        ("", None),
    ],
)
def test_the_time_of_an_earlier_arrival_is_kept(world, field, expected):
    world.user("alice")
    world.deliver("alice@x", f"X-DeliveredInternalDate: {field}\nSubject: x\n\nx\n".encode())
    (file,) = world.files("user/alice")
    assert file.stat().st_mtime == (expected or pytest.approx(time.time(), abs=60))


def test_a_large_message_that_nobody_keeps_leaves_nothing(make_world):
    world = make_world(lmtp_spool_threshold=1000)
    world.user("alice", script="discard;")
    assert world.deliver("alice@x", message(body="x" * 10_000)) == [OK]
    assert world.staged() == []
    assert world.files("user/alice") == []


# --- duplicates ---


def test_the_same_message_is_stored_once(world):
    world.user("alice")
    assert world.deliver("alice@x", message()) + world.deliver("alice@x", message()) == [OK, OK]
    assert len(world.files("user/alice")) == 1


def test_two_addresses_of_one_user_give_one_copy(world):
    world.user("alice")
    assert world.deliver(["alice@x", "alice+missing@x", "ALICE@y"], message()) == [OK, OK, OK]
    assert len(world.files("user/alice")) == 1


def test_inbox_and_folder_each_get_a_copy(world):
    world.user("alice", "F")
    world.deliver(["alice@x", "alice+F@x"], message())
    assert len(world.files("user/alice")) == len(world.files("user/alice/F")) == 1


def test_another_date_is_another_message(world):
    world.user("alice")
    world.deliver("alice@x", message())
    world.deliver("alice@x", message().replace(b"10:00:00", b"11:00:00"))
    assert len(world.files("user/alice")) == 2


def test_a_message_without_an_id_is_never_a_duplicate(world):
    world.user("alice")
    for _ in range(2):
        world.deliver("alice@x", b"Subject: x\n\nBody\n")
    assert len(world.files("user/alice")) == 2


def test_suppression_can_be_switched_off(make_world):
    world = make_world(duplicatesuppression=False)
    world.user("alice")
    world.deliver(["alice@x", "alice@x"], message())
    assert len(world.files("user/alice")) == 2
    assert not world.settings.memory_path.exists()


def test_an_over_quota_duplicate_is_over_quota(world):
    world.user("alice")
    target = world.verify("alice@x")
    world.quota("user/alice", messages=0)
    for expected in (OK, Result.OVER_QUOTA):
        content = world.content(message(), [target])
        assert [r.result for r in world.deliverer.deliver(sender(), PEER, [target], content)] == [expected]


def test_a_duplicate_is_known_for_some_days_only(make_world, monkeypatch):
    world = make_world(memory_days=3)
    world.user("alice")
    world.deliver("alice@x", message())
    real = __import__("time").time
    monkeypatch.setattr("sievemda.delivery.recall.time.time", lambda: real() + 3 * 86_400 + 1)
    world.deliver("alice@x", message())
    assert len(world.files("user/alice")) == 2


# --- scripts ---


def test_a_script_files_as_the_owner(world):
    world.user("alice", "P", acl=None, script=FILEINTO + 'fileinto "P";')
    world.deliver("alice@x", message())
    assert len(world.files("user/alice/P")) == 1
    assert world.files("user/alice") == []


def test_flags_put_a_message_into_cur(world):
    world.user("alice", script=FILEINTO + r'keep :flags ["\\Seen", "work"];')
    world.deliver("alice@x", message())
    assert world.files("user/alice")[0].name.endswith(":2,Sa")
    assert world.keywords("user/alice") == ["work"]


@pytest.mark.parametrize(
    "action",
    [
        'fileinto "Nowhere";',
        'fileinto :copy "Nowhere";',
        'fileinto "a//b";',
        'fileinto "../x";',
        'fileinto "";',
        'fileinto "Other Users/bob";',
        'fileinto :create "Other Users/bob/x";',
        'fileinto :create "Shared Folders/x";',
        'fileinto :create "Other Users/nobody/x";',
        r'fileinto "\\Junk";',
        'fileinto "NoRight";',
        'fileinto "Full";',
        'fileinto "Drafts";',
    ],
)
def test_a_place_that_cannot_be_had_is_a_failure_and_the_inbox_gets_it(world, action):
    world.user("bob")
    world.user("alice", "Full")
    world.mailbox("user/alice/After")
    world.mailbox("user/alice/NoRight", ("alice", "lrs"))
    world.mailbox("user/alice/Drafts", special_use="\\Drafts")
    world.quota("user/alice/Full", messages=0)
    world.deliver("alice+Full@x", message("<fill@x>"))
    world.script("alice", FILEINTO + action + ' fileinto "After";')
    assert world.deliver("alice@x", message()) == [OK]
    assert [p for p in world.files("user/alice") if p.name.endswith(":2,a")]
    assert failed(world)
    assert world.files("user/alice/After") == []
    assert world.files("user/bob") == []


def test_actions_before_the_failing_one_stand(world):
    world.user("alice", "A", script=FILEINTO + 'fileinto "A"; fileinto "Nowhere";')
    world.deliver("alice@x", message())
    assert len(world.files("user/alice/A")) == 1
    assert len(world.files("user/alice")) == 1
    assert failed(world)


def test_a_copy_already_in_the_inbox_is_not_doubled_by_the_failure(world):
    world.user("alice", script=FILEINTO + 'fileinto :copy "INBOX"; fileinto "Nowhere";')
    world.deliver("alice@x", message())
    assert len(world.files("user/alice")) == 1
    assert not failed(world)


def test_a_run_time_error_undoes_the_whole_script(world):
    world.user("alice", "A", script='require ["fileinto", "reject"]; fileinto "A"; reject "no";')
    assert world.deliver("alice@x", message()) == [OK]
    assert world.files("user/alice/A") == []
    assert failed(world)


def test_a_failure_with_a_detail_goes_to_the_folder_of_the_detail(world):
    world.user("alice", "F", script=FILEINTO + 'fileinto "Nowhere";')
    world.deliver("alice+F@x", message())
    assert world.keywords("user/alice/F") == ["$SieveFailed"]


def test_a_broken_script_lands_in_the_inbox_with_the_keyword_and_a_line_in_the_log(world, caplog):
    world.user("alice", "F", script="if {")
    with caplog.at_level(logging.WARNING):
        assert world.deliver("alice+F@x", message()) == [OK]
    assert failed(world)
    assert "script" in caplog.text


@pytest.mark.parametrize("kind", ["dangling", "directory", "fifo", "huge", "binary"])
def test_an_unreadable_script_lands_in_the_inbox(world, kind):
    world.user("alice")
    path = world.store.home("alice") / ".dovecot.sieve"
    match kind:
        case "dangling":
            path.symlink_to("sieve/gone.sieve")
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "huge":
            with path.open("wb") as file:
                file.truncate(1 << 30)
        case "binary":
            path.write_bytes(bytes(range(256)) * 10)
    assert world.deliver("alice@x", message()) == [OK]
    assert failed(world)


def test_a_script_that_becomes_active_while_it_is_looked_for_is_not_broken(world, monkeypatch):
    world.user("alice", "F", script='require "fileinto"; fileinto "F";')
    scripts = ScriptStore(world.store.home("alice"))
    [script] = scripts.list()
    scripts.deactivate()
    look = ScriptStore.actives

    def and_then_it_is_made_active(self):
        found = look(self)
        scripts.activate(script.name)
        return found

    monkeypatch.setattr(ScriptStore, "actives", and_then_it_is_made_active)
    assert world.deliver("alice@x", message()) == [OK]
    assert (failed(world), len(world.files("user/alice/F"))) == (False, 1)


def test_keep_with_a_detail_goes_to_its_folder(world):
    world.user("alice", "F", script="keep;")
    world.deliver("alice+F@x", message())
    assert len(world.files("user/alice/F")) == 1


def test_keep_with_a_detail_the_poster_may_not_use_fails_visibly(world):
    world.user("alice", "F", acl=None, script="keep;")
    world.deliver("alice+F@x", message())
    assert failed(world)
    assert world.files("user/alice/F") == []


def test_two_stores_into_one_mailbox_are_the_later_one(world):
    world.user("alice", "F", script=FILEINTO + r'fileinto :copy :flags "\\Seen" "F";')
    world.deliver("alice+F@x", message())
    (file,) = world.files("user/alice/F")
    assert file.parent.name == "new"
    assert world.files("user/alice") == []


@pytest.mark.parametrize(
    ("changes", "action", "made"),
    [
        ({}, 'fileinto :create "N";', True),
        ({}, 'fileinto :create "N/Deep";', True),
        ({"anysievefolder": True}, 'fileinto "N";', True),
        ({"autocreate_sieve_folders": "X | N"}, 'fileinto "N";', True),
        ({"autocreate_sieve_folders": "n"}, 'fileinto "N";', False),
        ({}, 'fileinto "N";', False),
    ],
)
def test_folders_are_made_when_the_script_or_the_site_says_so(make_world, changes, action, made):
    world = make_world(**changes)
    world.user("alice", script=FILEINTO + action)
    world.deliver("alice@x", message())
    assert (len(world.files("user/alice")) == 0) == made
    assert failed(world) != made


def test_discard_is_250_and_nothing(world):
    world.user("alice", script="discard;")
    assert world.deliver("alice@x", message()) == [OK]
    assert world.files("user/alice") == []
    assert world.staged() == []


def test_a_script_sees_the_folders_its_owner_may_use(world):
    world.user("alice", "A", script=FILEINTO + 'if mailboxexists ["A", "INBOX"] { fileinto "A"; }')
    world.deliver("alice@x", message())
    assert len(world.files("user/alice/A")) == 1


def test_a_folder_without_the_right_does_not_exist_for_the_script(world):
    world.user("alice", script=FILEINTO + 'if mailboxexists "N" { discard; }')
    world.mailbox("user/alice/N", ("alice", "lr"))
    world.deliver("alice@x", message())
    assert len(world.files("user/alice")) == 1


def test_an_inbox_over_quota_is_refused_though_the_script_would_file_elsewhere(world):
    world.user("alice", "F", script=FILEINTO + 'fileinto "F";')
    world.quota("user/alice", messages=0)
    world.deliver("alice@x", message("<0@x>"))
    assert world.deliver("alice@x", message()) == [Result.OVER_QUOTA]


@pytest.mark.parametrize(
    ("rights", "letters"), [("lrsp", "S"), ("lrp", ""), ("lrwp", "Fa"), ("lrtp", "T"), ("lrswtp", "FSTa")]
)
def test_flags_are_set_with_the_rights_of_the_owner(world, rights, letters):
    flags = r'["\\Seen", "\\Flagged", "\\Deleted", "work"]'
    world.user("alice", script=f'require ["fileinto", "imap4flags"]; fileinto :flags {flags} "Shared Folders/b";')
    world.mailbox("b", ("anyone", ""), ("alice", rights))
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    (file,) = world.files("b")
    assert file.name.partition(":2,")[2] == letters


def test_a_plain_file_as_the_active_script_runs(world):
    world.user("alice", "A")
    (world.store.home("alice") / ".dovecot.sieve").write_text('require "fileinto"; fileinto "A";')
    world.deliver("alice@x", message())
    assert len(world.files("user/alice/A")) == 1


def test_a_new_version_of_a_script_holds_at_once(world):
    world.user("alice", "A", script="discard;")
    world.deliver("alice@x", message("<1@x>"))
    world.script("alice", FILEINTO + 'fileinto "A";')
    world.deliver("alice@x", message("<2@x>"))
    assert len(world.files("user/alice/A")) == 1


# --- refusing ---


def test_reject_refuses_in_the_protocol_with_its_reason(world):
    world.user("alice", script='require "reject"; reject "Go away.\r\nPlease.";')
    (receipt,) = world.receipts("alice@x", message())
    assert receipt.result is Result.REJECTED
    assert receipt.reason == "Go away.\r\nPlease."
    assert world.outgoing() == []


@pytest.mark.parametrize(
    ("extension", "changes", "who", "result", "notices"),
    [
        ("reject", {}, sender(), OK, 1),
        ("reject", {}, sender(smtputf8=True), Result.REJECTED, 0),
        ("ereject", {}, sender(), Result.REJECTED, 0),
        ("reject", {"sieve_use_lmtp_reject": False}, sender(smtputf8=True), OK, 1),
        ("ereject", {"sieve_use_lmtp_reject": False}, sender(), Result.REJECTED, 0),
        ("reject", {}, sender(""), OK, 0),
        ("ereject", {}, sender(""), Result.REJECTED, 0),
    ],
)
def test_a_text_that_is_not_ascii_is_refused_by_a_notice_where_the_protocol_cannot_carry_it(
    make_world, extension, changes, who, result, notices
):
    world = make_world(**changes)
    world.user("alice", script=f'require "{extension}"; {extension} "Größe ☃";')
    (receipt,) = world.receipts("alice@x", message(), who)
    assert receipt.result is result
    assert len(world.outgoing()) == notices
    if extension == "ereject":
        assert receipt.reason == "Gro?e ?"
    assert world.files("user/alice") == []
