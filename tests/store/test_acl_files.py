import logging
import os

import pytest

from sievemda.errors import DataError, StoreTrouble, TemporaryTrouble
from sievemda.policy.acl import Acl, format_rights, parse_rights
from sievemda.store.files import Dotlock

OWNED = "user/alice/Lists"


def lines(box):
    return (box.path / "dovecot-acl").read_text().splitlines()


def test_an_acl_is_written_as_dovecot_reads_it(mailbox):
    box = mailbox(OWNED)
    box.set_acl(Acl.parse("alice lrswipcda anyone p -fred p group:staff lrs anonymous p -group:bad l"))
    assert lines(box) == [
        "user=alice lrwstipekxa",
        "anyone p",
        "-user=fred p",
        "group=staff lrsp",
        "user=anonymous p",
        "-group=bad l",
    ]


def test_an_acl_reads_back_as_it_was_set(mailbox):
    box = mailbox(OWNED)
    acl = Acl.parse("alice lrswipkxtean anyone p -fred p group:staff lrs0 bob n anonymous p")
    box.set_acl(acl)
    assert dict(box.acl().entries) == dict(acl.entries)


def test_rights_without_a_letter_in_dovecot_go_when_the_entry_goes(mailbox):
    box = mailbox(OWNED)
    box.set_acl(Acl.parse("alice la bob ln5"))
    box.change_acl(lambda acl: acl.without("bob"))
    assert str(box.acl()) == "alice la"


@pytest.mark.parametrize(
    ("content", "acl"),
    [
        ("", "alice lrswipkxtecdan"),
        ("anyone p\n", "anyone p alice lrswipkxtecdan"),
        ("owner lr\nanyone p\n", "alice lr -alice p anyone p"),
        ("user=alice lr\n", "alice lr"),
        ("owner lrw\nuser=alice lr\n", "alice lr"),
        ("owner\nanyone p\n", "-alice p anyone p"),
        ("user=alice\n", ""),
        ("-owner p\nowner lrp\n", "alice lr -alice p"),
        ("anyone :lookup read post\nowner l\n", "anyone lrp alice l -alice rp"),
        ("anyone l :post\nowner l\n", "anyone lp alice l -alice p"),
        ("anyone lr\nuser=bob p\n", "anyone lr bob p -bob lr alice lrswipkxtecdan"),
        ("anyone lrp\n-anyone p\n", "anyone lr alice lrswipkxtecdan"),
        ("anyone lrs\nauthenticated lp\nowner l\n", "anyone l authenticated lp alice l -alice p anonymous lrs"),
        ("anyone lrs\ngroup=staff lp\n", "anyone lrs group:staff lp -group:staff rs alice lrswipkxtecdan"),
        ("anyone lrs\n-group=staff r\n", "anyone lrs -group:staff r alice lrswipkxtecdan"),
        ('"user=john doe" p\nowner l\n', "john doe p alice l"),
        ('user=a"b\\c lr\nowner l\n', 'a"b\\c lr alice l'),
        ("anyone lr  \nowner l\t\n", "anyone lr alice l -alice r"),
        ("\n\r\nowner l\n", "alice l"),
        ('"-user=john doe" p\nowner l\n', "-john doe p alice l"),
        ("authenticated p\nowner l\n", "authenticated p alice l -alice p"),
        ("# comment\n\nowner l\n", "alice l"),
        ("group-override=bad p\nowner l\n", "alice l"),
        ("owner l\r\nanyone p\r\n", "alice l -alice p anyone p"),
        ("anonymous p\nowner l\n", "anyone p alice l -alice p"),
        ("anyone lr:post\nowner l\n", "anyone lrp alice l -alice rp"),
        ("anyone l\nanyone p\nowner l", "anyone lp alice l -alice p"),
    ],
)
def test_a_file_of_dovecot_is_understood(mailbox, content, acl):
    box = mailbox(OWNED)
    (box.path / "sievemda-mailbox").unlink()
    (box.path / "dovecot-acl").write_text(content)
    assert str(box.acl()) == acl


def test_a_folder_without_a_file_belongs_to_its_owner_alone(mailbox):
    box = mailbox(OWNED)
    (box.path / "dovecot-acl").unlink()
    assert str(box.acl()) == "alice lrswipkxtecdan"


def test_a_shared_folder_without_a_file_belongs_to_nobody(mailbox, store):
    box = mailbox("board")
    (box.path / "dovecot-acl").unlink()
    assert store.rights(box, "alice") == frozenset()
    assert store.rights(box, None) == frozenset()


DAMAGED = [
    b'-"user=john doe" p\n',
    b" anyone p\n",
    b"anyone p\n  \n",
    b"anyone p\r\r\n",
    b"anyone\tp\n",
    b"anyone p\xc2\x85\n",
    b" # comment\n",
    b"anyone z\n",
    b"anybody p\n",
    b"anyone p\n\xff\xfe\n",
    b'"user=x p\n',
    b"user= p\n",
    b"anyone p\nnonsense\n",
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_leaves_rights_to_nobody_but_the_owner(mailbox, store, content, caplog):
    box = mailbox(OWNED)
    (box.path / "dovecot-acl").write_bytes(content)
    assert store.rights(box, None) == frozenset()
    assert store.rights(box, "bob") == frozenset()
    assert format_rights(store.rights(box, "alice")) == "lrswipkxtecdan"
    assert any("damaged" in record.message for record in caplog.records if record.levelno == logging.ERROR)


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_not_overwritten(mailbox, content):
    box = mailbox(OWNED)
    (box.path / "dovecot-acl").write_bytes(content)
    with pytest.raises(StoreTrouble):
        box.change_acl(lambda acl: acl.changed("anyone", "p"))
    assert (box.path / "dovecot-acl").read_bytes() == content
    assert not (box.path / "dovecot-acl.lock").exists()


def test_a_directory_or_a_pipe_in_place_of_the_file_fails_closed(mailbox, store):
    box = mailbox(OWNED)
    (box.path / "dovecot-acl").unlink()
    os.mkfifo(box.path / "dovecot-acl")
    assert store.rights(box, "bob") == frozenset()
    (box.path / "dovecot-acl").unlink()
    (box.path / "dovecot-acl").mkdir()
    assert store.rights(box, "bob") == frozenset()


def test_a_link_in_place_of_the_file_is_not_followed(mailbox, store, tmp_path):
    box = mailbox(OWNED)
    (tmp_path / "open").write_text("anyone lrsp\n")
    (box.path / "dovecot-acl").unlink()
    (box.path / "dovecot-acl").symlink_to(tmp_path / "open")
    assert store.rights(box, "bob") == frozenset()


def test_comments_and_lines_for_overriding_groups_are_kept(mailbox):
    box = mailbox(OWNED)
    (box.path / "dovecot-acl").write_text("# mine\ngroup-override=bad p\nowner lra\n")
    box.change_acl(lambda acl: acl.changed("anyone", "p"))
    assert lines(box) == ["# mine", "group-override=bad p", "user=alice lrpa", "anyone p"]


@pytest.mark.parametrize("name", ["big team", 'a"b', "a\\b", "-dash", "ä"])
def test_whatever_the_name_of_a_group_it_reads_back(mailbox, name):
    box = mailbox(OWNED)
    box.set_acl(Acl((("alice", parse_rights("la")), (f"group:{name}", parse_rights("lr")))))
    (box.path / "sievemda-mailbox").unlink()
    assert box.acl().get(f"group:{name}") == parse_rights("lr")


def test_entries_are_shown_as_they_were_set_until_somebody_else_changes_the_file(mailbox):
    box = mailbox(OWNED)
    acl = "alice la anyone lrs bob p -carol s group:root w authenticated r"
    box.set_acl(Acl.parse(acl))
    assert str(box.acl()) == acl
    file = box.path / "dovecot-acl"
    file.write_text(file.read_text() + "user=dave l\n")
    assert dict(box.acl().entries)["bob"] == parse_rights("lrsp")
    assert box.acl().rights_of("dave") == parse_rights("l")


def test_rights_without_a_letter_in_dovecot_outlive_a_change_by_dovecot(mailbox, store):
    box = mailbox(OWNED)
    box.set_acl(Acl.parse("alice lrswipkxtean bob ln5 carol ln"))
    file = box.path / "dovecot-acl"
    file.write_text(file.read_text().replace("user=carol l\n", "") + "anyone p\n")
    assert format_rights(store.rights(box, "bob")) == "ln5"
    assert "n" in store.rights(box, "alice")
    assert format_rights(store.rights(box, "carol")) == "p"
    assert str(box.acl()) == "alice lrswipkxtecdan bob ln5 -bob p anyone p"


def test_a_folder_that_comes_into_other_hands_counts_as_dovecot_reads_it(store, mailbox):
    """What an IMAP server has moved has an ACL that was written for somebody else."""
    box, inbox = mailbox(OWNED), mailbox("user/bob")
    box.set_acl(Acl.parse("alice la anyone p"))
    box.path.rename(inbox.path / ".Given")
    given = mailbox("user/bob/Given")
    assert format_rights(store.rights(given, "alice")) == "lpa"
    assert format_rights(store.rights(given, "bob")) == "lrswipkxtecdan"
    assert format_rights(store.rights(given, None)) == "p"


def test_whoever_is_in_an_overriding_group_has_what_its_line_says(site, tmp_path):
    (tmp_path / "groups").write_text("locked:x:1:bob\n")
    store = site(acl={"groups_file": tmp_path / "groups"})
    board = store.create(store.namespace.parse_admin("board"))
    board.set_acl(Acl.parse("bob lrsp anyone l"))
    file = board.path / "dovecot-acl"
    file.write_text("group-override=locked\n" + file.read_text())
    assert store.rights(board, "bob") == frozenset()
    board.change_acl(lambda acl: acl.changed("anyone", "lr"))
    assert store.rights(board, "bob") == frozenset()
    assert format_rights(store.rights(board, "carol")) == "lr"


def test_a_groups_file_is_read_again_when_it_has_changed(site, tmp_path):
    groups = tmp_path / "groups"
    groups.write_text("staff:x:1:bob\n")
    store = site(acl={"groups_file": groups})
    board = store.create(store.namespace.parse_admin("board"))
    board.set_acl(Acl.parse("group:staff lrsp"))
    assert "p" in store.rights(board, "bob")
    groups.write_text("staff:x:1:carol,Dave\n")
    assert [format_rights(store.rights(board, who)) for who in ("bob", "carol", "dave")] == ["", "lrsp", "lrsp"]


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_bytes(b"\xff\xfe")])
def test_groups_that_cannot_be_read_are_trouble_and_not_no_groups(site, tmp_path, spoil):
    groups = tmp_path / "groups"
    groups.write_text("bad:x:1:bob\n")
    store = site(acl={"groups_file": groups})
    board = store.create(store.namespace.parse_admin("board"))
    board.set_acl(Acl.parse("anyone lrsp -group:bad p"))
    spoil(groups)
    with pytest.raises(TemporaryTrouble, match="groups_file"):
        store.rights(board, "bob")
    assert "p" in store.rights(board, None)


def test_a_list_that_nobody_could_read_again_is_not_written(mailbox):
    box = mailbox(OWNED)
    before = box.acl()
    with pytest.raises(DataError):
        box.set_acl(Acl(tuple((f"user{number}", parse_rights("lrs")) for number in range(1001))))
    assert box.acl() == before


def test_a_crash_between_the_two_files_leaves_what_was(mailbox, store, monkeypatch):
    box = mailbox(OWNED)
    box.set_acl(Acl.parse("alice lrswipkxtea anyone lr bob p"))
    replace = Dotlock.replace

    def crash(lock, content):
        if lock.path.name == "dovecot-acl":
            raise OSError("no more")
        replace(lock, content)

    monkeypatch.setattr(Dotlock, "replace", crash)
    with pytest.raises(OSError, match="no more"):
        box.set_acl(Acl.parse("alice la carol lrs"))
    assert [format_rights(store.rights(box, who)) for who in ("bob", "carol", None)] == ["lrp", "lr", "lr"]
    assert str(box.acl()) == "alice lrswipkxtecda anyone lr bob lrp"


def test_a_change_over_imap_holds_at_once(mailbox, store):
    box = mailbox(OWNED)
    assert "p" not in store.rights(box, None)
    (box.path / "new-acl").write_text("owner lrswipkxtea\nanyone p\n")
    (box.path / "new-acl").rename(box.path / "dovecot-acl")
    assert "p" in store.rights(box, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda store, parse: store.create(parse("user/alice/New")),
        lambda store, parse: store.delete(parse(OWNED)),
        lambda store, parse: store.rename(parse(OWNED), parse("user/alice/Other")),
        lambda store, parse: store.rename(parse(OWNED), parse("board")),
    ],
)
def test_a_folder_that_comes_or_goes_makes_dovecot_build_its_list_of_acls_anew(store, mailbox, change):
    cache = mailbox(OWNED).tree.root / "dovecot-acl-list"
    cache.write_text("stale\n")
    change(store, store.namespace.parse_admin)
    assert not cache.exists()


def test_a_change_makes_dovecot_build_its_list_of_acls_anew(mailbox):
    box = mailbox(OWNED)
    (box.tree.root / "dovecot-acl-list").write_text("stale\n")
    box.change_acl(lambda acl: acl.changed("anyone", "l"))
    assert not (box.tree.root / "dovecot-acl-list").exists()


def test_groups_of_the_system_count(mailbox, store):
    box = mailbox(OWNED)
    box.set_acl(Acl.parse("alice la group:root lrs"))
    assert format_rights(store.rights(box, "root")) == "lrs"
    assert store.rights(box, "nobody-of-that-name") == frozenset()


def test_an_owner_who_lost_every_right_by_hand_does_not_get_all_of_them(mailbox):
    box = mailbox(OWNED)
    box.set_acl(Acl.parse("anyone p"))
    assert lines(box) == ["user=alice p", "anyone p"]
    assert str(box.acl()) == "anyone p"
