"""Control files of folders and trees: rights, keywords, our record, subscriptions, quotas, scripts."""

import json
import os
import time

import pytest

from sievemda.policy.acl import Acl, Rights
from sievemda.policy.quota import Limits, Usage
from sievemda.store import lost, record, rootlist, subscriptions, withdrawn
from sievemda.store.files import unique_name
from sievemda.store.scripts import ScriptStore
from tests.upkeep.reconstruct.conftest import MESSAGE, kinds


def given(mailbox, *entries):
    mailbox.set_acl(Acl(tuple((who, Rights(rights)) for who, rights in entries)))
    return mailbox.path / "dovecot-acl"


def kept(mailbox):
    return [path.read_bytes() for path in lost.area(mailbox.tree).iterdir()]


# -- rights ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"\xff\xfe\n", b"\0\0\0\n", b"bogus line here\n", b"user= l\n", b" user=x l\n"])
def test_garbage_among_rights_goes_and_the_rights_stay(mailbox, mend, garbage):
    lists = mailbox("user/alice/Lists")
    file = given(lists, ("alice", "lrswa"), ("bob", "lrn"))
    sound = file.read_bytes()
    file.write_bytes(sound[:8].rpartition(b"\n")[0] + garbage + sound)
    broken = file.read_bytes()
    assert kinds(mend()) == ["acl"]
    assert file.read_bytes() == sound
    assert lists.rights("bob") == set("lrn")
    assert kept(lists) == [broken]
    assert mend() == []


@pytest.mark.parametrize("content", [b"\xff", b"user=b\xffb lr\n", b"\0" * 5000, b"x" * 2_000_000])
def test_rights_of_which_nothing_is_left_are_those_that_were_set(mailbox, mend, content):
    lists = mailbox("user/alice/Lists")
    file = given(lists, ("alice", "lrswa"), ("bob", "lr"))
    file.write_bytes(content)
    mend()
    assert lists.rights("bob") == set("lr")


def test_rights_whose_file_is_gone_are_those_that_were_set(mailbox, mend):
    lists = mailbox("user/alice/Lists")
    given(lists, ("alice", "lrswa"), ("bob", "lr")).unlink()
    assert kinds(mend()) == ["acl"]
    assert lists.rights("bob") == set("lr")


def test_what_an_imap_server_has_changed_since_stays_changed(mailbox, mend):
    lists = mailbox("user/alice/Lists")
    file = given(lists, ("alice", "lrswa"), ("bob", "lrs"))
    file.write_bytes(b"owner lrswa\nuser=carol l\n\xff\xff\n")
    mend()
    assert file.read_bytes() == b"owner lrswa\nuser=carol l\n"
    assert lists.rights("bob") == set("")


def test_a_line_that_takes_rights_away_is_never_dropped(mailbox, mend):
    lists = mailbox("user/alice/Lists")
    file = given(lists, ("alice", "lrswa"))
    file.write_bytes(b"anyone lr\n-user=b\xffb lr\n")
    assert kinds(mend(), "left") == ["acl"]
    assert lists.rights("bob") == set("")
    assert file.read_bytes() == b"anyone lr\n-user=b\xffb lr\n"


def test_a_link_in_the_place_of_rights_is_taken_away_and_what_it_leads_to_stays(mailbox, mend, tmp_path):
    lists = mailbox("user/alice/Lists")
    file = given(lists, ("alice", "lrswa"), ("bob", "lr"))
    other = tmp_path / "other"
    other.write_bytes(b"anyone lrswipkxte\n")
    file.unlink()
    file.symlink_to(other)
    mend()
    assert lists.rights("bob") == set("lr")
    assert other.read_bytes() == b"anyone lrswipkxte\n"


# -- keywords ----------------------------------------------------------------------------------------------------------


def test_keywords_that_can_be_read_stay_and_others_get_a_name(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "cur/1700000000.M1P1Q1.host,S=43,W=47:2,abcd")
    file = put(inbox, "dovecot-keywords", b"0 Work\n1 \xff\xff\nx y\n0 Twice\n3 work\n30 Beyond\n2 Fun\n")
    assert kinds(mend()) == ["keywords"]
    assert file.read_bytes() == b"0 Work\n1 unknown-b\n2 Fun\n3 unknown-d\n"
    assert kept(inbox) == [b"0 Work\n1 \xff\xff\nx y\n0 Twice\n3 work\n30 Beyond\n2 Fun\n"]
    assert mend() == []


def test_keywords_that_have_gone_get_names(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "new/1700000000.M1P1Q1.host,S=43,W=47:2,a")
    mend()
    assert (inbox.path / "dovecot-keywords").read_bytes() == b"0 unknown-a\n"


# -- our record --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [2, 20, 0])
def test_of_a_damaged_record_what_can_be_read_stays(mailbox, mend, cut):
    lists = mailbox("user/alice/Lists")
    file = lists.path / record.FILE_NAME
    lists.set_special_use("\\Archive")
    identity = lists.id
    content = file.read_bytes()
    file.write_bytes(content[:-cut] if cut else content + b"garbage")
    assert "record" in kinds(mend())
    assert lists.id == identity
    assert json.loads(file.read_bytes())["special_use"] == "\\Archive"
    assert mend() == []


def test_a_record_of_which_nothing_is_left_is_made_anew(mailbox, mend):
    inbox = mailbox("user/alice")
    file = inbox.path / record.FILE_NAME
    file.write_bytes(b"\xff\xff")
    mend()
    assert len(json.loads(file.read_bytes())["id"]) == 24


# -- subscriptions -----------------------------------------------------------------------------------------------------


def test_subscriptions_stand_once_and_are_names(mailbox, mend):
    lists = mailbox("user/alice/Lists")
    file = lists.tree.root / subscriptions.FILE_NAME
    file.write_bytes(b"V\t2\n\nLists\nLists\nGone\n\xff\xfe\0\na\t\tb\nINBOX\n")
    found = mend()
    assert kinds(found) == ["subscriptions"]
    assert subscriptions.subscribed(lists.tree.root) == ["Lists", "Gone", "INBOX"]
    assert kinds(found, "note") == ["subscriptions"]  # RFC 3501 §6.3.6: what is gone may stay
    assert kinds(mend()) == []


def test_a_directory_in_the_place_of_subscriptions_is_taken_away(mailbox, mend):
    inbox = mailbox("user/alice")
    file = inbox.path / subscriptions.FILE_NAME
    file.unlink()
    file.mkdir()
    mend()
    assert not file.exists()


# -- quotas ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe", b"1000S", b"1024000S\n5 1\nx", b"1024000S\n-5 -1\n", b"1024000S\n77 7\n", None]
)
def test_a_usage_that_is_wrong_is_counted(store, mailbox, put, mend, damage):
    inbox = mailbox("user/alice")
    rootlist.set_limits(store, inbox.name, Limits(storage=1024000, messages=50))
    put(inbox, "cur/1700000000.M1P1Q1.host,S=43,W=47:2,S")
    file = inbox.path / "maildirsize"
    file.unlink() if damage is None else file.write_bytes(damage)
    assert kinds(mend()) == ["quota"]
    root = store.quota_root(inbox.name)
    assert root.usage() == Usage(43, 1)
    assert file.read_bytes().endswith(b"43 1\n")
    assert mend() == []


def huge(path):
    with path.open("wb") as file:
        file.write(b"1024000S\n43 1\n")
        file.truncate(100 << 20)


@pytest.mark.parametrize(
    "damage",
    [
        huge,
        lambda path: path.write_bytes(b"99999999999999999999S\n43 1\n"),
        lambda path: path.write_bytes(b"9223372036854775807S\n43 1\n"),
        lambda path: path.write_bytes(b"-5S,-3C\n43 1\n"),
        lambda path: path.write_bytes(b"1024000S\n99999999999999999999 1\n"),
        lambda path: path.write_bytes(b"7" * 7000),
    ],
)
def test_a_file_with_numbers_that_cannot_be_is_made_anew(store, mailbox, put, mend, damage):
    inbox = mailbox("user/alice")
    rootlist.set_limits(store, inbox.name, Limits(storage=1024000))
    put(inbox, "cur/1700000000.M1P1Q1.host,S=43,W=47:2,S")
    damage(inbox.path / "maildirsize")
    assert kinds(mend(dry_run=True), "would mend") == ["quota"]
    assert kinds(mend()) == ["quota"]
    assert (inbox.path / "maildirsize").read_bytes() == b"1024000S\n43 1\n"
    assert mend() == []


@pytest.mark.parametrize(
    "damage",
    [huge]
    + [
        lambda path, line=line: path.write_bytes(line + b"\n43 1\n")
        for line in (b"99999999999999999999S", b"9223372036854775807C", b"-5S", b"7S,x", b"7" * 7000)
    ],
)
def test_a_file_in_which_nobody_sane_has_counted_is_taken_away_where_nothing_is_limited(mailbox, mend, damage):
    inbox = mailbox("user/alice")
    damage(inbox.path / "maildirsize")
    found = kinds(mend())
    if (inbox.path / "maildirsize").exists():  # it has a limit by which its messages are counted
        assert (inbox.path / "maildirsize").read_bytes() in (b"1024000S\n0 0\n", b"7S\n0 0\n")
    assert found == ["quota"]
    assert mend() == []


def test_sizes_are_mended_before_they_are_counted(store, mailbox, put, mend):
    inbox = mailbox("user/alice")
    rootlist.set_limits(store, inbox.name, Limits(storage=1024000))
    put(inbox, "cur/1700000000.M1P1Q1.host,S=43000:2,S")
    mend()
    assert store.quota_root(inbox.name).usage() == Usage(43, 1)


def test_the_usage_of_a_domain_is_counted_when_its_users_have_been_mended(site, put, mend):
    store = site(site={"virtdomains": "userid"})
    dora = store.create(store.namespace.parse_admin("user/dora@example.org"))
    rootlist.set_limits(store, rootlist.root_name(store.namespace, "@example.org"), Limits(storage=1024000))
    put(dora, "cur/1700000000.M1P1Q1.host,S=43000:2,S")
    assert kinds(mend(store=store)) == ["size", "quota"]
    root = store.quota_root(rootlist.root_name(store.namespace, "@example.org"))
    assert (root.usage(), kinds(mend(store=store))) == (Usage(43, 1), [])


# -- scripts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "target", "active"),
    [
        (["main"], "sieve/gone.sieve", "main"),
        (["main", "other"], "/old/home/sieve/other.sieve", "other"),
        (["Main", "other"], "sieve/main.sieve", "Main"),
        (["main", "other"], "sieve/gone.sieve", None),
        ([], "sieve/gone.sieve", None),
    ],
)
def test_a_link_to_no_script_leads_to_the_one_that_can_only_be_meant(store, mailbox, mend, there, target, active):
    mailbox("user/alice")
    home = store.home("alice")
    scripts = ScriptStore(home)
    for name in there:
        scripts.put(name, b"keep;")
    (home / ".dovecot.sieve").symlink_to(target)
    found = mend()
    assert kinds(found, "mended" if active else "left") == ["script"]
    assert [script.name for script in scripts.list() if script.active] == ([active] if active else [])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a\nb.sieve", "a_b"),
        ("x" * 130 + ".sieve", "x" * 118),
        (f"long-{'0' * 64}.sieve", f"recovered long-{'0' * 16}"),
        (".sieve", "recovered"),
        ("b\udcfcro.sieve", "büro"),
    ],
)
def test_a_script_in_a_file_that_no_script_can_have_gets_a_name_and_stays_active(store, mailbox, mend, file, name):
    mailbox("user/alice")
    home = store.home("alice")
    (home / "sieve").mkdir()
    (home / "sieve" / file).write_bytes(b"keep;")
    (home / ".dovecot.sieve").symlink_to(f"sieve/{file}")
    assert kinds(mend()) == ["script"]
    assert ScriptStore(home).active() == (name, b"keep;")
    assert mend() == []


def test_what_is_neither_script_nor_link_is_taken_away(store, mailbox, mend):
    mailbox("user/alice")
    (store.home("alice") / ".dovecot.sieve").mkdir()
    assert kinds(mend()) == ["script"]
    ScriptStore(store.home("alice")).put("main", b"keep;")
    assert mend() == []


# -- annotations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"\xff\xfe\n", b"priv/half", b"\n\n", b"shared/1/x\n", b"x" * 5000])
def test_garbage_among_annotations_goes_and_the_others_stay(mailbox, mend, garbage):
    inbox = mailbox("user/alice")
    file = inbox.path / "dovecot-attributes"
    file.write_bytes(b"priv/1/comment\na\x01nb\n" + garbage + b"\nshared/1/comment\nsound\n"[garbage[-1] == 10 :])
    assert kinds(mend()) == ["attributes"]
    assert file.read_bytes() == b"priv/1/comment\na\x01nb\nshared/1/comment\nsound\n"
    assert len(kept(inbox)) == 1
    assert mend() == []


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("/etc/hostname")])
def test_what_is_no_file_of_annotations_is_taken_away(mailbox, mend, make):
    inbox = mailbox("user/alice")
    make(inbox.path / "dovecot-attributes")
    assert kinds(mend()) == ["attributes"]
    assert mend() == []


def test_a_directory_in_the_place_of_a_usage_is_taken_away(store, mailbox, mend):
    inbox = mailbox("user/alice")
    rootlist.set_limits(store, inbox.name, Limits(storage=1024000))
    (inbox.path / "maildirsize").unlink()
    (inbox.path / "maildirsize").mkdir()
    assert kinds(mend()) == ["quota"]
    assert store.quota_root(inbox.name).usage() == Usage(0, 0)
    assert mend() == []


# -- what was put away -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "folder"),
    [
        (lambda path: path.write_bytes(b"\xff{"), "user/alice"),
        (lambda path: path.write_bytes(b""), "user/alice"),
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), "user/alice/Lists"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"Lists", b"../x")[:-30]), "user/alice"),
    ],
)
def test_a_message_that_was_put_away_and_cannot_be_asked_for_comes_back(store, mailbox, mend, damage, folder):
    lists = mailbox("user/alice/Lists")
    entry = withdrawn.Withdrawn.now("user/alice/Lists", "discard", flags=("\\Seen",))
    withdrawn.put(lists, store.stage("default", [MESSAGE]), entry, last=True)
    damage(withdrawn.area(lists.tree) / f"{entry.id}.entry")
    assert kinds(mend()) == ["withdrawn"]
    (file,) = [path for part in ("new", "cur") for path in (mailbox(folder).path / part).iterdir()]
    assert file.read_bytes() == MESSAGE
    assert list(withdrawn.area(lists.tree).iterdir()) == []
    assert mend() == []


def test_what_can_be_asked_for_or_is_just_being_put_away_stays(store, mailbox, mend):
    inbox = mailbox("user/alice")
    entry = withdrawn.Withdrawn.now("user/alice", "discard")
    withdrawn.put(inbox, store.stage("default", [MESSAGE]), entry, last=True)
    (withdrawn.area(inbox.tree) / unique_name()).write_bytes(MESSAGE)
    assert mend() == []


def test_a_message_without_an_entry_comes_back_when_it_is_old(store, mailbox, mend, monkeypatch):
    inbox = mailbox("user/alice")
    os.close(withdrawn.open_area(inbox))
    (withdrawn.area(inbox.tree) / "1700000000.M1P1Q1.elsewhere").write_bytes(MESSAGE)
    later = time.time() + 2 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    assert kinds(mend()) == ["withdrawn"]


# -- rights that were cut ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [1, 2, 5, 12])
def test_rights_whose_end_is_missing_are_those_that_were_set(mailbox, mend, octets):
    lists = mailbox("user/alice/Lists")
    file = given(lists, ("alice", "lrswa"), ("bob", "lrs"))
    sound = file.read_bytes()
    file.write_bytes(sound[:-octets])
    assert kinds(mend()) == ["acl"]
    assert file.read_bytes() == sound
    assert mend() == []
