"""Quota roots by name: of domains, where no mailbox is, nested, and what takes room in them."""

import os

import pytest

from sievemda.errors import DataError, NotFound
from sievemda.policy.quota import Limits, OverQuota, Usage
from sievemda.store import rootlist
from sievemda.store.quota import QuotaRoot
from tests.store.contents import next_time_stamp

MESSAGE = b"Subject: x\n\nbody\n"  # 17 octets


def put(store, box, count=1):
    for _ in range(count):
        store.stage("default", [MESSAGE]).deliver(box, last=True)


def name(store, text):
    return rootlist.root_name(store.namespace, text)


def limit(store, text, *, force=False, **limits):
    return rootlist.set_limits(store, name(store, text), Limits(**limits), force=force)


def names(store, pattern="*"):
    return [store.namespace.format_admin(root.name) for root in store.roots(pattern)]


def root_of(store, box):
    root = box.quota_root()
    return root and store.namespace.format_admin(root.name)


@pytest.fixture
def domains(site):
    """A store with users at example.org, and a function that finds or makes a mailbox there."""
    store = site(site={"virtdomains": "userid"})

    def get(text):
        wanted = store.namespace.parse_admin(text)
        return store.find(wanted) or store.create(wanted)

    get.store = store
    return get


# --- domains ---


def test_a_domain_is_the_last_resort_of_its_users_and_shared_folders(domains):
    store = domains.store
    boxes = [domains(text) for text in ("user/a@example.org", "user/a/x@example.org", "news@example.org")]
    limit(store, "@example.org", messages=5)
    assert [root_of(store, box) for box in boxes] == ["@example.org"] * 3


def test_a_domain_is_nothing_to_other_domains_and_the_default_one(domains):
    store = domains.store
    boxes = [domains("user/a"), domains("user/a@example.net"), domains("news")]
    domains("user/a@example.org")
    limit(store, "@example.org", messages=5)
    assert [box.quota_root() for box in boxes] == [None] * 3


@pytest.mark.parametrize("inner", ["user/a@example.org", "user/a/x@example.org"])
def test_a_root_inside_goes_before_the_domain_and_takes_its_usage_out(domains, inner):
    store = domains.store
    domains("user/a@example.org")
    domains("user/b@example.org")
    box = domains("user/a/x@example.org")
    outer = limit(store, "@example.org", messages=5)
    put(store, box, 2)
    put(store, domains("user/b@example.org"))
    limit(store, inner, messages=9)
    assert root_of(store, box) == inner
    assert outer.usage().messages == 1
    put(store, box)
    assert outer.usage().messages == 1


def test_usage_of_a_domain_is_that_of_all_its_users_on_every_partition(domains):
    store = domains.store
    store.create(store.namespace.parse_admin("user/far@example.org"), partition="two")
    put(store, domains("user/a@example.org"))
    put(store, domains("news@example.org"))
    put(store, domains("user/a"))
    store.stage("two", [MESSAGE]).deliver(domains("user/far@example.org"), last=True)
    root = limit(store, "@example.org", storage=1024)
    assert root.usage(fresh=True) == Usage(51, 3, 3)
    put(store, domains("user/a@example.org"))
    assert root.usage() == Usage(68, 4)


def test_a_full_domain_refuses(domains):
    store = domains.store
    box = domains("user/a@example.org")
    limit(store, "@example.org", messages=1)
    put(store, box, 2)
    assert not domains("user/a@example.org").quota_root().would_accept()


def test_a_user_who_goes_leaves_the_domain_room(domains):
    store = domains.store
    box = domains("user/a@example.org")
    root = limit(store, "@example.org", messages=1)
    put(store, box, 2)
    store.delete(box.name)
    assert root.would_accept()
    assert root.usage() == Usage(0, 0)


def test_a_user_who_comes_back_fills_the_domain(domains):
    store = domains.store
    box = domains("user/a@example.org")
    domains("user/b@example.org")
    root = limit(store, "@example.org", messages=1)
    put(store, box, 2)
    store.delete(box.name)
    assert root.usage() == Usage(0, 0, 1)
    store.undelete(box.name)
    assert not root.would_accept()
    assert root.usage() == Usage(34, 2)


def test_the_file_of_a_domain_grows_beyond_what_maildir_readers_count_anew(domains):
    store = domains.store
    box = domains("user/a@example.org")
    root = limit(store, "@example.org", messages=10**6)
    put(store, box)
    with (root.path / "maildirsize").open("a") as file:
        file.write("5 1\n-5 -1\n" * 1000)
    assert root.would_accept()
    assert (root.path / "maildirsize").stat().st_size < 100
    assert root.usage() == Usage(17, 1)


def test_what_an_imap_server_counts_for_a_user_does_not_hide_the_domain_and_is_kept_up(domains):
    store = domains.store
    box = domains("user/a@example.org")
    root = limit(store, "@example.org", messages=5)
    (box.path / "maildirsize").write_text("0S\n0 0\n")
    put(store, box)
    assert root_of(store, box) == "@example.org"
    assert root.usage(fresh=True).messages == 1
    assert (box.path / "maildirsize").read_text() == "0S\n0 0\n17 1\n"


def test_roots_of_domains_are_listed_and_may_be_written_as_cyrus_does_inside(domains):
    store = domains.store
    domains("user/a@example.org")
    limit(store, "example.org!", messages=5)
    limit(store, "user/a@example.org", messages=5)
    assert names(store) == ["@example.org", "user/a@example.org"]
    assert names(store, "@example.org") == names(store, "example.org!") == ["@example.org"]


def test_a_domain_without_anybody_has_no_root_unless_forced(domains):
    with pytest.raises(NotFound):
        limit(domains.store, "@nobody.example", messages=5)
    limit(domains.store, "@nobody.example", messages=5, force=True)
    assert names(domains.store) == ["@nobody.example"]


def test_the_default_domain_has_no_root(domains):
    with pytest.raises(DataError):
        name(domains.store, "@internal")


def test_without_virtual_domains_there_are_no_roots_of_domains(store):
    assert name(store, "@example.org").path == ("@example.org",)


# --- roots where no mailbox is ---


def test_a_root_above_mailboxes_needs_no_mailbox_itself(store, mailbox):
    inbox = mailbox("user/alice")
    (inbox.path / ".A.B" / "cur").mkdir(parents=True)
    limit(store, "user/alice/A", messages=5)
    assert root_of(store, mailbox("user/alice/A/B")) == "user/alice/A"
    assert store.find(store.namespace.parse_admin("user/alice/A")) is None
    assert names(store) == ["user/alice/A"]


@pytest.mark.parametrize("text", ["nowhere", "user/alice/Deep/er", "user/nobody", "user/nobody/x", "board/x"])
def test_a_root_where_nothing_is_must_be_forced(store, mailbox, text):
    mailbox("user/alice")
    mailbox("board")
    with pytest.raises(NotFound):
        limit(store, text, messages=5)
    assert names(store) == []
    limit(store, text, messages=5, force=True)
    assert names(store) == [text]
    assert store.quota_root(name(store, text)).limits() == Limits(messages=5)
    assert [box.name for box in store.list() if store.namespace.format_admin(box.name) == text] == []


@pytest.mark.parametrize("text", ["user/zoe", "user/alice/New", "board"])
def test_a_mailbox_that_is_made_later_finds_its_limits(store, mailbox, text):
    mailbox("user/alice")
    limit(store, text, messages=5, force=True)
    box = store.create(store.namespace.parse_admin(text), special_use="" if text == "user/zoe" else "Junk")
    assert root_of(store, box) == text
    assert box.quota_root().limits() == Limits(messages=5)
    assert box.acl().entries
    assert box.special_use == ("" if text == "user/zoe" else "\\Junk")


@pytest.mark.parametrize("text", ["user/alice/New", "board"])
def test_a_mailbox_that_is_made_later_on_another_partition_finds_its_limits(store, mailbox, text):
    mailbox("user/alice")
    limit(store, text, messages=5, force=True)
    box = store.create(store.namespace.parse_admin(text), partition="two")
    store.stage("two", [MESSAGE]).deliver(box, last=True)
    assert root_of(store, box) == text
    assert box.quota_root().limits() == Limits(messages=5)
    assert box.quota_root().usage().messages == 1


@pytest.mark.parametrize("text", ["user/alice/a*b", "user/alice/a%b", "what?"])
def test_a_root_cannot_have_the_letters_of_patterns(store, mailbox, text):
    mailbox("user/alice")
    with pytest.raises(DataError):
        limit(store, text, messages=5, force=True)


@pytest.mark.parametrize("text", ["x" * 300, "/".join(["y" * 200] * 30)])
def test_a_name_that_no_file_system_takes_is_no_root(store, mailbox, text):
    mailbox("user/alice")
    limit(store, "user/alice", messages=5)
    folder = name(store, f"user/alice/{text}")
    assert rootlist.find(store, folder) is None
    assert rootlist.nearest(store, folder).limits() == Limits(messages=5)
    with pytest.raises(DataError):
        limit(store, f"user/alice/{text}", messages=5, force=True)


def test_a_root_without_mailboxes_is_idle_and_removed_without_a_trace(store, mailbox):
    inbox = mailbox("user/alice")
    root = limit(store, "user/alice/Gone", messages=5, force=True)
    (root.path / "sievemda-quota").write_text("{}")
    assert rootlist.is_idle(root)
    rootlist.remove(store, root)
    assert names(store) == []
    assert not (inbox.path / ".Gone").exists()


# --- which root counts ---


def test_the_nearest_root_of_a_mailbox_is_found_by_name(store, mailbox):
    for text in ("user/alice/A/B", "board"):
        mailbox(text)
    limit(store, "user/alice", messages=5)
    limit(store, "user/alice/A/B", messages=5)
    found = [
        root and store.namespace.format_admin(root.name)
        for text in ("user/alice", "user/alice/A/B", "user/alice/A/B/New", "user/alice/X", "board", "user/nobody")
        if [root := rootlist.nearest(store, name(store, text))]
    ]
    assert found == ["user/alice", "user/alice/A/B", "user/alice/A/B", "user/alice", None, None]


def test_a_link_that_a_user_put_in_place_of_a_folder_is_no_root(store, mailbox):
    mailbox("user/bob")
    limit(store, "user/bob", messages=5)
    inbox, below = mailbox("user/alice"), mailbox("user/alice/A/B")
    (inbox.path / ".A").symlink_to(mailbox("user/bob").path)
    before = (mailbox("user/bob").path / "maildirsize").read_text()
    put(store, below)
    assert below.quota_root() is None
    assert (mailbox("user/bob").path / "maildirsize").read_text() == before


def test_a_root_moves_with_its_folder_and_vanishes_with_it(store, mailbox):
    lists = mailbox("user/alice/Lists")
    outer = limit(store, "user/alice", messages=50)
    limit(store, "user/alice/Lists", messages=5)
    put(store, lists, 2)
    moved = store.rename(lists.name, store.namespace.parse_admin("user/alice/Old"))
    assert names(store) == ["user/alice", "user/alice/Old"]
    assert moved.quota_root().usage().messages == 2
    store.delete(moved.name)
    assert names(store) == ["user/alice"]
    assert outer.usage(fresh=True) == Usage(0, 0, 1)


def test_a_user_takes_his_roots_along(store, mailbox):
    box = mailbox("user/alice/Lists")
    limit(store, "user/alice", messages=5)
    limit(store, "user/alice/Lists", messages=7)
    put(store, box)
    store.rename(mailbox("user/alice").name, store.namespace.parse_admin("user/amy"))
    assert names(store) == ["user/amy", "user/amy/Lists"]
    assert store.quota_root(name(store, "user/amy/Lists")).usage().messages == 1


def test_several_links_to_one_file_count_in_full(store, mailbox):
    inbox, lists = mailbox("user/alice"), mailbox("user/alice/Lists")
    root = limit(store, "user/alice", storage=1024)
    staged = store.stage("default", [MESSAGE])
    first = staged.deliver(inbox)
    second = staged.deliver(lists, last=True)
    assert first.samefile(second)
    assert root.usage() == Usage(34, 2)
    assert root.usage(fresh=True) == Usage(34, 2, 2)


def test_a_nested_root_on_another_partition_is_taken_out_of_the_outer_one(store, mailbox):
    inbox = mailbox("user/alice")
    far = store.create(inbox.name.child("Far"), partition="two")
    outer = limit(store, "user/alice", messages=5)
    inner = limit(store, "user/alice/Far", messages=7)
    store.stage("two", [MESSAGE]).deliver(far, last=True)
    assert (outer.usage(fresh=True).messages, inner.usage(fresh=True).messages) == (0, 1)
    assert root_of(store, store.find(far.name)) == "user/alice/Far"


# --- folders and annotations ---


def test_the_limit_on_folders_of_a_nested_root_is_its_own(store, mailbox):
    for text in ("user/alice/A", "user/alice/B", "user/alice/C"):
        mailbox(text)
    limit(store, "user/alice", mailboxes=100)
    limit(store, "user/alice/A", mailboxes=1)
    with pytest.raises(OverQuota, match="no more than 1 folders at and below user/alice/A"):
        mailbox("user/alice/A/x")
    mailbox("user/alice/D")


def annotate(store, box, value, entry="/shared/comment", user="alice"):
    store.annotations.set(box, user, entry, value)


def test_annotations_are_counted_by_the_octets_of_their_values(store, mailbox):
    inbox, lists = mailbox("user/alice"), mailbox("user/alice/Lists")
    root = limit(store, "user/alice", annotation=1024)
    annotate(store, inbox, "hello")
    annotate(store, lists, "grün", "/private/comment")
    store.annotations.set_server(inbox, "alice", "/private/x", "the server's is nobody's folder's")
    assert root.usage(fresh=True) == Usage(0, 0, 2, 10)


def test_annotations_that_dovecot_keeps_count_as_well(store, mailbox):
    inbox = mailbox("user/alice")
    guid = "0123456789abcdef0123456789abcdef"
    (inbox.path / "dovecot-uidlist").write_text(f"3 V1 N1 G{guid}\n")
    (inbox.path / "dovecot-attributes").write_text(
        f"shared/{guid}/comment\nhello\npriv/{guid}/vendor/vendor.dovecot/pvt/server/x\nno\nshared/other/comment\nno\n"
    )
    root = limit(store, "user/alice", annotation=1024)
    assert root.usage(fresh=True).annotation == 5


def test_annotations_have_a_limit_that_holds(store, mailbox):
    inbox = mailbox("user/alice")
    limit(store, "user/alice", annotation=5)
    annotate(store, inbox, "hello")
    with pytest.raises(OverQuota):
        annotate(store, inbox, "x", "/shared/other")
    with pytest.raises(OverQuota):
        annotate(store, inbox, "hello!")
    annotate(store, inbox, "hallo")
    annotate(store, inbox, None)
    annotate(store, inbox, "x", "/shared/other")
    assert dict(store.annotations.of(inbox, "alice")) == {"/shared/other": "x"}


def test_annotations_beyond_a_limit_that_came_later_refuse_mail(store, mailbox):
    inbox = mailbox("user/alice")
    root = limit(store, "user/alice", messages=50)
    annotate(store, inbox, "hello")
    limit(store, "user/alice", annotation=5)
    assert root.would_accept()
    limit(store, "user/alice", annotation=4)
    assert not root.would_accept()


# --- what is known without a count ---


def test_what_is_known_is_counted_when_a_folder_has_changed(store, mailbox):
    box = mailbox("user/alice/Lists")
    root = limit(store, "user/alice", messages=50)
    put(store, box, 2)
    next((box.path / "new").iterdir()).unlink()
    assert root.known() == Usage(17, 1, 2)


def test_a_count_that_must_not_write_leaves_what_it_found(store, mailbox):
    box = mailbox("user/alice")
    root = limit(store, "user/alice", messages=50)
    put(store, box)
    (box.path / "maildirsize").write_text("50C\n1 7\n")
    found = root.count(write=False)
    assert (found.before, found.usage) == (Usage(1, 7), Usage(17, 1, 1))
    assert (box.path / "maildirsize").read_text() == "50C\n1 7\n"


# --- what IMAP servers do without telling ---


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("user/alice/Lists", "user/alice/Lists"),
        ("user/alice/Lists", "user/alice/Lists/Sub"),
        ("board", "board"),
        ("user/alice", "user/alice"),
        ("user/alice", "user/alice/Lists"),
    ],
)
def test_a_message_that_an_imap_server_adds_fills_a_root_that_it_does_not_keep(store, mailbox, at, text):
    mailbox("user/alice/Lists")
    box = mailbox(text)
    root = limit(store, at, messages=1)
    put(store, box)
    assert root.would_accept()
    next_time_stamp(store)
    (box.path / "cur" / "1.host,S=5:2,S").write_bytes(b"hello")
    assert not root.would_accept()
    assert root.usage() == Usage(22, 2)


def test_what_an_imap_server_adds_to_the_inbox_is_seen_however_much_room_there_was(store, mailbox):
    box = mailbox("user/alice")
    root = limit(store, "user/alice", storage=10 << 20)
    put(store, box)
    next_time_stamp(store)
    (box.path / "cur" / f"1.host,S={11 << 20}:2,S").touch()
    assert not root.would_accept()


@pytest.mark.parametrize(("text", "most"), [("user/alice/Lists", 10), ("user/alice", 10), ("user/alice", 10_000)])
def test_a_root_that_is_kept_up_is_not_counted_for_a_delivery(store, mailbox, monkeypatch, text, most):
    box = mailbox("user/alice/Lists")
    root = limit(store, text, messages=most)
    put(store, box, 3)
    monkeypatch.setattr(QuotaRoot, "recount", lambda self: pytest.fail("it was counted"))
    assert root.would_accept()


def test_a_delivery_between_its_message_and_its_line_has_nobody_count(store, mailbox, monkeypatch):
    box = mailbox("user/alice")
    root = limit(store, "user/alice", messages=1)
    next_time_stamp(store)
    monkeypatch.setattr(QuotaRoot, "recount", lambda self: pytest.fail("it was counted"))
    with root.recording(17):
        (box.path / "new" / "1.host,S=17,W=20").write_bytes(b"x" * 17)
        assert root.would_accept()
    assert root.would_accept()


@pytest.mark.parametrize("resource", ["storage", "messages"])
def test_a_limit_of_zero_is_one_for_programs_that_take_zero_for_none(store, mailbox, resource):
    box = mailbox("user/alice")
    root = limit(store, "user/alice", **{resource: 0})
    assert (box.path / "maildirsize").read_text()[0] == "1"
    assert root.limits() == Limits(**{resource: 0})
    (box.path / "maildirsize").write_text({"storage": "2S\n0 0\n", "messages": "2C\n0 0\n"}[resource])
    assert root.limits() == Limits(**{resource: 2})


@pytest.mark.parametrize("kind", ["fifo", "directory", "link"])
def test_what_a_user_puts_in_place_of_the_file_holds_no_delivery_up(store, mailbox, tmp_path, kind):
    box = mailbox("user/alice")
    (tmp_path / "victim").write_text("")
    limit(store, "user/alice", messages=10)
    file = box.path / "maildirsize"
    file.unlink()
    {"fifo": os.mkfifo, "directory": os.mkdir, "link": lambda at: at.symlink_to(tmp_path / "victim")}[kind](file)
    put(store, box)
    assert len(list((box.path / "new").iterdir())) == 1
    assert (tmp_path / "victim").read_text() == ""


@pytest.mark.parametrize("text", ["user/fred", "user/fred/Lists"])
def test_limits_that_wait_for_a_user_make_nobody_of_him(store, text):
    rootlist.set_limits(store, store.namespace.parse_admin(text), Limits(messages=1), force=True)
    assert not store.user_exists("fred")
    assert not store.is_damaged("fred")
