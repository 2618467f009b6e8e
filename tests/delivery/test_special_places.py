"""Where a script's words about the store lead: special uses, identifiers, annotations, the target of the implicit keep."""

import pytest

from sievemda.mail.result import Result
from tests.delivery.world import message

HEAD = 'require ["fileinto", "mailbox", "special-use", "mailboxid", "mboxmetadata", "servermetadata", "variables"];'


@pytest.fixture
def alice(world):
    """Delivers one message to alice under this script, and says in which of her folders it is."""

    def deliver(script):
        world.script("alice", HEAD + script)
        world.deliver("alice@example.org", message())
        owned = world.store.mailboxes_of("alice")
        return sorted(
            "/".join(found.name.path) or "INBOX"
            for found in owned
            if any(list((found.path / part).iterdir()) for part in ("new", "cur"))
        )

    world.user("alice", "Spam", "Lists")
    return deliver


def named(world, name):
    return world.store.find(world.store.namespace.parse_admin(name))


def test_the_mailbox_with_the_use_goes_before_the_one_of_the_name(world, alice):
    world.mailbox("user/alice/Junk", special_use="\\Junk")
    assert alice('fileinto :specialuse "\\\\junk" "Spam";') == ["Junk"]


def test_the_name_does_not_matter_where_the_use_is_found(world, alice):
    world.mailbox("user/alice/Junk", special_use="\\Junk")
    assert alice('fileinto :specialuse "\\\\Junk" "../x";') == ["Junk"]


def test_without_one_the_name_counts(alice):
    assert alice('fileinto :specialuse "\\\\Junk" "Spam";') == ["Spam"]


def test_of_several_the_named_one_is_used(world, alice):
    """RFC 8579 §4."""
    world.mailbox("user/alice/Junk", special_use="\\Junk")
    named(world, "user/alice/Spam").set_special_use("\\Junk")
    assert alice('fileinto :specialuse "\\\\Junk" "Spam";') == ["Spam"]


def test_a_use_that_nobody_knows_is_passed_over(alice):
    assert alice('fileinto :specialuse "\\\\Nonsense" "Spam";') == ["Spam"]


def test_neither_there_is_as_without_the_use(world, alice):
    assert alice('fileinto :specialuse "\\\\Junk" "None";') == ["INBOX"]
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_the_mailbox_that_is_made_gets_the_use(world, alice):
    """RFC 8579 §4.1."""
    assert alice('fileinto :create :specialuse "\\\\Archive" "Old";') == ["Old"]
    assert named(world, "user/alice/Old").special_use == "\\Archive"


def test_one_that_is_made_for_an_unknown_use_gets_none(world, alice):
    assert alice('fileinto :create :specialuse "\\\\Nonsense" "Old";') == ["Old"]
    assert named(world, "user/alice/Old").special_use == ""


def test_none_is_made_for_a_use_that_takes_no_deliveries(alice):
    assert alice('fileinto :create :specialuse "\\\\Drafts" "D";') == ["INBOX"]


def test_a_mailbox_with_the_use_that_takes_nothing_is_not_made_up_for(world, alice):
    """RFC 8579 §4: messages are not spread over two mailboxes."""
    world.mailbox("user/alice/Junk", ("alice", "lrs"), special_use="\\Junk")
    assert alice('fileinto :specialuse "\\\\Junk" "Spam";') == ["INBOX"]


def test_uses_of_shared_folders_do_not_count(world, alice):
    """RFC 8579 §7."""
    world.mailbox("board", ("anyone", "lrsp"), special_use="\\Junk")
    assert alice('fileinto :specialuse "\\\\Junk" "Spam";') == ["Spam"]
    assert alice('if specialuse_exists "\\\\Junk" { discard; }') == ["INBOX", "Spam"]


@pytest.mark.parametrize(
    ("test", "true"),
    [
        ('specialuse_exists "\\\\Junk"', True),
        ('specialuse_exists ["\\\\Junk", "\\\\Archive"]', True),
        ('specialuse_exists ["\\\\Junk", "\\\\Sent"]', False),
        ('specialuse_exists "Old" ["\\\\archive", "\\\\ALL"]', True),
        ('specialuse_exists "Old" ["\\\\Archive", "\\\\Junk"]', False),
        ('specialuse_exists "Spam" "\\\\Junk"', False),
        ('specialuse_exists "None" "\\\\Junk"', False),
        ('specialuse_exists "a\\\\..//b" "\\\\Junk"', False),
        ('specialuse_exists "\\\\Trash"', False),  # he may not deliver into it
    ],
)
def test_specialuse_exists(world, alice, test, true):
    world.mailbox("user/alice/Junk", special_use="\\Junk")
    world.mailbox("user/alice/Old", special_use="\\Archive \\All")
    world.mailbox("user/alice/Bin", ("alice", "lrs"), special_use="\\Trash")
    assert alice(f'if {test} {{ fileinto "Spam"; }}') == (["Spam"] if true else ["INBOX"])


def test_the_right_to_insert_is_enough_for_the_tests(world, alice):
    """RFC 5490 §3.1: `p` or `i`."""
    world.mailbox("user/alice/Insert", ("alice", "lri"))
    assert alice('if mailboxexists "Insert" { fileinto "Spam"; }') == ["Spam"]


def test_an_identifier_finds_the_mailbox_whatever_it_is_called(world, alice):
    known, parse = named(world, "user/alice/Lists").id, world.store.namespace.parse_admin
    world.store.rename(parse("user/alice/Lists"), parse("user/alice/Renamed"))
    assert alice(f'fileinto :mailboxid "{known}" "Lists";') == ["Renamed"]


def test_without_the_mailbox_the_name_counts(alice):
    assert alice('fileinto :mailboxid "Fnosuch" "Lists";') == ["Lists"]


def test_what_is_made_has_an_identifier_of_its_own(world, alice):
    """Draft §4.1, §8."""
    assert alice('fileinto :mailboxid "Fnosuch" :create "New";') == ["New"]
    assert named(world, "user/alice/New").id not in {"", "Fnosuch"}


def test_mailboxes_of_others_have_no_identifier_here(world, alice):
    """Draft §4: the user's personal namespace."""
    world.user("bob")
    world.mailbox("user/bob/Open", ("alice", "lrsp"))
    other = named(world, "user/bob/Open").id
    assert alice(f'if mailboxidexists "{other}" {{ discard; }}') == ["INBOX"]


def test_mailboxidexists(world, alice):
    first, second = named(world, "user/alice/Lists").id, named(world, "user/alice").id
    assert alice(f'if mailboxidexists ["{first}", "{second}"] {{ fileinto "Spam"; }}') == ["Spam"]


def test_an_identifier_without_the_right_does_not_exist(world, alice):
    world.mailbox("user/alice/Closed", ("alice", "lrs"))
    assert alice(f'if mailboxidexists "{named(world, "user/alice/Closed").id}" {{ discard; }}') == ["INBOX"]


def test_metadata_of_a_mailbox(world, alice):
    world.store.annotations.set(named(world, "user/alice/Lists"), "alice", "/private/target", "Spam")
    script = 'if metadata :matches "Lists" "/private/target" "*" { fileinto "${1}"; }'
    assert alice(script) == ["Spam"]


def test_private_annotations_of_others_are_theirs(world, alice):
    """RFC 5490 §3.3."""
    world.store.annotations.set(named(world, "user/alice/Lists"), "bob", "/private/target", "Spam")
    assert alice('if metadataexists "Lists" "/private/target" { discard; }') == ["INBOX"]


@pytest.mark.parametrize(("rights", "seen"), [("lr", True), ("lp", True), ("l", False), ("rp", False), ("", False)])
def test_annotations_of_other_mailboxes_need_rights(world, alice, rights, seen):
    """RFC 5464 §3.3."""
    board = world.mailbox("board", ("anyone", rights))
    world.store.annotations.set(board, None, "/shared/comment", "x")
    script = 'if metadata "Shared Folders/board" "/shared/comment" "x" { fileinto "Spam"; }'
    assert alice(script) == (["Spam"] if seen else ["INBOX"])


@pytest.mark.parametrize("name", ["None", "", "a//b", "\\\\Junk"])
def test_a_mailbox_that_is_not_there_has_no_annotations(alice, name):
    assert alice(f'if metadata :contains "{name}" "/shared/comment" "" {{ discard; }}') == ["INBOX"]


def test_metadata_of_the_server(world, alice):
    world.store.annotations.set_server(None, None, "/shared/admin", "mailto:root@example.org")
    world.store.annotations.set_server(named(world, "user/alice"), "alice", "/private/target", "Spam")
    script = """if allof (servermetadata :contains "/shared/admin" "root",
        servermetadata :matches "/private/target" "*") { fileinto "${1}"; }"""
    assert alice(script) == ["Spam"]


def test_annotations_that_cannot_be_read_are_an_error_of_the_script(world, alice):
    """RFC 5490 §5."""
    (world.settings.data / "server-metadata").mkdir()
    assert alice('if not servermetadataexists "/shared/admin" { discard; }') == ["INBOX"]
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_the_implicit_keep_goes_to_its_target(world, alice):
    script = 'require ["vnd.cyrus.implicit_keep_target", "copy"]; implicit_keep_target "Lists";'
    assert alice(script + 'fileinto :copy "Spam";') == ["Lists", "Spam"]


def test_a_target_that_is_not_there_is_as_none(world, alice):
    assert alice('require "vnd.cyrus.implicit_keep_target"; implicit_keep_target "None";') == ["INBOX"]
    assert world.keywords("user/alice") == []
    (entry,) = world.journal.find("<1@example.net>")
    assert [
        entry["not_done"][0]["action"], entry["not_done"][0]["why"]
    ] == ["implicit_keep_target", "there is no such mailbox"]  # fmt: skip


def test_an_error_keeps_in_the_inbox_whatever_the_target(alice):
    script = 'require "vnd.cyrus.implicit_keep_target"; implicit_keep_target "Lists"; fileinto "${none}";'
    assert alice(script) == ["INBOX"]


def test_the_identifier_that_dovecot_shows_finds_the_mailbox(world, alice):
    """RFC 8474 §4: it is what a client writes into a script."""
    guid = "a10f2e244869026bcf68000083ecc375"
    (world.folder("user/alice/Lists") / "dovecot-uidlist").write_text(f"3 V1795320136 N1 G{guid}\n")
    assert alice(f'if mailboxidexists "{guid}" {{ fileinto :mailboxid "{guid}" "Spam"; }}') == ["Lists"]


@pytest.mark.parametrize(
    ("most", "permanent", "to", "results"),
    [
        (0, False, "alice@x", [Result.DELIVERED] * 3),
        (2, False, "alice@x", [Result.DELIVERED, Result.DELIVERED, Result.OVER_QUOTA]),
        (2, True, "alice@x", [Result.DELIVERED, Result.DELIVERED, Result.OVER_QUOTA_PERMANENT]),
        (2, False, "alice+F@x", [Result.DELIVERED] * 3),
    ],
)
def test_a_mailbox_takes_no_more_messages_than_the_site_allows(make_world, most, permanent, to, results):
    world = make_world(mailbox_maxmessages_email=most, lmtp_over_quota_perm_failure=permanent)
    world.user("alice", "F")
    found = [world.deliver(to, message(f"<{number}@x>"))[0] for number in range(3)]
    assert found == results
    if to == "alice+F@x":
        assert (len(world.files("user/alice/F")), len(world.files("user/alice"))) == (2, 1)


def test_a_recipient_without_quota_has_no_limit_of_messages_either(make_world):
    world = make_world(mailbox_maxmessages_email=1)
    world.user("alice")
    for number in range(2):
        assert world.deliver("alice@x", message(f"<{number}@x>"), ignore_quota=True) == [Result.DELIVERED]
