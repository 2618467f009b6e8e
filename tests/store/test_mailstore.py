import os
import shutil
import threading

import pytest

from sievemda.errors import AlreadyExists, DataError, NotFound, StoreTrouble
from sievemda.policy.acl import Acl, format_rights
from sievemda.policy.quota import Limits, OverQuota
from sievemda.store import creation
from sievemda.store.names import MailboxName


def listing(directory):
    return {path.name for path in directory.iterdir()}


def names(store, pattern="*"):
    return [store.namespace.format_admin(found.name) for found in store.list(pattern)]


def make(store, *texts, **options):
    for text in texts:
        found = store.create(store.namespace.parse_admin(text), **options)
    return found


def find(store, text):
    return store.find(store.namespace.parse_admin(text))


# -- where things lie --------------------------------------------------------------------------------------------------


def test_a_user_is_a_home_with_a_maildir(store, tmp_path):
    box = make(store, "user/alice")
    assert box.path == tmp_path / "mail" / "user" / "alice" / "Maildir"
    assert {"cur", "new", "tmp", "dovecot-acl", "subscriptions"} <= listing(box.path)
    assert store.home("alice") == tmp_path / "mail" / "user" / "alice"


def test_a_folder_is_a_maildir_plus_plus_folder(store):
    inbox = make(store, "user/alice")
    box = make(store, "user/alice/Lists/a.b")
    assert box.path == inbox.path / ".Lists.a\\2eb"
    assert (box.path / "maildirfolder").exists()


def test_shared_folders_lie_in_a_tree_of_their_own(store, tmp_path):
    assert make(store, "board/sub").path == tmp_path / "mail" / "shared" / ".board.sub"


def test_users_of_domains_lie_below_their_domain(site, tmp_path):
    store = site(site={"virtdomains": "on"})
    assert make(store, "user/l@example.org").path == tmp_path / "mail/domain/example.org/user/l/Maildir"
    assert make(store, "board@example.org").path == tmp_path / "mail/domain/example.org/shared/.board"
    assert find(store, "user/l") is None
    assert find(store, "board") is None


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("user/alice", "a/user/alice"),
        ("user/7up", "q/user/7up"),
        ("user/l@example.org", "domain/e/example.org/l/user/l"),
        ("user/ünal", "q/user/ünal"),
    ],
)
def test_hashed_spools_have_one_letter_before(site, tmp_path, name, place):
    store = site(site={"virtdomains": "on"}, store={"hashimapspool": True})
    assert make(store, name).path == tmp_path / "mail" / place / "Maildir"
    assert names(store) == [name]


def test_homes_may_lie_where_mail_home_says(site, tmp_path):
    store = site(site={"virtdomains": "on"}, store={"mail_home": f"{tmp_path}/homes/{{domain}}/x-{{local}}"})
    assert make(store, "user/l@example.org").path == tmp_path / "homes/example.org/x-l/Maildir"
    make(store, "user/l@example.org/Lists", "board")
    assert names(store) == ["board", "user/l/Lists@example.org", "user/l@example.org"]
    with pytest.raises(DataError):
        make(store, "user/m@example.org", partition="two")


def test_a_partition_with_braces_in_its_path_is_just_a_path(site, tmp_path):
    store = site(store={"partitions": {"default": tmp_path / "{user}"}})
    assert make(store, "user/alice").path == tmp_path / "{user}/user/alice/Maildir"
    assert names(store) == ["user/alice"]


# -- finding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["user/nobody", "user/alice/Nope", "nope", "user/nobody/x"])
def test_what_is_not_there_is_not_found(store, text):
    make(store, "user/alice")
    assert find(store, text) is None


def test_a_folder_made_over_imap_is_found_the_same_instant(store):
    inbox = make(store, "user/alice")
    assert find(store, "user/alice/New") is None
    (inbox.path / ".New" / "cur").mkdir(parents=True)
    assert find(store, "user/alice/New").path == inbox.path / ".New"
    (inbox.path / ".New" / "cur").rmdir()
    assert find(store, "user/alice/New") is None


def test_a_name_in_modified_utf_7_finds_the_folder_unless_one_is_called_so(store):
    make(store, "user/alice")
    box = make(store, "user/alice/Über & co")
    assert find(store, "user/alice/&ANw-ber &- co").path == box.path
    (box.tree.root / ".&-ANw-ber &-- co" / "cur").mkdir(parents=True)
    assert find(store, "user/alice/&ANw-ber &- co").path != box.path


def test_a_name_in_modified_utf_7_is_created_as_what_it_means(store):
    make(store, "user/alice", "user/alice/&ANw-ber")
    assert names(store, "user/alice/*") == ["user/alice/Über"]
    with pytest.raises(AlreadyExists):
        make(store, "user/alice/Über")


def test_names_in_scripts_find_what_their_owner_sees(store):
    make(store, "user/alice", "user/alice/Lists", "user/bob", "user/bob/x", "board")
    assert store.find_for("inbox", "alice").name == MailboxName("alice")
    assert store.find_for("Lists", "alice").name == MailboxName("alice", ("Lists",))
    assert store.find_for("Other Users/bob/x", "alice").name == MailboxName("bob", ("x",))
    assert store.find_for("Shared Folders/board", "alice").name == MailboxName(None, ("board",))
    assert store.find_for("board", "alice") is None
    with pytest.raises(DataError):
        store.find_for("../bob", "alice")


def test_a_special_use_finds_its_folder_in_any_case(store):
    make(store, "user/alice")
    make(store, "user/alice/Spam", special_use="junk")
    make(store, "user/alice/Two", special_use="\\Sent \\Archive")
    assert store.special_use("alice", "\\JUNK").name.path == ("Spam",)
    assert store.find_for("\\Archive", "alice").name.path == ("Two",)
    assert store.find_for("\\Trash", "alice") is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("lists",), ("Lists",)),
        (("LISTS", "nope"), ("Lists",)),
        (("my_box",), ("My-Box",)),
        (("my box", "sub"), ("My-Box", "Sub")),
        (("nope",), None),
        (("Lists",), ("Lists",)),
    ],
)
def test_a_fuzzy_match_finds_the_nearest_folder(store, wanted, found):
    make(store, "user/alice", "user/alice/Lists", "user/alice/My-Box", "user/alice/My-Box/Sub")
    match = store.fuzzy(MailboxName("alice", wanted))
    assert (match and match.name.path) == found


# -- links -------------------------------------------------------------------------------------------------------------


def outside(tmp_path):
    place = tmp_path / "outside"
    (place / "Maildir" / "cur").mkdir(parents=True)
    (place / "Maildir" / "new").mkdir()
    return place


def test_a_folder_that_is_a_link_out_of_the_partitions_is_no_folder(store, tmp_path):
    inbox = make(store, "user/alice")
    (inbox.path / ".Evil").symlink_to(outside(tmp_path) / "Maildir")
    assert find(store, "user/alice/Evil") is None
    assert names(store) == ["user/alice"]


def test_a_folder_that_is_a_link_to_somebody_elses_is_no_folder(store):
    inbox = make(store, "user/alice")
    make(store, "user/bob")
    (inbox.path / ".Evil").symlink_to(make(store, "user/bob/Private").path)
    assert find(store, "user/alice/Evil") is None


def test_a_folder_on_another_partition_is_found_when_an_imap_server_has_renamed_its_link(store):
    inbox = make(store, "user/alice")
    lists = make(store, "user/alice/Lists", partition="two")
    (inbox.path / ".Lists").rename(inbox.path / ".Old")
    assert find(store, "user/alice/Lists") is None
    found = find(store, "user/alice/Old")
    assert (found.id, found.partition) == (lists.id, "two")


def test_a_folder_whose_name_courier_has_written_in_utf_8_is_found_and_no_second_one_made(store):
    inbox = make(store, "user/alice")
    (inbox.path / ".Büro & Co" / "cur").mkdir(parents=True)
    assert find(store, "user/alice/Büro & Co").path.name == ".Büro & Co"
    assert names(store) == ["user/alice", "user/alice/Büro & Co"]
    with pytest.raises(AlreadyExists):
        make(store, "user/alice/Büro & Co")
    store.rename(find(store, "user/alice/Büro & Co").name, store.namespace.parse_admin("user/alice/Büro"))
    assert find(store, "user/alice/Büro").path.name == ".B&APw-ro"


def test_a_folder_that_exists_under_both_spellings_is_the_one_that_we_make(store):
    inbox = make(store, "user/alice")
    box = make(store, "user/alice/Büro")
    (inbox.path / ".Büro" / "cur").mkdir(parents=True)
    assert find(store, "user/alice/Büro").path == box.path
    assert names(store) == ["user/alice", "user/alice/Büro"]


def test_a_dot_in_a_name_may_be_a_caret_on_disk_where_dots_separate(site):
    store = site(names={"unixhierarchysep": False})
    inbox = make(store, "user.alice")
    (inbox.path / ".a^b" / "cur").mkdir(parents=True)
    assert find(store, "user.alice.a^b").path.name == ".a^b"
    assert names(store) == ["user.alice", "user.alice.a^b"]


def test_another_name_for_a_folder_of_the_same_tree_is_no_folder(store):
    inbox = make(store, "user/alice")
    (inbox.path / ".Again").symlink_to(make(store, "user/alice/Lists").path)
    assert find(store, "user/alice/Again") is None


@pytest.mark.parametrize("part", ["", "Maildir"])
def test_a_home_that_is_a_link_out_of_the_partitions_is_no_user(store, tmp_path, part):
    make(store, "user/alice")
    home = store.home("alice")
    away = outside(tmp_path)
    shutil.rmtree(home)
    if part:
        home.mkdir()
    (home / part).symlink_to(away / part)
    assert not store.user_exists("alice")
    assert names(store) == []


def test_a_home_that_is_a_link_to_another_partition_is_a_user(store, tmp_path):
    make(store, "user/alice")
    home = store.home("alice")
    (tmp_path / "two" / "moved").mkdir(parents=True)
    home.rename(tmp_path / "two" / "moved" / "alice")
    home.symlink_to(tmp_path / "two" / "moved" / "alice")
    assert find(store, "user/alice").partition == "two"


def test_a_link_that_leads_to_itself_is_nothing(store):
    inbox = make(store, "user/alice")
    (inbox.path / ".Loop").symlink_to(inbox.path / ".Loop")
    assert find(store, "user/alice/Loop") is None


# -- creating ----------------------------------------------------------------------------------------------------------


def test_what_is_there_cannot_be_created_again(store):
    make(store, "user/alice", "board")
    for text in ("user/alice", "board"):
        with pytest.raises(AlreadyExists):
            make(store, text)


def test_nobody_gets_a_folder_before_he_exists(store, tmp_path):
    with pytest.raises(NotFound):
        make(store, "user/nobody/x")
    assert not (tmp_path / "mail").exists()


def test_an_unknown_partition_is_an_error_and_makes_nothing(store, tmp_path):
    with pytest.raises(DataError):
        make(store, "user/alice", partition="nope")
    assert not (tmp_path / "mail").exists()


@pytest.mark.parametrize("use", ["\\Nonsense", "foo", "\\Junk \\Foo"])
def test_an_unknown_special_use_is_refused(store, use):
    make(store, "user/alice")
    with pytest.raises(DataError):
        make(store, "user/alice/x", special_use=use)
    assert find(store, "user/alice/x") is None


def test_an_inbox_has_no_special_use(store):
    with pytest.raises(DataError):
        make(store, "user/alice", special_use="\\Junk")


def test_an_inbox_belongs_to_its_owner_alone(store):
    assert str(make(store, "user/alice").acl()) == "alice lrswipkxtecdan"


def test_a_folder_inherits_the_acl_of_its_nearest_ancestor(store):
    inbox = make(store, "user/alice")
    inbox.set_acl(Acl.parse("alice lrswipkxtean anyone p bob n"))
    assert str(make(store, "user/alice/a/b/c").acl()) == str(inbox.acl())
    make(store, "user/alice/d").set_acl(Acl.parse("alice la"))
    assert str(make(store, "user/alice/d/e").acl()) == "alice la"


def test_a_board_starts_with_the_default_acl_and_passes_it_on(site):
    store = site(acl={"defaultacl": "anyone lrsp bob a"})
    assert str(make(store, "board").acl()) == "anyone lrsp bob a"
    find(store, "board").set_acl(Acl.parse("anyone l"))
    assert str(make(store, "board/sub").acl()) == "anyone l"


def test_a_board_is_not_postable_by_default(store):
    assert format_rights(store.rights(make(store, "board"), None)) == "lrs"


def test_what_is_made_for_a_user_is_subscribed(store):
    inbox = make(store, "user/alice")
    make(store, "user/alice/Lists/a.b", "board")
    assert (inbox.path / "subscriptions").read_text() == "V\t2\n\nINBOX\nLists\ta\\2eb\n"


def test_a_home_that_has_scripts_already_becomes_a_user(store):
    home = store.home("alice")
    (home / "sieve").mkdir(parents=True)
    assert not store.user_exists("alice")
    make(store, "user/alice")
    assert store.user_exists("alice")


def test_a_half_made_maildir_is_completed(store):
    home = store.home("alice")
    (home / "Maildir" / "new").mkdir(parents=True)
    (home / "Maildir" / "new" / "1.x").write_bytes(b"")
    box = make(store, "user/alice")
    assert (box.path / "new" / "1.x").exists()
    assert (box.path / "dovecot-acl").exists()
    assert listing(home) == {"Maildir"}


def test_something_else_in_the_way_is_an_error(store):
    inbox = make(store, "user/alice")
    (inbox.path / ".Lists").write_text("a file")
    with pytest.raises(StoreTrouble):
        make(store, "user/alice/Lists")
    assert (inbox.path / ".Lists").read_text() == "a file"
    assert listing(store.home("alice")) == {"Maildir"}


def test_the_quickest_of_many_makes_it_and_the_others_are_told(store):
    made, refused = [], []

    def one():
        try:
            made.append(make(store, "user/alice").id)
        except AlreadyExists:
            refused.append(1)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 7)
    assert find(store, "user/alice").id == made[0]


def test_the_limit_on_folders_holds_below_its_root(store):
    inbox = make(store, "user/alice")
    store.make_root(inbox).set_limits(Limits(mailboxes=2))
    make(store, "user/alice/one")
    with pytest.raises(OverQuota):
        make(store, "user/alice/two")


def test_the_limit_on_folders_refuses_no_mail(store):
    inbox = make(store, "user/alice")
    make(store, "user/alice/one")
    store.make_root(inbox).set_limits(Limits(mailboxes=0))
    assert inbox.quota_root().would_accept()


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("user/alice/new", True),
        ("user/alice/a/b/c", True),
        ("user/alice/#x", False),
        ("user/alice", False),
        ("user/bob/new", False),
        ("user/carol", False),
        ("board", False),
        ("board/new", True),
        ("closed/new", False),
        ("nope/new", False),
    ],
)
def test_a_user_may_create_below_his_inbox_and_where_he_has_the_right(store, text, allowed):
    make(store, "user/alice", "user/bob")
    find(store, "user/bob").set_acl(Acl.parse("bob a anyone k"))
    make(store, "board").set_acl(Acl.parse("alice k"))
    make(store, "closed")
    assert store.may_create(store.namespace.parse_admin(text), "alice") is allowed


# -- partitions --------------------------------------------------------------------------------------------------------


def test_a_user_on_another_partition_is_found_there(store, tmp_path):
    make(store, "user/alice", partition="two")
    assert find(store, "user/alice").partition == "two"
    assert store.home("alice") == tmp_path / "two" / "user" / "alice"
    assert make(store, "user/alice/Lists").partition == "two"


def test_a_folder_on_another_partition_is_linked_into_its_tree(store, tmp_path):
    inbox = make(store, "user/alice")
    far = make(store, "user/alice/Far", partition="two")
    assert (far.partition, far.path) == ("two", tmp_path / "two/user/alice/Maildir/.Far")
    assert (inbox.path / ".Far" / "cur").is_dir()
    assert make(store, "user/alice/Far/Sub").partition == "two"
    assert make(store, "user/alice/Near").partition == "default"
    assert names(store) == ["user/alice", "user/alice/Far", "user/alice/Far/Sub", "user/alice/Near"]


def test_a_board_on_another_partition_is_linked_too(store, tmp_path):
    board = make(store, "board", partition="two")
    assert board.path == tmp_path / "two/shared/.board"
    assert (tmp_path / "mail/shared/.board/cur").is_dir()
    assert names(store) == ["board"]


def test_the_default_partition_is_a_setting(site):
    store = site(store={"defaultpartition": "two"})
    assert make(store, "user/alice").partition == "two"


# -- listing -----------------------------------------------------------------------------------------------------------


def test_mailboxes_are_listed_in_the_order_of_their_names(store):
    texts = ["board", "zoo", "board/sub", "board-two", "user/alice", "user/alice/Lists", "user/alice/a", "user/alice-b",
             "user/alice-b/x", "user/alice.c", "user/bob", "user/zoe/x/y", "user/zoe", "a board"]  # fmt: skip
    for text in sorted(texts, key=len):
        make(store, text)
    assert names(store) == sorted(texts)


def test_mailboxes_of_all_domains_are_listed_in_one_order(site):
    store = site(site={"virtdomains": "on"})
    texts = ["board", "board@b.example", "user/alice", "user/alice/x", "user/alice@b.example", "user/alice/x@b.example",
             "user/al@c.example", "user/bob"]  # fmt: skip
    for text in sorted(texts, key=len):
        make(store, text)
    assert names(store) == sorted(texts)
    assert names(store, "*@b.example") == sorted(text for text in texts if text.endswith("@b.example"))
    assert names(store, "user/alice/*") == ["user/alice/x", "user/alice/x@b.example"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("user/%", ["user/alice", "user/bob"]),
        ("user/alice/*", ["user/alice/x", "user/alice/x/y"]),
        ("user/alice/%", ["user/alice/x"]),
        ("user/alice", ["user/alice"]),
        ("user/a*", ["user/alice", "user/alice/x", "user/alice/x/y"]),
        ("%", ["board"]),
        ("nope", []),
        ("user/nobody/*", []),
        ("*/x", ["user/alice/x", "user/bob/x"]),
    ],
)
def test_a_pattern_chooses(store, pattern, found):
    make(store, "user/alice", "user/alice/x", "user/alice/x/y", "user/bob", "user/bob/x", "board")
    assert names(store, pattern) == found


def test_what_is_no_mailbox_is_not_listed(store, tmp_path):
    inbox = make(store, "user/alice")
    for name in (".half", ".\\2Ebad", ".&AGE-", "..x", ".a..b"):
        (inbox.path / name / ("cur" if name != ".half" else "new")).mkdir(parents=True)
    (tmp_path / "mail" / "user" / "file").write_text("")
    (tmp_path / "mail" / "user" / "UPPER" / "Maildir" / "cur").mkdir(parents=True)
    (tmp_path / "mail" / "user" / "scripts-only" / "sieve").mkdir(parents=True)
    (inbox.path / ".\udcff\udcfe" / "cur").mkdir(parents=True)
    assert names(store) == ["user/alice"]


def test_an_empty_store_lists_nothing(store):
    assert names(store) == []
    assert list(store.roots()) == []


def test_a_lookup_does_not_read_directories(store, monkeypatch):
    make(store, "user/alice", "user/alice/Lists", "board")

    def fail(*_):
        raise AssertionError("a directory was read")

    monkeypatch.setattr(os, "scandir", fail)
    monkeypatch.setattr(os, "listdir", fail)
    for text in ("user/alice", "user/alice/Lists", "user/alice/Nope", "user/nobody", "board", "nope"):
        box = find(store, text)
        if box:
            assert box.id
            assert store.rights(box, None) is not None
            assert box.quota_root() is None


def test_special_uses_are_written_as_registered():
    assert creation.special_uses("junk \\SENT") == "\\Junk \\Sent"
