"""That one ACL means the same to Cyrus' arithmetic and to Dovecot's precedence, for whatever ACL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.policy import dovecot
from sievemda.policy.acl import ALL_RIGHTS, Acl, Rights, format_rights, parse_rights
from sievemda.policy.dovecot import Entry, enforcing, equivalent, merged, rights_of

GROUPS = {"alice": {"red"}, "bob": {"red", "blue"}, "carol": {"blue"}, "dave": set(), "erin": {"red", "blue", "green"}}
IDENTITIES = [None, *GROUPS]
NAMES = ["anyone", "anonymous", "authenticated", "alice", "bob", "carol", "group:red", "group:blue", "group:green"]

letters = st.frozensets(st.sampled_from("lrswpian")).map(Rights)
lists = st.lists(st.tuples(st.booleans(), st.sampled_from(NAMES), letters), max_size=7)


def groups_of(userid):
    return GROUPS[userid]


def acl_of(entries):
    acl = Acl()
    for negative, name, rights in entries:
        acl = acl.having(("-" if negative else "") + name, rights)
    return acl


def line(text):
    """`user=bob lr`, `-anyone p`."""
    identifier, _, letters = text.partition(" ")
    kind, _, name = identifier.removeprefix("-").partition("=")
    rights = parse_rights(letters)
    return Entry(kind, name, None, rights) if identifier.startswith("-") else Entry(kind, name, rights)


def in_rfc_4314(acl, identity, groups):
    """RFC 4314 section 2, in so many words: all that apply are added, then what negative ones name is taken away."""
    applies = {"anyone"} | ({"anonymous"} if identity is None else {identity, "authenticated"})
    applies |= {f"group:{group}" for group in groups}
    given = {right for name, rights in acl.entries if name in applies for right in rights}
    removed = {right for name, rights in acl.entries if name[:1] == "-" and name[1:] in applies for right in rights}
    return given - removed


@given(lists, st.sampled_from(IDENTITIES))
def test_the_arithmetic_is_that_of_the_standard(entries, identity):
    acl, groups = acl_of(entries), GROUPS.get(identity, ())
    assert acl.rights_of(identity, groups) == in_rfc_4314(acl, identity, groups)


@given(st.text("lrswipkxteacdn0123456789", max_size=9))
def test_printed_rights_read_back_as_they_are(text):
    rights = parse_rights(text)
    assert parse_rights(format_rights(rights).replace("c", "").replace("d", "")) == rights


@given(lists, st.sampled_from([None, "alice", "bob", "dave"]), st.sampled_from(IDENTITIES))
def test_dovecot_enforces_what_the_arithmetic_says(entries, owner, identity):
    acl, groups = acl_of(entries), GROUPS.get(identity, ())
    owned = owner is not None and identity == owner
    wanted = acl.rights_of(identity, groups) & dovecot.KNOWN
    assert rights_of(enforcing(acl, owner, groups_of), identity, groups, owned=owned) & dovecot.KNOWN == wanted


KINDS = ["anyone", "authenticated", "owner", "user=alice", "user=bob", "user=anonymous"]


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(KINDS), letters), max_size=7),
    st.sampled_from([None, "alice", "dave"]),
    st.sampled_from(IDENTITIES),
)
def test_lines_without_groups_have_an_acl_that_comes_to_the_same(lines, owner, identity):
    entries = merged(line(("-" if takes else "") + f"{who} {''.join(rights)}") for takes, who, rights in lines)
    owned = owner is not None and identity == owner
    acl = equivalent(entries, owner, groups_of)
    assert acl.rights_of(identity) == rights_of(entries, identity, owned=owned)


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([*KINDS[:2], "group=red"]), letters), max_size=6),
    st.sampled_from([None, "alice", "dave"]),
)
def test_lines_for_a_group_have_an_acl_that_comes_to_the_same(lines, identity):
    entries = merged(line(("-" if takes else "") + f"{who} {''.join(rights)}") for takes, who, rights in lines)
    groups = GROUPS.get(identity, ())
    assert equivalent(entries, None, groups_of).rights_of(identity, groups) == rights_of(entries, identity, groups)


@given(lists, st.sampled_from([None, "alice"]))
def test_what_we_write_for_dovecot_is_understood_again(entries, owner):
    acl = acl_of([entry for entry in entries if "group" not in entry[1]])
    again = equivalent(enforcing(acl, owner, groups_of), owner, groups_of)
    for identity in IDENTITIES:
        assert again.rights_of(identity) == acl.rights_of(identity)


# What Dovecot 2.3.19 answers to MYRIGHTS (tests/interop asks it again, with random files).
@pytest.mark.parametrize(
    ("lines", "rights"),
    [
        (["anyone lrs", "user=bob lp"], "lp"),
        (["anyone lrs", "group=red lp"], "lp"),
        (["group=red lr", "group=blue ls"], "lrs"),
        (["anyone lr", "authenticated lp"], "lp"),
        (["anyone lrs", "-user=bob r"], "ls"),
        (["anyone lrs", "-group=red r", "user=bob lr"], "l"),
        (["user=bob lrw", "-anyone r"], "lw"),
        (["-user=bob w", "authenticated lrsw", "-authenticated sw"], "lrs"),
        (["user=bob lrw", "-group=red w", "user=bob rs"], "lrsw"),
        (["user=bob", "anyone lr"], ""),
        (["group-override=red ls", "user=bob lr"], "ls"),
        (["group-override=red ls", "-user=bob s"], "l"),
        (["-group=blue lpw", "group=red s", "-owner l", "-anyone lrsp", "-anyone w", "anyone ls"], "s"),
        (["owner lr"], ""),
    ],
)
def test_the_narrowest_kind_replaces_the_wider_ones(lines, rights):
    assert format_rights(rights_of(merged(map(line, lines)), "bob", GROUPS["bob"])) == rights


@pytest.mark.parametrize(
    ("lines", "rights"),
    [
        ([], "all"),
        (["anyone lrs", "-anyone r"], "all"),
        (["owner lr", "anyone lrs"], "lr"),
        (["user=bob lr", "owner ls"], "lr"),
        (["user=bob lrs", "-owner r"], "ls"),
        (["-owner r"], "all but r"),
        (["-group=red r", "owner lrs"], "lrs"),
        (["group=red lp", "owner lrs"], "lrs"),
    ],
)
def test_an_owner_has_all_rights_until_a_line_says_otherwise(lines, rights):
    wanted = {"all": ALL_RIGHTS, "all but r": ALL_RIGHTS - {"r"}}.get(rights) or parse_rights(rights)
    assert rights_of(merged(map(line, lines)), "bob", GROUPS["bob"], owned=True) == wanted


def test_a_line_that_only_takes_from_anonymous_leaves_him_the_rest():
    lines = ["-user=anonymous l", "anyone lr", "authenticated"]
    assert equivalent(merged(map(line, lines)), None, groups_of).rights_of(None) == parse_rights("r")


def test_what_a_narrower_line_has_replaced_is_not_taken():
    acl = equivalent(merged(map(line, ["-user=alice", "-owner l"])), "alice", groups_of)
    assert acl.rights_of("alice") == ALL_RIGHTS


@pytest.mark.parametrize("name", ["anyone", "authenticated", "-bob", "group:red", "user=x"])
def test_a_user_with_a_confusing_name_is_nobody_else(name):
    entry = Entry("user", name, parse_rights("lr"))
    assert dovecot.entry_for(entry.identifier, entry.granted, None) == entry
    assert equivalent([entry], None, groups_of).rights_of("bob", ["red"]) == Rights()
