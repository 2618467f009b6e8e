import collections
import itertools
import os
import random
import shutil

import pytest

from sievemda.errors import ConfigurationError, DataError, StoreTrouble, TemporaryTrouble
from sievemda.policy.quota import Limits
from sievemda.store import partitions
from sievemda.store.hashing import full_hash
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.store.partitions import Space
from tests.store.conftest import settings_with

ALICE = MailboxName("alice")
MODES = ["random", "freespace-most", "freespace-percent-most", "freespace-percent-weighted"]
MODES.append("freespace-percent-weighted-delta")
# The example of Cyrus' guide: GiB free of how many.
SPACES = {"part1": (400, 1000), "part2": (600, 1000), "part3": (30, 100), "part4": (70, 100)}


@pytest.fixture
def disks(tmp_path, monkeypatch):
    """Makes a store on four disks with the space of the example."""
    looks = []

    def at(path):
        looks.append(path.name)
        free, size = SPACES[path.name]
        return Space(free << 30, 100 * free / size)

    monkeypatch.setattr(Space, "at", at)

    def make(**options):
        paths = {name: tmp_path / name for name in SPACES}
        options = {"partitions": paths, "defaultpartition": ""} | options
        store = MailStore(settings_with(tmp_path, store=options))
        store.looks = looks
        return store

    return make


def chosen(store, times=1):
    return collections.Counter(store.layout.disks.choose() for _ in range(times))


# -- choosing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "name"), [("freespace-most", "part2"), ("freespace-percent-most", "part4")])
def test_the_fittest_is_chosen(disks, mode, name):
    assert chosen(disks(partition_select_mode=mode), 5) == {name: 5}


@pytest.mark.parametrize(
    ("mode", "shares"),
    [
        ("random", (25, 25, 25, 25)),
        ("freespace-percent-weighted", (20, 30, 15, 35)),
        ("freespace-percent-weighted-delta", (12.8, 37.2, 0.6, 49.4)),
    ],
)
def test_chances_are_those_of_the_guide(disks, mode, shares):
    random.seed(1)
    found = chosen(disks(partition_select_mode=mode), 20_000)
    assert [found[name] / 200 for name in SPACES] == pytest.approx(shares, abs=1.5)


@pytest.mark.parametrize("mode", MODES)
def test_the_excluded_are_never_chosen(disks, mode):
    store = disks(partition_select_mode=mode, partition_select_exclude=("part2", "part4"))
    assert set(chosen(store, 200)) <= {"part1", "part3"}


@pytest.mark.parametrize(("limit", "names"), [(50, {"part2", "part4"}), (20, set(SPACES)), (0, set(SPACES))])
def test_those_beyond_the_soft_limit_are_left_out_unless_all_are(disks, limit, names):
    random.seed(1)
    options = {"partition_select_mode": "freespace-percent-weighted", "partition_select_soft_usage_limit": limit}
    assert set(chosen(disks(**options), 300)) == names


@pytest.mark.parametrize(("reinit", "looks"), [(0, 12), (1, 12), (2, 8), (3, 4), (100, 4)])
def test_the_space_is_looked_at_again_after_so_many_choices(disks, reinit, looks):
    store = disks(partition_select_usage_reinit=reinit)
    chosen(store, 3)
    assert len(store.looks) == looks


def test_full_disks_can_be_chosen_when_there_are_no_others(disks, monkeypatch):
    monkeypatch.setattr(Space, "at", lambda _path: Space(0, 0.0))
    assert chosen(disks(partition_select_mode="freespace-percent-weighted"), 1)


def test_a_default_partition_leaves_no_choice(disks):
    store = disks(defaultpartition="part3")
    assert chosen(store, 3) == {"part3": 3}
    assert store.looks == []


def test_only_a_mailbox_without_one_above_it_has_a_choice(disks):
    store = disks()
    store.create(ALICE, partition="part3")
    assert store.create(ALICE.child("a")).partition == "part3"
    assert store.create(MailboxName("bob")).partition == "part2"
    assert store.create(MailboxName(None, ("board",))).partition == "part2"


def test_what_lies_elsewhere_than_the_first_partition_is_found(disks):
    store = disks()
    for name in ("alice", "bob"):
        store.create(MailboxName(name))
    store.create(MailboxName(None, ("board",)))
    assert [store.namespace.format_admin(found.name) for found in store.list()] == ["board", "user/alice", "user/bob"]


def test_space_is_that_of_the_file_system(tmp_path):
    found, there = Space.at(tmp_path / "still" / "to" / "be" / "made"), os.statvfs(tmp_path)
    assert found.free == pytest.approx(there.f_bavail * there.f_frsize, rel=0.1)
    assert 0 <= found.percent <= 100


@pytest.mark.parametrize("name", ["nope", "../two", "/etc", ".", "default\0"])
def test_an_unknown_partition_is_an_error(store, name):
    with pytest.raises(DataError, match="no partition"):
        store.create(ALICE, partition=name)
    assert not store.user_exists("alice")


# -- the full hash -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("a", "F"),
        ("z", "H"),
        ("s", "A"),
        ("07", "B"),
        ("0az", "B"),
        ("01yakvj", "F"),
        ("0g30eo0b", "A"),
        ("0gkw1", "E"),
        ("a.b", "F"),
        ("betty.boop-2", "I"),
        ("brd", "Q"),
        ("9brd", "A"),
        ("example.org", "O"),
        ("zoe", "J"),
    ],
)
def test_the_full_hash_is_that_of_cyrus(name, letter):
    assert full_hash(name) == letter


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("user/zoe", "mail/J/user/zoe/Maildir"),
        ("user/a.b/x", "mail/F/user/a.b/Maildir/.x"),
        ("user/zoe@example.org", "mail/domain/O/example.org/J/user/zoe/Maildir"),
        ("board@example.org", "mail/domain/O/example.org/shared/.board"),
    ],
)
def test_with_the_full_hash_mailboxes_lie_below_its_letter(site, tmp_path, name, place):
    store = site(site={"virtdomains": "on"}, store={"hashimapspool": True, "fulldirhash": True})
    mailbox = store.namespace.parse_admin(name)
    if mailbox.path and mailbox.owner:
        store.create(MailboxName(mailbox.owner))
    assert store.create(mailbox).path == tmp_path / place
    assert store.find(mailbox).path == tmp_path / place
    assert name in [store.namespace.format_admin(found.name) for found in store.list()]


FLAT, HASHED, FULL = ({"hashimapspool": hashed, "fulldirhash": full} for hashed, full in [(0, 0), (1, 0), (1, 1)])


@pytest.mark.parametrize(("made", "read"), list(itertools.permutations([FLAT, HASHED, FULL], 2)))
@pytest.mark.parametrize("name", ["user/zoe", "user/zoe@example.org", "board@example.org", "user/q@q.org", "s@q.org"])
def test_a_store_that_was_filled_with_another_hashing_is_refused(site, name, made, read):
    virtual = {"virtdomains": "on"}
    store = site(site=virtual, store=made)
    store.create(store.namespace.parse_admin(name))
    assert len(list(site(site=virtual, store=made).list())) == 1
    with pytest.raises(ConfigurationError, match="would not be found"):
        site(site=virtual, store=read)
    store.delete(store.namespace.parse_admin(name))
    site(site=virtual, store=read)


def test_homes_that_a_template_places_may_look_like_hashed_ones(site):
    store = site(store={"mail_home": "mail/{hash}/user/{local}"})
    store.create(ALICE)
    assert site(store={"mail_home": "mail/{hash}/user/{local}"}).find(ALICE)


# -- two homes of one user --------------------------------------------------------------------------------------------


@pytest.fixture
def strange_home(tmp_path):
    """Makes Alice a home on the first partition, as an IMAP server does that knows of no other."""

    def make():
        for part in ("cur", "new", "tmp"):
            (tmp_path / "mail/user/alice/Maildir" / part).mkdir(parents=True)

    return make


def test_an_empty_home_of_an_imap_server_does_not_hide_the_one_with_the_mail(store, strange_home):
    store.create(ALICE, partition="two")
    store.create(MailboxName("alice", ("Lists",)))
    strange_home()
    assert store.find(ALICE).partition == "two"
    assert store.find(MailboxName("alice", ("Lists",))).partition == "two"
    assert [found.partition for found in store.list()] == ["two", "two"]


def test_a_home_that_an_imap_server_has_made_is_one_where_there_is_no_other(store, strange_home):
    strange_home()
    assert store.find(ALICE).partition == "default"


def test_an_empty_home_is_not_taken_for_the_one_on_a_disk_that_is_away(away, strange_home, tmp_path):
    strange_home()
    with pytest.raises(TemporaryTrouble, match="partition two is away"):
        away.find(ALICE)
    (tmp_path / "two").rmdir()
    (tmp_path / "disk").rename(tmp_path / "two")
    assert away.find(ALICE).partition == "two"


# -- a disk that is away -----------------------------------------------------------------------------------------------


@pytest.fixture
def forgetful(monkeypatch):
    """As if another process began: nobody remembers the disks that were seen."""

    def forgetful():
        monkeypatch.setattr(partitions, "_seen", set())

    return forgetful


@pytest.fixture
def away(site, tmp_path, forgetful):
    """A site whose partition `two`, with a user on it, is not mounted: nothing is left but its mount point."""
    store = site()
    store.create(MailboxName("bob"))
    store.create(ALICE, partition="two")
    (tmp_path / "two").rename(tmp_path / "disk")
    (tmp_path / "two").mkdir()
    forgetful()
    return site()


@pytest.mark.parametrize("name", [ALICE, MailboxName("carol"), MailboxName(None, ("board",))])
def test_who_may_be_on_a_disk_that_is_away_is_not_unknown(away, name):
    with pytest.raises(TemporaryTrouble, match="partition two is away"):
        away.find(name)


def test_a_folder_and_its_root_on_a_disk_that_is_away_are_not_unknown_either(site, tmp_path, forgetful):
    store = site()
    store.create(ALICE)
    far = store.create(MailboxName("alice", ("far",)), partition="two")
    store.make_root(far).set_limits(Limits(messages=3))
    shutil.rmtree(tmp_path / "two")
    forgetful()
    for look in (store.find, store.quota_root, store.delete):
        with pytest.raises(TemporaryTrouble, match="partition two is away"):
            look(far.name)
    assert store.find(ALICE)
    assert store.quota_root(ALICE) is None


def test_no_root_of_a_user_on_a_disk_that_is_away_is_unknown(away):
    with pytest.raises(TemporaryTrouble, match="partition two is away"):
        away.quota_root(ALICE)


def test_a_folder_that_cannot_be_shown_in_its_tree_is_not_made(store, mailbox, tmp_path, monkeypatch):
    box = mailbox("user/alice")

    def refused(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(StoreTrouble):
        patched.setattr("sievemda.store.links.link", refused)
        store.create(MailboxName("alice", ("far",)), partition="two")
    assert not (tmp_path / "two/user/alice/Maildir/.far").exists()
    assert not (box.path / ".far").is_symlink()
    assert store.create(MailboxName("alice", ("far",)), partition="two").path.name == ".far"


def test_a_list_without_them_says_so(away, caplog):
    assert [found.name.owner for found in away.list()] == ["bob"]
    assert "partition two is away" in caplog.text


def test_nothing_is_made_where_a_disk_is_away(away, tmp_path):
    with pytest.raises(TemporaryTrouble):
        away.create(MailboxName("carol"), partition="two")
    with pytest.raises(TemporaryTrouble):
        away.stage("two", [b"Subject: x\n\n"])
    assert list((tmp_path / "two").iterdir()) == []


def test_a_disk_whose_mount_point_is_gone_too_is_away(away, tmp_path):
    (tmp_path / "two").rmdir()
    with pytest.raises(TemporaryTrouble):
        away.find(ALICE)
    assert not (tmp_path / "two").exists()


def test_other_disks_go_on(away):
    box = away.find(MailboxName("bob"))
    away.stage(box.partition, [b"Subject: x\n\n"]).deliver(box, last=True)
    assert away.find(MailboxName("bob", ("nope",))) is None


def test_a_disk_that_is_away_is_not_chosen(away, tmp_path):
    paths = {"two": tmp_path / "two", "default": tmp_path / "mail"}
    options = {"partitions": paths, "defaultpartition": "", "partition_select_mode": "random"}
    store = MailStore(settings_with(tmp_path, store=options))
    assert chosen(store, 20) == {"default": 20}


def test_a_disk_that_comes_back_is_there(away, tmp_path):
    (tmp_path / "two").rmdir()
    (tmp_path / "disk").rename(tmp_path / "two")
    assert away.find(ALICE).partition == "two"
    assert away.find(MailboxName("carol")) is None


def test_a_disk_can_begin_anew(away, tmp_path):
    (tmp_path / "two" / "stage.").mkdir()
    assert away.find(ALICE) is None


def test_a_partition_that_lies_elsewhere_now_is_another_one(away, tmp_path):
    store = MailStore(settings_with(tmp_path, store={"partitions": {"two": tmp_path / "disk"}}))
    assert store.find(ALICE).partition == "two"
    assert store.find(MailboxName("carol")) is None


def test_a_partition_that_was_never_used_is_not_missed(store, tmp_path):
    store.create(ALICE)
    assert store.find(MailboxName("carol")) is None
    assert not (tmp_path / "two").exists()


def test_homes_that_are_away_are_missed_too(site, tmp_path, forgetful):
    store = site(store={"mail_home": f"{tmp_path}/home/{{user}}"})
    assert store.find(ALICE) is None
    store.create(ALICE)
    assert store.find(MailboxName("bob")) is None
    shutil.move(tmp_path / "home", tmp_path / "disk")
    (tmp_path / "home").mkdir()
    forgetful()
    with pytest.raises(TemporaryTrouble, match="homes"):
        store.find(ALICE)


def with_all_it_remembers(tmp_path, *names):
    """Takes disks away together with `state`, on which the names of those that were used are kept."""
    for name in (*names, "state"):
        (tmp_path / name).rename(tmp_path / f"{name}.away")


def test_a_site_that_is_away_as_a_whole_is_missed_by_who_has_seen_it(site, tmp_path):
    site().create(ALICE)
    seen = site()
    with_all_it_remembers(tmp_path, "mail")
    (tmp_path / "mail").mkdir()
    for store in (seen, site()):
        with pytest.raises(TemporaryTrouble, match="partition default is away"):
            store.find(ALICE)
        with pytest.raises(TemporaryTrouble, match="partition default is away"):
            store.create(ALICE)
    assert list((tmp_path / "mail").iterdir()) == []
    assert not (tmp_path / "state").exists()


def test_a_site_that_is_away_as_a_whole_is_a_new_one_to_who_has_not_seen_it(site, tmp_path, forgetful):
    site().create(ALICE)
    with_all_it_remembers(tmp_path, "mail")
    forgetful()
    assert site().find(ALICE) is None


def test_homes_that_are_away_with_the_site_are_missed_by_who_has_seen_them(site, tmp_path):
    options = {"mail_home": f"{tmp_path}/home/{{user}}"}
    site(store=options).create(ALICE)
    seen = site(store=options)
    with_all_it_remembers(tmp_path, "home")
    (tmp_path / "home").mkdir()
    with pytest.raises(TemporaryTrouble, match="homes"):
        seen.find(ALICE)


def test_a_link_in_the_place_of_the_stage_is_not_followed(store, tmp_path):
    store.create(ALICE)
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "mail" / "stage.").rmdir()
    (tmp_path / "mail" / "stage.").symlink_to(outside)
    with pytest.raises(TemporaryTrouble):
        store.stage("default", [b"Subject: x\n\n"])
    assert list(outside.iterdir()) == []
