import itertools
import os
import threading

import pytest

from sievemda.policy.quota import Limits, Usage
from sievemda.store import quota
from sievemda.store.quota import QuotaRoot
from tests.store.contents import next_time_stamp

MESSAGE = b"Subject: x\n\nbody\n"  # 17 octets


def put(store, box, count=1, content=MESSAGE):
    for _ in range(count):
        store.stage("default", [content]).deliver(box, last=True)


def size_file(box):
    return (box.path / "maildirsize").read_text()


def root_of(store, text, limits=None):
    root = store.make_root(store.find(store.namespace.parse_admin(text)))
    if limits is not None:
        root.set_limits(limits)
    return root


@pytest.mark.parametrize(
    ("limits", "first"),
    [
        (Limits(storage=10240000, messages=50), "10240000S,50C"),
        (Limits(storage=1024), "1024S"),
        (Limits(messages=5), "5C"),
        (Limits(storage=0), "1S"),
        (Limits(messages=0), "1C"),
        (Limits(storage=2**62, messages=2**62), "4611686018427387904S,4611686018427387904C"),
        (Limits(storage=0, messages=3, mailboxes=7, annotation=1024), "1S,3C"),
    ],
)
def test_limits_are_written_as_maildir_readers_know_them_and_read_back(store, mailbox, limits, first):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", limits)
    assert size_file(box) == f"{first}\n0 0\n"
    assert root.limits() == limits


def test_limits_only_we_know_need_no_maildirsize(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(mailboxes=7))
    assert not (box.path / "maildirsize").exists()
    assert root.limits() == Limits(mailboxes=7)


def test_new_limits_replace_all_old_ones(store, mailbox):
    mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(storage=0, messages=5, mailboxes=3))
    root.set_limits(Limits(storage=2048))
    assert root.limits() == Limits(storage=2048)


def test_lifting_every_limit_leaves_a_root_without_any(store, mailbox):
    box = mailbox("user/alice")
    root_of(store, "user/alice", Limits(storage=0)).set_limits(Limits())
    root = store.quota_root(box.name)
    assert root.limits() == Limits()
    assert root.would_accept(10**12, 1)


def test_limits_survive_a_program_that_removes_the_file_to_have_it_counted(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=1))
    put(store, box, 2)
    (box.path / "maildirsize").unlink()
    assert not root.would_accept()
    assert size_file(box) == "1C\n34 2\n"


def test_a_limit_that_another_program_changed_goes_before_ours(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(storage=1024, messages=1))
    (box.path / "maildirsize").write_text("7C\n0 0\n")
    assert root.limits() == Limits(messages=7)


def test_a_limit_that_another_program_wrote_holds(store, mailbox):
    box = mailbox("user/alice")
    (box.path / "maildirsize").write_text("1000S,10C\n0 0\n")
    assert box.quota_root().limits() == Limits(storage=1000, messages=10)


@pytest.mark.parametrize("first", ["0S", "0S,0C", "NOQUOTA", ""])
def test_what_an_imap_server_counts_without_a_limit_is_no_root_of_ours_and_kept_up(store, mailbox, first):
    box = mailbox("user/alice")
    (box.path / "maildirsize").write_text(f"{first}\n5 1\n")
    assert box.quota_root().limits() == Limits()
    assert box.quota_root().would_accept(10**12)
    assert store.quota_root(box.name) is None
    assert list(store.roots()) == []
    put(store, box)
    assert size_file(box) == f"{first}\n5 1\n17 1\n"


def test_limits_survive_a_program_that_writes_the_file_anew_without_them(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=1, storage=0))
    (box.path / "maildirsize").write_text("0S\n0 0\n")
    assert root.limits() == Limits(messages=1, storage=0)


def test_parts_of_the_first_line_that_nobody_knows_are_passed_over(store, mailbox):
    box = mailbox("user/alice")
    (box.path / "maildirsize").write_text("X,5000S,7Q,5x\n0 0\n")
    assert box.quota_root().limits() == Limits(storage=5000)


def test_the_soft_rule_takes_one_message_more_than_the_limit(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=2))
    for expected in (True, True, True):
        assert root.would_accept() is expected
        put(store, box)
    assert not root.would_accept()


def test_the_strict_rule_counts_the_message_itself(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(storage=34))
    put(store, box)
    assert root.would_accept(17, 1)
    assert not root.would_accept(18, 1)


def test_a_limit_of_zero_takes_the_first_message_and_no_other(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(storage=0))
    assert root.would_accept()
    put(store, box)
    assert not root.would_accept()


def test_mail_expunged_by_a_server_that_keeps_no_quota_makes_room(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=1))
    put(store, box, 2)
    assert not root.would_accept()
    for path in (box.path / "new").iterdir():
        path.unlink()
    assert root.would_accept()
    assert root.usage() == Usage(0, 0)


def test_a_full_account_is_not_counted_again_before_something_changes(store, mailbox, monkeypatch):
    box = mailbox("user/alice/Lists")
    root = root_of(store, "user/alice", Limits(messages=1))
    put(store, box, 2)
    next_time_stamp(store)
    assert not root.would_accept()
    counted = []
    monkeypatch.setattr(QuotaRoot, "recount", lambda self: counted.append(self) or Usage(0, 0))
    assert not root.would_accept()
    assert counted == []
    next((box.path / "new").iterdir()).unlink()
    assert root.would_accept()
    assert len(counted) == 1


def test_a_count_of_a_server_that_knows_one_root_only_refuses_nothing(store, mailbox):
    nested = mailbox("user/alice/Work")
    root = root_of(store, "user/alice", Limits(messages=3))
    root_of(store, "user/alice/Work", Limits(messages=10))
    put(store, mailbox("user/alice"), 1)
    put(store, nested, 5)
    next_time_stamp(store)
    (root.path / "maildirsize").write_text("3C\n102 6\n")
    assert root.known().messages == 1
    (root.path / "maildirsize").write_text("3C\n102 6\n")
    assert root.would_accept()
    assert root.usage() == Usage(17, 1)


def test_a_count_that_folders_under_change_made_impossible_is_nothing_to_add_to(store, mailbox, monkeypatch):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=100))
    put(store, box, 3)
    numbers = itertools.count()
    with monkeypatch.context() as changing:
        changing.setattr(quota, "_stamps_now", lambda folders: [next(numbers)])
        root.recount()
    put(store, box, 1)
    assert (root.usage().storage, root.usage().messages) == (68, 4)


def test_mail_expunged_by_a_server_that_keeps_quota_is_subtracted(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=10))
    put(store, box, 3)
    with (box.path / "maildirsize").open("a") as file:
        file.write("-17 -1\n")
    assert root.usage() == Usage(34, 2)


@pytest.mark.parametrize(
    "damage",
    [
        *("", "100C", "100C\n", "100C\nx y\n", "100C\n1 2 3\n4\n", "100C\n-5 -1\n", "100C\n17 1", "1" * 6000),
        *(f"100C\n{10**20} 1\n", f"100C\n1 {10**20}\n", f"100C\n{2**62} 3\n", "100C\n" + f"{2**63 - 1} 1\n" * 2),
        *("100C\n" + "1 1\n" * 2000, "100C\n" + "1" * 5000 + " 1\n"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_counted_anew(store, mailbox, damage):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=100))
    put(store, box, 2)
    (box.path / "maildirsize").write_text(damage)
    assert root.usage() == Usage(34, 2, 1)
    assert size_file(box) == "100C\n34 2\n"


@pytest.mark.parametrize(
    "content", ["0C\n0 0\n", "-2C\n0 0\n", "2C\r\n0 0\r\n", "\n0 0\n", f"{10**20}C\n0 0\n", f"{10**18 * 9}C\n0 0\n"]
)
def test_a_file_that_says_no_limit_is_not_believed_when_a_folder_has_changed(store, mailbox, content):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=2))
    (box.path / "maildirsize").write_text(content)
    next_time_stamp(store)
    for number in range(3):
        (box.path / "cur" / f"{number}.host,S=5:2,S").write_bytes(b"hello")
    assert not root.would_accept()
    assert size_file(box) == "2C\n15 3\n"


def test_a_usage_that_cannot_be_refuses_no_mail(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(storage=1000))
    (box.path / "maildirsize").write_text(f"1000S\n{10**20} 1\n")
    assert root.would_accept(17, 1)
    assert size_file(box) == "1000S\n0 0\n"


def test_a_file_full_of_lines_is_written_anew_and_short(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=10000))
    put(store, box, 1)
    with (box.path / "maildirsize").open("a") as file:
        file.write("5 1\n-5 -1\n" * 600)
    assert root.usage() == Usage(17, 1, 1)
    assert size_file(box) == "10000C\n17 1\n"


def test_messages_without_a_size_in_their_name_are_looked_at(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=10))
    (box.path / "cur" / "1.host:2,S").write_bytes(b"x" * 100)
    (box.path / "cur" / "2.host,S=50:2,S").write_bytes(b"x")
    (box.path / "cur" / ".hidden").write_bytes(b"x" * 1000)
    assert root.usage(fresh=True) == Usage(150, 2, 1)


def test_usage_counts_everything_below_the_root_on_every_partition(store, mailbox):
    inbox = mailbox("user/alice")
    far = store.create(inbox.name.child("Far"), partition="two")
    root = root_of(store, "user/alice", Limits(messages=10))
    put(store, inbox)
    put(store, mailbox("user/alice/Lists/Sub"))
    store.stage("two", [MESSAGE]).deliver(far, last=True)
    assert root.usage() == Usage(51, 3)
    assert root.usage(fresh=True) == Usage(51, 3, 3)


def test_the_nearest_root_counts_and_takes_its_subtree_out_of_the_outer_one(store, mailbox):
    inbox, lists, sub = mailbox("user/alice"), mailbox("user/alice/Lists"), mailbox("user/alice/Lists/Sub")
    outer = root_of(store, "user/alice", Limits(messages=10))
    put(store, inbox)
    put(store, sub)
    inner = root_of(store, "user/alice/Lists", Limits(messages=5))
    assert outer.usage().messages == 1
    assert sub.quota_root().name == lists.name
    assert inbox.quota_root().name == inbox.name
    assert inner.usage(fresh=True) == Usage(17, 1, 2)
    assert outer.usage(fresh=True) == Usage(17, 1, 1)
    put(store, sub)
    assert inner.usage().messages == 2
    assert outer.usage().messages == 1


def test_a_root_that_is_removed_gives_its_subtree_back_to_the_outer_one(store, mailbox):
    inbox, lists = mailbox("user/alice"), mailbox("user/alice/Lists")
    outer = root_of(store, "user/alice", Limits(messages=10))
    inner = root_of(store, "user/alice/Lists", Limits(messages=5))
    put(store, lists)
    inner.remove()
    assert lists.quota_root().name == inbox.name
    assert outer.usage().messages == 1


def test_a_root_covers_components_not_letters(store, mailbox):
    mailbox("user/alice/Li")
    other = mailbox("user/alice/Lists")
    root_of(store, "user/alice/Li", Limits(messages=1))
    assert other.quota_root() is None


def test_a_missing_folder_between_root_and_mailbox_does_not_matter(store, mailbox):
    inbox = mailbox("user/alice")
    (inbox.path / ".A.B.C" / "cur").mkdir(parents=True)
    root_of(store, "user/alice", Limits(messages=1))
    assert mailbox("user/alice/A/B/C").quota_root().name == inbox.name


def test_shared_folders_have_roots_of_their_own(store, mailbox):
    board, sub, other = mailbox("board"), mailbox("board/sub"), mailbox("other")
    root_of(store, "board", Limits(messages=1))
    assert sub.quota_root().name == board.name
    assert other.quota_root() is None


def test_roots_are_listed_by_name(store, mailbox):
    for text in ("user/bob", "user/alice/Lists", "board", "user/carol"):
        mailbox(text)
    for text in ("user/bob", "user/alice/Lists", "board"):
        root_of(store, text, Limits(messages=1))
    assert [store.namespace.format_admin(root.name) for root in store.roots()] == [
        "board",
        "user/alice/Lists",
        "user/bob",
    ]
    assert [store.namespace.format_admin(root.name) for root in store.roots("user/b*")] == ["user/bob"]


def test_a_deleted_folder_no_longer_counts(store, mailbox):
    lists = mailbox("user/alice/Lists")
    root = root_of(store, "user/alice", Limits(messages=10))
    put(store, lists)
    store.delete(lists.name)
    assert root.usage() == Usage(0, 0)


def test_a_folder_that_moves_takes_its_usage_along(store, mailbox):
    lists = mailbox("user/alice/Lists")
    mailbox("user/bob")
    alice = root_of(store, "user/alice", Limits(messages=10))
    bob = root_of(store, "user/bob", Limits(messages=10))
    put(store, lists)
    store.rename(lists.name, store.namespace.parse_admin("user/bob/Lists"))
    assert (alice.usage().messages, bob.usage().messages) == (0, 1)


def test_a_link_in_place_of_maildirsize_is_not_followed(store, mailbox, tmp_path):
    box = mailbox("user/alice")
    (tmp_path / "victim").write_text("10C\n0 0\n")
    (box.path / "maildirsize").symlink_to(tmp_path / "victim")
    put(store, box)
    assert (tmp_path / "victim").read_text() == "10C\n0 0\n"


def test_deliveries_and_counts_at_once_end_in_the_right_usage(store, mailbox):
    box = mailbox("user/alice")
    root = root_of(store, "user/alice", Limits(messages=10**6))
    done = threading.Event()

    def count():
        while not done.is_set():
            root.usage(fresh=True)

    counter = threading.Thread(target=count)
    senders = [threading.Thread(target=put, args=(store, box, 40)) for _ in range(4)]
    counter.start()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    done.set()
    counter.join()
    assert root.usage() in (Usage(160 * 17, 160), Usage(160 * 17, 160, 1))
    assert len(os.listdir(box.path / "new")) == 160  # noqa: PTH208
