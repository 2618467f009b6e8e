"""Scripts of IMAP events, over the real store."""

import pytest

from sievemda import assembly
from sievemda.delivery.event import SCRIPT, Event, find_message
from sievemda.errors import NotFound
from sievemda.store import messages
from sievemda.store.scripts import ScriptStore
from tests.delivery.world import message

HEAD = """require ["imapsieve", "environment", "fileinto", "copy", "imap4flags", "editheader", "variables", "mailbox",
    "envelope", "snooze", "vnd.cyrus.implicit_keep_target"];"""


@pytest.fixture
def mail(make_world):
    """A message in alice's folder Lists; `happen` runs a script for something that befell it."""
    return Mail(make_world(sieve_extensions=("+editheader",)))


class Mail:
    def __init__(self, world):
        self.world = world
        world.user("alice", "Lists", "Copy", script='require "fileinto"; fileinto "Lists";')
        world.deliver("alice@example.org", message())
        self.lists = world.store.find(world.store.namespace.parse_admin("user/alice/Lists"))

    def scripts(self):
        return ScriptStore(self.world.store.home("alice"))

    def happen(self, script="", cause="COPY", changed=(), *, name="event", flags=()):
        if script:
            self.scripts().put(name, (HEAD + script).encode())
            self.world.store.annotations.set(self.lists, "alice", SCRIPT, name)
        if flags:
            messages.set_flags(self.lists, self.file, flags)
        unique = messages.unique_part(self.file.name)
        return assembly.events(self.world.settings).handle(Event("alice", self.lists, unique, cause, changed))

    @property
    def file(self):
        (file,) = self.world.files("user/alice/Lists")
        return file

    @property
    def flags(self):
        return sorted(messages.flags_of(self.lists, self.file))

    @property
    def copies(self):
        return self.world.files("user/alice/Copy")


def test_without_an_annotation_no_script_runs(mail):
    happened = mail.happen()
    assert happened.script is None
    assert mail.flags == []


def test_the_script_of_the_mailbox_runs(mail):
    assert mail.happen('addflag "done";').script == "event"
    assert mail.flags == ["done"]


def test_the_script_of_the_server_runs_where_the_mailbox_names_none(mail):
    """RFC 6785 §2.3.1."""
    mail.scripts().put("all", (HEAD + 'addflag "server";').encode())
    mail.world.store.annotations.set_server(None, None, SCRIPT, "all")
    assert mail.happen().script == "all"
    assert mail.flags == ["server"]


@pytest.mark.parametrize("entry", ["", "missing", "../x"])
def test_an_entry_of_the_mailbox_that_is_of_no_use_is_not_made_up_for(mail, entry):
    """RFC 6785 §2.3.1."""
    mail.scripts().put("all", (HEAD + 'addflag "server";').encode())
    mail.world.store.annotations.set_server(None, None, SCRIPT, "all")
    mail.world.store.annotations.set(mail.lists, "alice", SCRIPT, entry)
    assert not mail.happen().account.done
    assert mail.flags == []


def test_the_active_script_is_not_the_events(mail):
    mail.happen('addflag "x";')
    assert mail.copies == []


def test_flags_of_the_message_are_there_for_the_script(mail):
    """RFC 6785 §2.2.3: as they are after the change."""
    mail.happen('if hasflag "\\\\Flagged" { addflag "urgent"; }', "FLAG", ("\\Flagged",), flags=("\\Flagged", "old"))
    assert mail.flags == ["\\Flagged", "old", "urgent"]


def test_flags_can_be_removed(mail):
    mail.happen('removeflag "\\\\Seen";', flags=("\\Seen", "old"))
    assert mail.flags == ["old"]


def test_the_flags_of_an_explicit_keep_are_those_of_its_tag(mail):
    mail.happen('addflag "a"; keep :flags "b";')
    assert mail.flags == ["b"]


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("imap.user", "alice"),
        ("imap.email", "alice@mx.example.org"),
        ("imap.cause", "FLAG"),
        ("imap.mailbox", "Lists"),
        ("imap.changedflags", "\\\\Seen $Work"),
        ("location", "MS"),
        ("phase", "post"),
    ],
)
def test_the_environment_tells_what_happened(mail, item, value):
    """RFC 6785 §4."""
    mail.happen(f'if environment :is "{item}" "{value}" {{ addflag "yes"; }}', "FLAG", ("\\Seen", "$Work"))
    assert mail.flags == ["yes"]


def test_only_a_change_of_flags_changes_flags(mail):
    """RFC 6785 §4.5."""
    mail.happen('if environment :is "imap.changedflags" "" { addflag "yes"; }', "COPY", ("\\Seen",))
    assert mail.flags == ["yes"]


def test_fileinto_makes_a_copy_and_marks_the_message_deleted(mail):
    """RFC 6785 §3.3."""
    mail.happen('addflag "a"; fileinto "Copy";', flags=("\\Seen",))
    assert len(mail.copies) == 1
    assert mail.flags == ["\\Deleted", "\\Seen"]


def test_with_copy_or_keep_it_stays(mail):
    mail.happen('fileinto :copy "Copy";')
    assert len(mail.copies) == 1
    assert mail.flags == []
    mail.happen('fileinto "Copy"; keep;')
    assert len(mail.copies) == 2
    assert mail.flags == []


def test_fileinto_always_makes_a_new_message(mail):
    """RFC 6785 §3.3: whatever a delivery has put there, and however often."""
    for number in range(1, 4):
        mail.happen('fileinto :copy "Copy";')
        assert len(mail.copies) == number


def test_keep_means_the_mailbox_of_the_event(mail):
    mail.happen('fileinto "INBOX"; keep;')
    assert len(mail.world.files("user/alice")) == 1
    assert mail.flags == []


def test_an_edit_is_in_the_copy_alone(mail):
    """RFC 6785 §3.1, §3.7."""
    before = mail.file.read_bytes()
    mail.happen('addheader "X-New" "1"; fileinto :copy "Copy"; keep;')
    assert mail.copies[0].read_bytes().startswith(b"X-New: 1\n")
    assert mail.file.read_bytes() == before


def test_redirect_sends_from_the_owner_and_marks_deleted(mail):
    """RFC 6785 §3.4."""
    mail.happen('redirect "actionitems@example.com";')
    ((envelope, _),) = mail.world.outgoing()
    assert (envelope["from"], envelope["to"]) == ("alice@mx.example.org", "actionitems@example.com")
    assert mail.flags == ["\\Deleted"]


def test_the_first_example_of_the_rfc(mail):
    """RFC 6785 §5."""
    mail.happen("""if anyof (environment :is "imap.cause" "APPEND", environment :is "imap.cause" "COPY") {
        if environment :is "imap.mailbox" "Lists" { redirect :copy "actionitems@example.com"; } }""")
    assert len(mail.world.outgoing()) == 1
    assert mail.flags == []


def test_discard_marks_the_message_deleted_unless_it_is_kept(mail):
    """RFC 6785 §3.5."""
    mail.happen("keep; discard;")
    assert mail.flags == []
    mail.happen("discard;")
    assert mail.flags == ["\\Deleted"]


def test_a_message_can_be_put_to_sleep(mail):
    """Snooze draft §8.2."""
    mail.happen('snooze "00:00:00";')
    assert len(mail.world.files("user/alice/Snoozed")) == 1
    assert mail.flags == ["\\Deleted"]


def test_the_target_of_the_implicit_keep_is_for_deliveries(mail):
    mail.happen('implicit_keep_target "Copy";')
    assert mail.copies == []
    assert mail.flags == []


@pytest.mark.parametrize("name", ["vacation", "reject", "ereject"])
def test_what_answers_a_delivery_is_an_error(mail, name):
    """RFC 6785 §3.11, for a script that does not require imapsieve either."""
    mail.scripts().put("other", f'require ["{name}", "imap4flags"]; addflag "x";'.encode())
    mail.world.store.annotations.set(mail.lists, "alice", SCRIPT, "other")
    happened = mail.happen()
    assert "not allowed here" in str(happened.problems[0])
    assert mail.flags == []


def test_a_test_of_the_envelope_is_an_error(mail):
    """RFC 6785 §4.6."""
    happened = mail.happen('addflag "x"; if envelope "from" "x" { discard; }')
    assert "envelope" in happened.problems[0].text
    assert mail.flags == []


def test_an_action_that_fails_leaves_the_message_as_it_was(mail):
    happened = mail.happen('addflag "x"; fileinto "None";')
    assert happened.account.failure
    assert mail.flags == []
    assert mail.world.files("user/alice") == []


def test_a_broken_script_leaves_the_message_as_it_was(mail):
    happened = mail.happen("nonsense;")
    assert happened.script == "event"
    assert happened.problems
    assert mail.flags == []


def test_flags_that_the_user_may_not_set_stay_as_they_are(mail):
    mail.lists.change_acl(lambda acl: acl.changed("alice", "lrps"))
    mail.happen('setflag ["\\\\Seen", "new"];', flags=("old",))
    assert mail.flags == ["\\Seen", "old"]


def test_a_message_is_found_by_its_file_its_name_and_its_uid(mail):
    unique = messages.unique_part(mail.file.name)
    (mail.lists.path / "dovecot-uidlist").write_text(
        f"3 V1 N8 Ga10f2e244869026bcf68000083ecc375\n7 :{mail.file.name}\n"
    )
    for text in (str(mail.file), mail.file.name, unique, "7"):
        assert find_message(mail.lists, text) == unique
    for text in ("8", "nothing", "", "/"):
        with pytest.raises(NotFound):
            find_message(mail.lists, text)


def test_there_must_be_such_a_message(mail):
    with pytest.raises(NotFound):
        assembly.events(mail.world.settings).handle(Event("alice", mail.lists, "gone", "COPY"))


def test_the_other_items_of_the_environment_are_those_of_a_delivery(mail):
    mail.happen(
        'if allof (environment :is "name" "sievemda", environment :is "host" "mx.example.org") { addflag "y"; }'
    )
    assert mail.flags == ["y"]
