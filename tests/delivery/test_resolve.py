"""Who an address is, and what RCPT answers."""

import pytest

from sievemda.delivery.identity import posting_identity
from sievemda.mail.result import Receipt, Result
from sievemda.store import departures
from sievemda.store.denials import set_denials
from sievemda.store.departures import Departure
from sievemda.store.names import MailboxName
from sievemda.store.record import FILE_NAME
from tests.delivery.world import changed, sender

OK = Result.ACCEPTED


@pytest.mark.parametrize(
    "address",
    ["alice@example.org", "alice@any.domain", "alice", "ALICE@EXAMPLE.ORG", '"alice"@x', "alice+@x", "alice+a+b@x"],
)
def test_a_user_is_found(world, address):
    world.user("alice")
    assert world.verify(address).owner == "alice"


@pytest.mark.parametrize(
    "address",
    [
        "nobody@x",
        "alic@x",
        "alice-x@x",
        '"../alice"@x',
        '"a/b"@x',
        '"alice "@x',
        '"..“"@x',
        "anyone@x",
        "anonymous@x",
        '"."@x',
        "%@x",
        "user@x",
        '""@x',
        "a" * 250 + "@x",
    ],
)
def test_anybody_else_is_refused(world, address):
    world.user("alice")
    assert world.result(address) in {Result.NO_SUCH_USER, Result.NO_SUCH_MAILBOX}


@pytest.mark.parametrize(
    ("services", "result"), [({"lmtp"}, Result.USER_DENIED), ({"lmtp", "sieve"}, Result.USER_DENIED), ({"sieve"}, OK)]
)
def test_mail_for_who_is_shut_out_is_put_off(world, services, result):
    world.user("alice", "Lists")
    set_denials(world.store.find(MailboxName("alice")), dict.fromkeys(services, "is being moved"))
    assert world.result("alice@x") is result
    assert world.result("alice+Lists@x") is result


@pytest.mark.parametrize("autocreate_quota", [-1, 0])
def test_mail_for_who_is_on_his_way_to_another_host_is_put_off_and_nobody_is_made_of_him(make_world, autocreate_quota):
    world = make_world(autocreate_quota=autocreate_quota, autocreate_post=True, lmtp_catchall_mailbox="carol")
    world.user("carol")
    with departures.alone(world.store, "alice"):
        departures.write(world.store, "alice", Departure("1", "new.example", "alice"))
    assert world.result("alice@x") is Result.USER_DENIED
    assert world.store.find(MailboxName("alice")) is None


def test_mail_waits_for_who_has_just_left_though_an_imap_server_has_made_his_inbox_again(world):
    world.user("alice")
    inbox = world.store.find(MailboxName("alice"))
    with departures.alone(world.store, "alice"):
        departures.write(world.store, "alice", Departure("1", "new.example", "alice"))
        assert world.result("alice@x") is OK
        (inbox.path / FILE_NAME).unlink()
        assert world.result("alice@x") is Result.USER_DENIED


def test_who_is_shut_out_is_no_reason_for_the_catch_all(make_world):
    world = make_world(lmtp_catchall_mailbox="carol")
    world.user("alice")
    world.user("carol")
    set_denials(world.store.find(MailboxName("alice")), {"lmtp": "is being moved"})
    assert world.result("alice@x") is Result.USER_DENIED


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("alice@x", None),
        ("alice+@x", None),
        ("alice+Lists@x", ("Lists",)),
        ("alice+a/b@x", ("a", "b")),
        ("alice+a.b@x", ("a.b",)),
        ("alice+a+b@x", ("a+b",)),
        ("alice+INBOX@x", None),
        ("alice+inbox@x", None),
        ("alice+INBOX/x@x", ("INBOX", "x")),
        ("alice+a//b@x", ("a", "b")),
        ("alice+../b@x", None),
        ('"alice+a b"@x', ("a b",)),
    ],
)
def test_the_detail_names_a_folder_of_the_user(world, address, detail):
    world.user("alice")
    named = world.verify(address).detail
    assert (named and named.path) == detail


def test_the_detail_is_cut_at_dots_where_they_separate(make_world):
    world = make_world(unixhierarchysep=False)
    world.user("alice")
    assert world.verify("alice+a.b@x").detail == MailboxName("alice", ("a", "b"))


def test_any_character_of_the_setting_is_a_delimiter(make_world):
    world = make_world(recipient_delimiter="-+")
    world.user("alice")
    assert world.verify("alice-a+b@x").detail.path == ("a+b",)
    assert world.verify("alice+a-b@x").detail.path == ("a-b",)


def test_without_a_delimiter_there_is_no_detail(make_world):
    world = make_world(recipient_delimiter="")
    world.user("alice")
    assert world.result("alice+x@x") is Result.NO_SUCH_USER


def test_case_counts_when_the_site_says_so(make_world):
    world = make_world(lmtp_downcase_rcpt=False)
    world.user("alice")
    assert world.result("Alice@x") is Result.NO_SUCH_USER
    assert world.result("alice@X") is OK


def test_rcpt_does_not_look_at_the_detail_folder(world):
    world.user("alice", "F", acl=None)
    world.quota("user/alice/F", messages=0)
    assert world.result("alice+F@x") is OK
    assert world.result("alice+missing@x") is OK


# --- domains ---


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("alice@example.org", "alice@example.org"),
        ("alice@EXAMPLE.ORG", "alice@example.org"),
        ("alice@home.example", "alice"),
        ("alice", "alice"),
        ("alice@other.example", None),
    ],
)
def test_domains_make_different_users_with_virtdomains(make_world, address, owner):
    world = make_world(virtdomains="on", defaultdomain="home.example")
    world.user("alice")
    world.mailbox("user/alice@example.org")
    answer = world.verify(address)
    assert (None if isinstance(answer, Receipt) else answer.owner) == owner


# --- boards ---


def test_a_board_is_reached_through_the_post_user(world):
    world.mailbox("board", ("anyone", "lrsp"))
    target = world.verify("+board@x")
    assert target.owner is None
    assert target.mailbox.name.path == ("board",)


def test_the_post_user_has_the_name_of_the_setting(make_world):
    world = make_world(postuser="bb")
    world.mailbox("board", ("anyone", "lrsp"))
    assert world.result("bb+board@x") is OK
    assert world.result("BB+board@x") is OK
    assert world.result("+board@x") is Result.NO_SUCH_USER
    assert world.result("bb@x") is Result.NO_SUCH_MAILBOX


@pytest.mark.parametrize(
    ("rights", "result"),
    [
        ("lrsp", OK),
        ("p", OK),
        ("lrs", Result.NOT_PERMITTED),
        ("l", Result.NOT_PERMITTED),
        ("r", Result.NO_SUCH_MAILBOX),
        ("i", Result.NO_SUCH_MAILBOX),
    ],
)
def test_a_board_needs_the_right_to_post_and_hides_without_the_right_to_see(world, rights, result):
    world.mailbox("board", ("anyone", rights))
    assert world.result("+board@x") is result


@pytest.mark.parametrize(
    "address", ["+@x", "+nope@x", "+board/sub@x", "+user/alice@x", "+../x@x", "+boar@x", "+INBOX@x"]
)
def test_what_is_no_board_is_refused(world, address):
    world.user("alice")
    world.mailbox("board", ("anyone", "lrsp"))
    assert world.result(address) in {Result.NO_SUCH_MAILBOX, Result.NO_SUCH_USER}


def test_the_posting_identity_decides(world):
    world.mailbox("board", ("anyone", "lrs"), ("fred", "p"), ("anonymous", "p"))
    assert world.result("+board@x", sender(auth="fred")) is OK
    assert world.result("+board@x", sender(auth="FRED")) is OK
    assert world.result("+board@x") is OK
    assert world.result("+board@x", sender(auth="bob")) is Result.NOT_PERMITTED
    assert world.result("+board@x", sender("fred@x", auth="bob")) is Result.NOT_PERMITTED


def test_a_full_board_is_over_quota_only_for_who_may_post(world):
    world.mailbox("board", ("anyone", "lrs"), ("fred", "p"))
    world.quota("board", messages=0)
    assert world.deliver("+board@x", b"A: b\n\n", sender(auth="fred")) == [Result.DELIVERED]
    assert world.result("+board@x", sender(auth="fred")) is Result.OVER_QUOTA
    assert world.result("+board@x") is Result.NOT_PERMITTED


def test_a_board_for_drafts_takes_no_posts(world):
    world.mailbox("board", ("anyone", "lrsp"), special_use="\\Drafts")
    assert world.result("+board@x") is Result.MAILBOX_BROKEN


def test_boards_of_a_domain_belong_to_it(make_world):
    world = make_world(virtdomains="on", defaultdomain="home.example")
    world.mailbox("board@example.org", ("anyone", "lrsp"))
    assert world.result("+board@example.org") is OK
    assert world.result("+board@home.example") is Result.NO_SUCH_MAILBOX


def test_a_near_name_finds_the_board_when_the_site_wants_it(make_world):
    world = make_world(lmtp_fuzzy_mailbox_match=True)
    world.mailbox("Big_Board", ("anyone", "lrsp"))
    assert world.deliver("+big-board/nope@x", b"A: b\n\n") == [Result.DELIVERED]
    assert len(world.files("Big_Board")) == 1


# --- quota at RCPT ---


@pytest.mark.parametrize(("permanent", "result"), [(False, Result.OVER_QUOTA), (True, Result.OVER_QUOTA_PERMANENT)])
def test_over_quota_is_refused_for_now_or_for_good(make_world, permanent, result):
    world = make_world(lmtp_over_quota_perm_failure=permanent)
    world.user("alice")
    world.quota("user/alice", messages=0)
    world.deliver("alice@x", b"A: b\n\n")
    assert world.result("alice@x") is result
    assert world.result("alice@x", ignore_quota=True) is OK


def test_the_strict_rule_counts_the_declared_size(make_world):
    world = make_world(lmtp_strict_quota=True)
    world.user("alice")
    world.quota("user/alice", storage=1000)
    assert world.result("alice@x", sender(size=1001)) is Result.OVER_QUOTA
    assert world.result("alice@x", sender(size=1000)) is OK
    assert world.result("alice@x") is OK


# --- catch-all ---


def test_the_catch_all_gets_what_nobody_else_would(make_world):
    world = make_world(lmtp_catchall_mailbox="dump")
    world.user("dump", "x")
    for address in ("nobody@x", "nobody+x@x", "+noboard@x", '""@x', "anyone@x"):
        target = world.verify(address)
        assert (target.owner, target.detail) == ("dump", None), address


def test_the_catch_all_gets_neither_over_quota_nor_forbidden_mail(make_world):
    world = make_world(lmtp_catchall_mailbox="dump")
    world.user("dump")
    world.user("alice")
    world.quota("user/alice", messages=0)
    world.deliver("alice@x", b"A: b\n\n")
    world.mailbox("board", ("anyone", "lrs"))
    assert world.result("alice@x") is Result.OVER_QUOTA
    assert world.result("+board@x") is Result.NOT_PERMITTED


def test_the_catch_all_does_not_tell_whether_a_hidden_board_exists(make_world):
    world = make_world(lmtp_catchall_mailbox="dump")
    world.user("dump")
    world.mailbox("hidden", ("anyone", "r"))
    assert world.verify("+hidden@x").owner == world.verify("+missing@x").owner == "dump"


def test_a_catch_all_that_does_not_exist_changes_nothing(make_world):
    assert make_world(lmtp_catchall_mailbox="dump").result("nobody@x") is Result.NO_SUCH_USER


# --- autocreate ---


def test_an_account_makes_itself_when_the_site_wants_it(make_world):
    world = make_world(
        autocreate_quota=1000,
        autocreate_quota_messages=50,
        autocreate_post=True,
        autocreate_inbox_folders="Sent | Junk|a/b",
    )
    assert world.result("new@x") is OK
    assert [world.store.namespace.format_admin(m.name) for m in world.store.list("user/new*")] == [
        "user/new", "user/new/Junk", "user/new/Sent",
    ] or world.store.find(MailboxName("new", ("Junk",)))  # fmt: skip
    limits = world.store.quota_root(MailboxName("new")).limits()
    assert (limits.storage, limits.messages) == (1000 * 1024, 50)


@pytest.mark.parametrize(
    "changes",
    [
        {"autocreate_quota": -1, "autocreate_post": True},
        {"autocreate_quota": 0, "autocreate_post": False},
        {"autocreate_quota": 0, "autocreate_post": True, "admins": ("new",)},
        {"autocreate_quota": 0, "autocreate_post": True, "autocreate_users": ("other",)},
    ],
)
def test_no_account_makes_itself_otherwise(make_world, changes):
    world = make_world(**changes)
    assert world.result("new@x") is Result.NO_SUCH_USER
    assert world.store.find(MailboxName("new")) is None


@pytest.mark.parametrize("address", ["anonymous@x", "anyone@x", '"a/b"@x', "%@x"])
def test_names_that_nobody_can_have_make_no_account(make_world, address):
    world = make_world(autocreate_quota=0, autocreate_post=True)
    assert world.result(address) is Result.NO_SUCH_USER


# --- trouble ---


def test_a_store_that_fails_is_temporary_trouble(world, monkeypatch):
    def fail(*_):
        raise OSError(5, "I/O error")

    monkeypatch.setattr(world.store, "find", fail)
    assert world.result("alice@x") is Result.TROUBLE


# --- the posting identity ---


@pytest.mark.parametrize(
    ("auth", "identity"),
    [
        (None, None),
        ("", None),
        ("fred", "fred"),
        ("Fred", "fred"),
        ("fred@internal", "fred"),
        ("fred@x", "fred@x"),
        ("fred@INTERNAL", "fred"),
        ("fred@bücher.example", "fred@xn--bcher-kva.example"),
        ("anonymous", None),
        ("anyone", "anyone"),
        ("group:staff", None),
        ("-fred", None),
        ("a b", "a b"),
        ("a\nb", None),
        ("fr%d", None),
        ("frédéric", None),
        ("x" * 81, None),
    ],
)
def test_an_identity_that_cannot_be_is_anonymous(world, auth, identity):
    assert posting_identity(world.settings, auth) == identity


def test_case_of_identities_counts_when_the_site_says_so(world):
    assert posting_identity(changed(world.settings, username_tolower=False), "Fred") == "Fred"


@pytest.mark.parametrize(
    ("downcase", "address", "seen"),
    [
        (True, "ALICE+Detail@EXAMPLE.org", "alice+Detail@example.org"),
        (True, "Alice", "alice"),
        (False, "alice+Detail@EXAMPLE.org", "alice+Detail@EXAMPLE.org"),
    ],
)
def test_the_user_and_the_domain_are_lowered_for_scripts_and_the_detail_is_not(make_world, downcase, address, seen):
    world = make_world(lmtp_downcase_rcpt=downcase)
    world.user("alice")
    assert str(world.verify(address).recipient.address) == seen
