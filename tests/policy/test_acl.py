import pytest

from sievemda.errors import DataError
from sievemda.policy.acl import Acl, check_identifier, format_rights, parse_rights


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("lrs", "lrs"),
        ("srl", "lrs"),
        ("llrr", "lr"),
        ("lrswipcd", "lrswipkxtecd"),
        ("c", "kxc"),
        ("d", "ted"),
        ("kc", "kc"),
        ("xc", "xc"),
        ("dt", "td"),
        ("kcdt", "ktcd"),
        ("k", "kc"),
        ("a", "a"),
        ("n", "n"),
        ("9a0", "a09"),
        ("lrswipkxtean", "lrswipkxtecdan"),
        ("", ""),
        ("none", ""),
        ("read", "lrs"),
        ("post", "lrsp"),
        ("append", "lrsip"),
        ("write", "lrswipkxtecd"),
        ("delete", "lrxtecd"),
        ("all", "lrswipkxtecda"),
    ],
)
def test_rights_are_resolved_and_printed_in_the_order_of_cyrus(given, printed):
    assert format_rights(parse_rights(given)) == printed


@pytest.mark.parametrize("bad", ["z", "lrz", "P", "l r", "lrs;", "é", "+p", "reader!"])
def test_an_unknown_letter_refuses_the_whole_change(bad):
    with pytest.raises(DataError):
        parse_rights(bad)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "-",
        "a%b",
        "a&b",
        "a*b",
        "a/b",
        "a:b",
        "a?b",
        "ä",
        "a\nb",
        "a\0b",
        "x" * 81,
        "-" + "x" * 81,
        "group:",
        "group:a\nb",
        "-a*",
    ],
)
def test_an_identifier_that_nobody_has_is_refused(bad):
    with pytest.raises(DataError):
        check_identifier(bad)


@pytest.mark.parametrize(
    "good", ["fred", "-fred", "anyone", "group:staff", "-group:staff", "a@b.example", "x" * 80, "-" + "x" * 80]
)
def test_an_ordinary_identifier_passes(good):
    check_identifier(good)


@pytest.mark.parametrize(
    ("acl", "identity", "groups", "rights"),
    [
        ("anyone p", None, (), "p"),
        ("anyone p", "fred", (), "p"),
        ("anonymous p", None, (), "p"),
        ("anonymous p", "fred", (), ""),
        ("fred lr anyone p", "fred", (), "lrp"),
        ("fred lr anyone p", "bob", (), "p"),
        ("anyone lrsp -fred p", "fred", (), "lrs"),
        ("anyone lrsp -fred p", "bob", (), "lrsp"),
        ("anyone lrsp -anyone p", "bob", (), "lrs"),
        ("anyone lrsp -anonymous p", None, (), "lrs"),
        ("group:staff lrsp", "fred", ("staff",), "lrsp"),
        ("group:staff lrsp", "fred", ("users",), ""),
        ("anyone p -group:bad p", "fred", ("bad",), ""),
        ("authenticated p", "fred", (), "p"),
        ("authenticated p", None, (), ""),
        ("fred p", "fred@example.org", (), ""),
    ],
)
def test_rights_are_the_union_of_what_is_granted_less_what_is_taken_away(acl, identity, groups, rights):
    assert format_rights(Acl.parse(acl).rights_of(identity, groups)) == rights


def test_a_change_adds_takes_away_or_replaces():
    acl = Acl.parse("fred lr")
    assert str(acl.changed("fred", "+sp")) == "fred lrsp"
    assert str(acl.changed("fred", "-r")) == "fred l"
    assert str(acl.changed("fred", "p")) == "fred p"


@pytest.mark.parametrize("change", ["-lr", "", "none"])
def test_an_entry_left_empty_vanishes(change):
    assert Acl.parse("fred lr").changed("fred", change) == Acl()


def test_an_owner_keeps_his_implicit_rights_when_his_entry_changes():
    implicit = parse_rights("lkxan")
    acl = Acl.parse("alice lrswipkxtean").changed("alice", "lrs").kept_for("alice", "alice", implicit)
    assert str(acl) == "alice lrskxcan"


def test_an_owner_who_is_deleted_keeps_his_implicit_rights():
    implicit = parse_rights("lkxan")
    assert str(Acl.parse("alice lrs").without("alice").kept_for("alice", "alice", implicit)) == "alice lkxcan"


def test_a_negative_entry_for_the_owner_stays_as_it_was_asked_for():
    implicit = parse_rights("lkxan")
    acl = Acl.parse("alice lrsa").changed("-alice", "pa").kept_for("alice", "-alice", implicit)
    assert str(acl) == "alice lrskxcan -alice pa"


def test_a_folder_that_is_given_to_somebody_is_not_closed_to_him_by_an_old_negative_entry():
    assert str(Acl.parse("alice lra -bob pa").secured("bob", parse_rights("la"))) == "alice lra -bob p bob la"


@pytest.mark.parametrize(
    ("deleteright", "given", "printed"),
    [
        ("c", "c", "kxc"),
        ("d", "c", "kc"),
        ("d", "d", "xtecd"),
        ("d", "xd", "xc"),
        ("a", "la", "lxca"),
        ("a", "c", "kc"),
        ("w", "lrw", "lrwxc"),
    ],
)
def test_the_old_right_that_allowed_to_delete_a_mailbox_brings_the_new_one_along(deleteright, given, printed):
    assert format_rights(parse_rights(given, deleteright)) == printed


def test_a_change_of_somebody_else_leaves_the_owner_alone():
    implicit = parse_rights("lkxan")
    assert str(Acl.parse("alice lrs").changed("bob", "l").kept_for("alice", "bob", implicit)) == "alice lrs bob l"


def test_a_renamed_user_takes_his_entries_along_and_keeps_what_the_new_name_had():
    assert str(Acl.parse("alice lr -alice p bob s").renamed("alice", "bob")) == "bob lrs -bob p"


@pytest.mark.parametrize("bad", ["anyone", "anyone lrs fred", "anyone lrz"])
def test_a_default_acl_that_is_no_list_is_refused(bad):
    with pytest.raises(DataError):
        Acl.parse(bad)
