import pytest

from sievemda.config import Settings
from sievemda.errors import DataError
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.patterns import Pattern
from tests.store.conftest import settings_with

UNIX = Namespace(Settings())
DOTS = Namespace(settings_with(Settings().data, names={"unixhierarchysep": False}))
DOTTED_PLAIN = Namespace(settings_with(Settings().data, names={"unixhierarchysep": False, "altnamespace": False}))
RENAMED = Namespace(
    settings_with(Settings().data, names={"userprefix": "Leute", "sharedprefix": "Tafeln", "altprefix": "Sonst"})
)
PLAIN = Namespace(settings_with(Settings().data, names={"altnamespace": False}))
CAPITALS = Namespace(settings_with(Settings().data, site={"virtdomains": "userid", "defaultdomain": "Example.COM"}))
VIRTUAL = Namespace(settings_with(Settings().data, site={"virtdomains": "on", "defaultdomain": "example.com"}))


@pytest.mark.parametrize(
    ("namespace", "text", "name", "printed"),
    [
        (UNIX, "user/alice", MailboxName("alice"), "user/alice"),
        (UNIX, "user/Alice/Lists", MailboxName("alice", ("Lists",)), "user/alice/Lists"),
        (UNIX, "user/betty.boop/a.b", MailboxName("betty.boop", ("a.b",)), "user/betty.boop/a.b"),
        (UNIX, "user.alice.Lists", MailboxName("alice", ("Lists",)), "user/alice/Lists"),
        (UNIX, "board", MailboxName(None, ("board",)), "board"),
        (UNIX, "board/sub.x", MailboxName(None, ("board", "sub.x")), "board/sub.x"),
        (UNIX, "board.x", MailboxName(None, ("board.x",)), "board.x"),
        (UNIX, "user/alice/bob@example.net", MailboxName("alice", ("bob@example.net",)), "user/alice/bob@example.net"),
        (UNIX, "user/alice@internal", MailboxName("alice"), "user/alice"),
        (DOTS, "user.alice.Lists", MailboxName("alice", ("Lists",)), "user.alice.Lists"),
        (DOTS, "user/alice/Lists", MailboxName("alice", ("Lists",)), "user.alice.Lists"),
        (DOTS, "user.betty^boop", MailboxName("betty.boop"), "user.betty^boop"),
        (DOTS, "user/betty.boop/x", MailboxName("betty.boop", ("x",)), "user.betty^boop.x"),
        (DOTS, "board.sub", MailboxName(None, ("board", "sub")), "board.sub"),
        (DOTS, "board/sub", MailboxName(None, ("board", "sub")), "board.sub"),
        (VIRTUAL, "user/l@example.org", MailboxName("l@example.org"), "user/l@example.org"),
        (VIRTUAL, "user/l/P.x@Example.ORG", MailboxName("l@example.org", ("P.x",)), "user/l/P.x@example.org"),
        (VIRTUAL, "user/l/P@example.com", MailboxName("l", ("P",)), "user/l/P"),
        (VIRTUAL, "board@example.org", MailboxName(None, ("board",), "example.org"), "board@example.org"),
        (VIRTUAL, "board@example.com", MailboxName(None, ("board",)), "board"),
        (VIRTUAL, "user/l@example.org/P/x", MailboxName("l@example.org", ("P", "x")), "user/l/P/x@example.org"),
        (VIRTUAL, "user/l@example.com/P", MailboxName("l", ("P",)), "user/l/P"),
        (VIRTUAL, "user.l.P@example.org", MailboxName("l@example.org", ("P",)), "user/l/P@example.org"),
        (VIRTUAL, "user/l/a@b@example.com", MailboxName("l", ("a@b",)), "user/l/a@b@example.com"),
        (VIRTUAL, "a@b@example.com", MailboxName(None, ("a@b",)), "a@b@example.com"),
        (VIRTUAL, "user/l/a@b@example.org", MailboxName("l@example.org", ("a@b",)), "user/l/a@b@example.org"),
        (
            VIRTUAL,
            "user/l/P@Bücher.example",
            MailboxName("l@xn--bcher-kva.example", ("P",)),
            "user/l/P@xn--bcher-kva.example",
        ),
        (VIRTUAL, "x@straße.example", MailboxName(None, ("x",), "xn--strae-oqa.example"), "x@xn--strae-oqa.example"),
        (CAPITALS, "user/l@example.com", MailboxName("l"), "user/l"),
        (
            CAPITALS,
            "user/l@xn--bcher-kva.example",
            MailboxName("l@xn--bcher-kva.example"),
            "user/l@xn--bcher-kva.example",
        ),
        (UNIX, "user/alice@internal/P", MailboxName("alice", ("P",)), "user/alice/P"),
    ],
)
def test_an_administrators_name_is_read_and_printed(namespace, text, name, printed):
    assert namespace.parse_admin(text) == name
    assert namespace.format_admin(name) == printed


@pytest.mark.parametrize(
    "bad",
    ["", "user", "user/", "/user/alice", "user//x", "user/alice/", "user/alice//x", "user/alice/../bob", "user/alice/.",
     "user/alice/a\0b", "user/alice/a\nb", "user/alice/\udcff", "user/../x", "user/.hidden", "user/~x", "user/%x", "user/-x",
     "user/anyone", "user/anonymous", "user/a b", "user/alice@example.org", "..", "user/" + "x" * 300, "user/$x", "user/a^b"],
)  # fmt: skip
def test_a_hostile_or_impossible_name_is_refused(bad):
    with pytest.raises(DataError):
        UNIX.parse_admin(bad)


@pytest.mark.parametrize(
    "bad", ["user/a@b..c", "user/a@-b", "user/a@b@c", "user/a@..", "@b.example", "user/a@" + "x" * 300]
)
def test_a_domain_that_cannot_be_is_refused(bad):
    with pytest.raises(DataError):
        VIRTUAL.parse_admin(bad)


@pytest.mark.parametrize(
    ("namespace", "text", "name"),
    [
        (UNIX, "INBOX", MailboxName("alice")),
        (UNIX, "inbox", MailboxName("alice")),
        (UNIX, "Lists/Sub", MailboxName("alice", ("Lists", "Sub"))),
        (UNIX, "inbox/x", MailboxName("alice", ("INBOX", "x"))),
        (UNIX, "a.b", MailboxName("alice", ("a.b",))),
        (UNIX, "user/bob/x", MailboxName("alice", ("user", "bob", "x"))),
        (UNIX, "Other Users/bob", MailboxName("bob")),
        (UNIX, "Other Users/bob/x", MailboxName("bob", ("x",))),
        (UNIX, "Shared Folders/board/sub", MailboxName(None, ("board", "sub"))),
        (UNIX, "Alt Folders/INBOX", MailboxName("alice", ("INBOX",))),
        (UNIX, "Alt Folders/inbox", MailboxName("alice", ("inbox",))),
        (UNIX, "Alt Folders/INBOX/x", MailboxName("alice", ("INBOX", "x"))),
        (UNIX, "Alt Folders/Other Users/x", MailboxName("alice", ("Other Users", "x"))),
        (UNIX, "Alt Folders/Alt Folders", MailboxName("alice", ("Alt Folders",))),
        (UNIX, "other users/bob", MailboxName("alice", ("other users", "bob"))),
        (RENAMED, "Leute/bob/x", MailboxName("bob", ("x",))),
        (RENAMED, "Tafeln/board", MailboxName(None, ("board",))),
        (RENAMED, "Sonst/Leute", MailboxName("alice", ("Leute",))),
        (RENAMED, "Other Users/bob", MailboxName("alice", ("Other Users", "bob"))),
        (DOTS, "INBOX.x", MailboxName("alice", ("INBOX", "x"))),
        (DOTS, "Lists.a^b", MailboxName("alice", ("Lists", "a.b"))),
        (DOTS, "a/b", MailboxName("alice", ("a/b",))),
        (DOTS, "Other Users.betty^boop.x", MailboxName("betty.boop", ("x",))),
        (PLAIN, "INBOX", MailboxName("alice")),
        (PLAIN, "Inbox/x", MailboxName("alice", ("x",))),
        (PLAIN, "INBOX/INBOX/x", MailboxName("alice", ("INBOX", "x"))),
        (PLAIN, "user/bob/x", MailboxName("bob", ("x",))),
        (PLAIN, "board", MailboxName(None, ("board",))),
        (PLAIN, "Shared Folders/board", MailboxName(None, ("Shared Folders", "board"))),
        (PLAIN, "Alt Folders/x", MailboxName(None, ("Alt Folders", "x"))),
        (PLAIN, "Other Users/bob", MailboxName(None, ("Other Users", "bob"))),
        (DOTTED_PLAIN, "INBOX.x.a^b", MailboxName("alice", ("x", "a.b"))),
        (DOTTED_PLAIN, "user.betty^boop.x", MailboxName("betty.boop", ("x",))),
        (DOTTED_PLAIN, "board.sub", MailboxName(None, ("board", "sub"))),
    ],
)
def test_a_name_in_a_script_means_what_its_owner_sees(namespace, text, name):
    assert namespace.parse_user(text, "alice") == name


@pytest.mark.parametrize(
    "bad",
    ["", "/", "a//b", "/a", "a/", "Other Users", "Shared Folders", "Alt Folders", "../x", "a/../b", "a\0", "\ud800"],
)
def test_a_name_in_a_script_that_cannot_be_is_refused(bad):
    with pytest.raises(DataError):
        UNIX.parse_user(bad, "alice")


def test_a_user_of_a_domain_sees_users_and_boards_of_his_domain():
    assert VIRTUAL.parse_user("Other Users/bob", "alice@example.org") == MailboxName("bob@example.org")
    assert VIRTUAL.parse_user("Other Users/bob@example.com", "alice@example.org") == MailboxName("bob")
    assert VIRTUAL.parse_user("Shared Folders/b", "a@example.org") == MailboxName(None, ("b",), "example.org")


@pytest.mark.parametrize(
    "text",
    ["INBOX", "Lists/x", "INBOX/x", "Other Users/bob/x", "Shared Folders/board", "Alt Folders/INBOX", "Alt Folders/inbox",
     "Alt Folders/inbox/x", "Alt Folders/Other Users", "Alt Folders/Shared Folders/x", "Alt Folders/Alt Folders/x"],
)  # fmt: skip
def test_what_a_user_sees_reads_back_as_the_same_name(text):
    assert UNIX.format_user(UNIX.parse_user(text, "alice"), "alice") == text


@pytest.mark.parametrize("text", ["INBOX", "INBOX/Lists", "user/bob", "user/bob/x", "board/sub"])
def test_without_the_alternative_namespace_names_read_back_too(text):
    assert PLAIN.format_user(PLAIN.parse_user(text, "alice"), "alice") == text


@pytest.mark.parametrize(
    ("namespace", "detail", "path"),
    [
        (UNIX, "Lists", ("Lists",)),
        (UNIX, "Lists/Sub", ("Lists", "Sub")),
        (UNIX, "a.b", ("a.b",)),
        (UNIX, "inbox", ()),
        (UNIX, "INBOX/x", ("INBOX", "x")),
        (UNIX, "Other Users/bob", ("Other Users", "bob")),
        (DOTS, "a.b", ("a", "b")),
        (DOTS, "a^b", ("a.b",)),
        (DOTS, "a/b", ("a/b",)),
        (PLAIN, "Lists", ("Lists",)),
    ],
)
def test_a_detail_is_relative_to_the_inbox(namespace, detail, path):
    assert namespace.parse_detail("alice", detail) == MailboxName("alice", path)


def test_a_detail_without_a_user_names_a_board():
    assert UNIX.parse_detail(None, "board/sub") == MailboxName(None, ("board", "sub"))


@pytest.mark.parametrize(
    ("namespace", "pattern", "matching", "others"),
    [
        (UNIX, "*", ["user/alice", "user/alice/x", "board"], []),
        (UNIX, "%", ["board"], ["user/alice", "board/x"]),
        (UNIX, "user/%", ["user/alice", "user/a.b"], ["user/alice/x", "board"]),
        (UNIX, "user/alice/*", ["user/alice/x", "user/alice/x/y"], ["user/alice", "user/alicex/x"]),
        (UNIX, "user/a*", ["user/alice", "user/alice/x"], ["user/bob"]),
        (UNIX, "user/alice", ["user/alice"], ["user/alice/x", "user/alicex"]),
        (UNIX, "user.%.x", ["user/alice/x"], ["user/alice", "user/alice/x/y"]),
        (UNIX, "*.x", ["board.x", "user/alice/a.x"], ["board/x"]),
        (DOTS, "user.%", ["user/alice", "user/betty.boop"], ["user/alice/x"]),
        (DOTS, "user/%/x", ["user/alice/x"], ["user/alice"]),
        (VIRTUAL, "user/%", ["user/alice", "user/bob@example.org"], ["user/alice/x"]),
        (VIRTUAL, "user/%@example.org", ["user/bob@example.org"], ["user/alice"]),
        (VIRTUAL, "*@example.org", ["user/bob/x@example.org", "board@example.org"], ["user/alice"]),
        (VIRTUAL, "user/%@Example.Com", ["user/alice"], ["user/bob@example.org"]),
        (VIRTUAL, "*@bücher.example", ["user/bob@xn--bcher-kva.example"], ["user/bob@example.org"]),
        (VIRTUAL, "*@EXAMPLE.*", ["user/bob@example.org"], ["user/bob@b.example", "board"]),
        (VIRTUAL, "user/alice", ["user/alice"], ["user/alice@example.org"]),
    ],
)
def test_patterns_match_as_in_list(namespace, pattern, matching, others):
    wanted = Pattern(namespace, pattern)
    found = [name for name in map(namespace.parse_admin, matching + others) if wanted.matches(name)]
    assert found == [namespace.parse_admin(text) for text in matching]
    assert all(wanted.may_match_below(name.owner) for name in found if name.owner)
    assert all(wanted.user in (None, name.owner) for name in found)


@pytest.mark.parametrize(
    "bad",
    [*(f"user/alice/a{character}b" for character in '!"%;<>\\`{|}^\x85\u2028'),
     *(f"{character}x" for character in '!"%;<>\\`{|}^$.~'), "board/a!b", "board/{", "user/alice/x.", "user/alice/a/b.", "board.",
     "a/b.", "DELETED", "user/alice/INBOX", "user/alice/inbox", "user/alice/InBox", "user/alice/inbox/x", "user/alice/Inbox/x/y", "INBOX", "inbox/x", "$x/y", "~x/y",
     "user/alice/" + "x" * 255, "user/alice/" + "ü" * 130],
)  # fmt: skip
def test_a_new_mailbox_must_not_be_called(bad):
    with pytest.raises(DataError):
        UNIX.check_new(UNIX.parse_admin(bad))


def test_where_dots_separate_a_slash_is_not_part_of_a_new_name():
    with pytest.raises(DataError):
        DOTS.check_new(MailboxName("alice", ("a/b",)))


def test_where_dots_separate_a_slash_beside_them_separates_nothing():
    assert DOTS.parse_admin("board.x/y") == MailboxName(None, ("board", "x/y"))
    with pytest.raises(DataError):
        DOTS.check_new(DOTS.parse_admin("board.x/y"))


@pytest.mark.parametrize(
    "good",
    [*(f"user/alice/a{character}b" for character in "#$&'()*+,-.:=?@[]_~ "), *(f"user/alice/{c}x" for c in "#$&'()*+,-.:=?@[]_~ "),
     "user/alice", "user/alice/Ünï", "user/alice/a/INBOX", "user/alice/INBOX/x", "user/alice/日本語", "user/alice/x ", "board",
     "board/a$b", "board/~x", "board/.x", "user/o'brien", "user/a+b", "user/alice/😀", "#news", "#calendars/x", "DELETED/x", "User",
     "user/alice/Other Users", "user/alice/user", "user/alice/DELETED"],
)  # fmt: skip
def test_a_new_mailbox_may_be_called(good):
    UNIX.check_new(UNIX.parse_admin(good))


def test_a_caret_makes_a_dot_inside_a_component_where_dots_separate():
    name = DOTS.parse_admin("user.alice.a^b")
    DOTS.check_new(name)
    assert name.path == ("a.b",)


def test_user_names_keep_their_case_when_the_setting_says_so():
    namespace = Namespace(settings_with(Settings().data, site={"username_tolower": False}))
    assert namespace.parse_admin("user/Alice") == MailboxName("Alice")
    assert namespace.identifier("Fred") == "Fred"


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("Fred", "fred"), ("-Fred", "-fred"), ("fred@example.com", "fred"), ("fred@Example.org", "fred@example.org"),
     ("Fred@Example.COM", "fred"), ("fred@BÜCHER.example", "fred@xn--bcher-kva.example"), ("-fred@EXAMPLE.com", "-fred"),
     ("group:Staff", "group:Staff"), ("ANYONE", "anyone")],
)  # fmt: skip
def test_identifiers_of_an_acl_are_canonical_user_ids(text, identifier):
    assert VIRTUAL.identifier(text) == identifier


@pytest.mark.parametrize(
    ("path", "decoded"),
    [
        (("a&-b",), ("a&b",)),
        (("&ANw-ber", "x"), ("Über", "x")),
        (("a&b",), None),
        (("plain",), None),
        (("&AGE-",), None),
    ],
)
def test_a_name_spelled_in_modified_utf_7_can_be_decoded(path, decoded):
    name = MailboxName("alice", path).decoded()
    assert (name and name.path) == decoded


def test_a_pattern_of_many_wildcards_is_matched_at_once():
    assert not Pattern(UNIX, "*" * 5000 + "b").matches(MailboxName(None, ("a" * 200,)))
