"""What a script would do differently with the messages that its owner has."""

import os

import pytest

from sievemda.delivery.job import Parts
from sievemda.delivery.resolve import Resolver
from sievemda.delivery.scripts import Own, Scripts
from sievemda.delivery.tryout.tryout import MOST_OCTETS, Range, Tryout
from sievemda.errors import NotFound
from sievemda.language import language_limits, language_programs
from sievemda.store.newest import Found
from sievemda.store.scripts import ScriptStore
from tests.delivery.world import message, sender

READ = Found.read
LISTS = 'require "fileinto";\nif header :contains "Subject" "list" { fileinto "Lists"; }\n'


def trying(world, journal=None):
    programs = language_programs(world.settings)
    parts = Parts(world.settings, world.store, world.memory, world.outbox)
    scripts = Scripts(world.settings, world.store, programs)
    resolver = Resolver(world.settings, world.store, parts.places, programs.users.get)
    return Tryout(parts, journal, scripts, resolver, language_limits(world.settings))


@pytest.fixture
def tryout(world):
    """Tries a script on the messages of alice: what differs, or all of it."""
    world.user("alice", "Lists", "Work")

    def compare(text, old=None, *, most=50, everything=False, **wanted):
        tried = trying(world, world.journal)
        before = None if old is None else Own("old", old.encode())
        trial = tried.begin("alice", "new", None if text is None else text.encode(), before)
        found = trial.run(Range(most, **wanted))
        return [one for one in found if everything or one.differs or one.problem]

    return compare


def deliver(world, *subjects, to="alice@example.org", **more):
    for subject in subjects:
        world.deliver(to, message(f"<{subject.replace(' ', '')}@example.net>", subject, **more))


def state(world):
    """Everything that a tryout must leave as it is."""
    files = {
        str(path): path.read_bytes() if path.is_file() else b""
        for root in world.settings.partitions.values()
        for path in root.rglob("*")
    }
    return files, list(world.memory.dump()), world.outgoing()


def test_a_message_that_would_be_filed_elsewhere_differs(world, tryout):
    deliver(world, "a list", "nothing")
    (found,) = tryout(LISTS)
    assert (found.mailbox, found.subject, found.sender) == ("INBOX", "a list", "Bob <bob@example.net>")
    assert found.old.sentence == "to INBOX"
    assert found.new.sentence == "to Lists"
    assert found.moves


def test_the_same_script_with_other_words_makes_no_difference(world, tryout):
    world.script("alice", LISTS)
    deliver(world, "a list", "nothing")
    assert not tryout(f"# the same\n{LISTS}\nelse {{ keep; }}")


@pytest.mark.parametrize(
    "script",
    [
        'require "fileinto"; fileinto "Lists"; discard;',
        'require ["fileinto", "mailbox"]; discard; fileinto :create "Lists";',
        'require ["fileinto", "copy"]; fileinto :copy "Lists"; discard;',
    ],
)
def test_a_discard_beside_what_takes_the_message_makes_no_difference(world, tryout, script):
    world.script("alice", 'require "fileinto"; fileinto "Lists";')
    deliver(world, "one")
    assert not tryout(script)
    (found,) = tryout(script, everything=True)
    assert found.new.sentence == "to Lists"


def test_a_discard_that_the_message_is_gone_by_is_a_difference(world, tryout):
    world.script("alice", 'require "vacation"; vacation "away";')
    deliver(world, "one")
    (found,) = tryout('require "vacation"; vacation "away"; discard;')
    assert found.moves
    assert found.new.sentence == "answered to bob@example.net; discarded"


@pytest.mark.parametrize(
    ("script", "changes", "sentence"),
    [
        ('keep; fileinto "Nowhere";', {}, "to INBOX (the script failed"),
        ('fileinto "INBOX"; fileinto "Lists"; fileinto "Nowhere";', {}, "to INBOX; to Lists (the script failed"),
        ('fileinto "Lists"; fileinto "Nowhere";', {}, "to Lists; to INBOX with $SieveFailed (the script failed"),
        ('keep; fileinto "Nowhere";', {"duplicatesuppression": False}, "to INBOX; to INBOX with $SieveFailed"),
    ],
)
def test_what_is_filed_before_a_script_fails_is_not_filed_there_again(make_world, script, changes, sentence):
    """As at a delivery, which is made here too: another copy would be a duplicate."""
    world = make_world(**changes)
    world.user("alice", "Lists")
    deliver(world, "one")
    new = f'require "fileinto"; {script}'
    (found,) = trying(world).begin("alice", "new", new.encode()).run(Range(9))
    assert found.new.sentence.startswith(sentence)
    world.user("bob", "Lists", script=new)
    deliver(world, "one", to="bob@example.org")
    real = {place: len(world.files(f"user/bob{place}")) for place in ("", "/Lists")}
    told = [done.details["mailbox"] for done in found.new.actions]
    assert real == {"": told.count("INBOX"), "/Lists": told.count("Lists")}


def test_other_flags_are_a_difference_that_moves_nothing(world, tryout):
    deliver(world, "a list")
    (found,) = tryout('require "imap4flags"; addflag "\\\\Flagged";')
    assert found.new.sentence == "to INBOX with \\Flagged"
    assert not found.moves


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("discard;", "discarded"),
        ('redirect "carol@example.net";', "sent on to carol@example.net"),
        ('require "copy"; redirect :copy "carol@example.net";', "sent on to carol@example.net; to INBOX"),
        ('require "reject"; reject "no";', "refused"),
        ('require "vacation"; vacation "away";', "answered to bob@example.net; to INBOX"),
        ('require "fileinto"; fileinto "Nowhere";', "to INBOX with $SieveFailed"),
        ('require ["fileinto", "mailbox"]; fileinto :create "Made";', "to Made"),
        ('require "editheader"; addheader "X-New" "1";', "to INBOX, edited"),
        ("this is no script", "to INBOX with $SieveFailed"),
    ],
)
def test_what_would_be_done_is_said(world, tryout, script, words):
    deliver(world, "one")
    (found,) = tryout(script)
    assert found.new.sentence.startswith(words)


def test_nothing_is_changed_whatever_the_script_does(world, tryout):
    deliver(world, "one", "two")
    before = state(world)
    assert tryout(
        'require ["vacation", "duplicate", "fileinto", "mailbox", "copy", "enotify"];\n'
        'if duplicate { discard; }\nvacation "away";\nredirect :copy "carol@example.net";\n'
        'notify "mailto:carol@example.net";\nfileinto :create "Made";'
    )
    assert state(world) == before


def test_duplicate_and_vacation_are_judged_as_fresh(world, tryout):
    script = 'require ["duplicate", "vacation"]; if duplicate { discard; stop; } vacation "away";'
    world.script("alice", script)
    deliver(world, "one")
    assert not tryout(script)
    (found,) = tryout(None)
    assert "answered" in found.old.sentence


def test_the_journal_knows_the_envelope(world, tryout):
    world.deliver("alice+work@example.org", message("<1@x>"), sender("carol@example.com"))
    script = 'require ["envelope", "subaddress"]; if envelope :detail "to" "work" { discard; }'
    (found,) = tryout(script)
    assert found.envelope == ("carol@example.com", "alice+work@example.org")


def test_without_the_journal_fields_tell_the_envelope(world, tryout):
    extra = "Delivered-To: other@example.org\nDelivered-To: alice+work@example.org\n"
    world.deliver("alice@example.org", message("<1@x>", extra=extra), sender("carol@example.com"))
    world.settings.journal_path.unlink()
    (found,) = tryout("discard;")
    assert found.envelope == ("carol@example.com", "alice+work@example.org")


def test_a_message_for_somebody_else_counts_as_one_for_the_user(world, tryout):
    folder = world.folder("user/alice")
    (folder / "cur" / "1.host:2,").write_bytes(b"To: stranger@example.net\nSubject: x\n\nbody\n")
    (found,) = tryout("discard;")
    assert found.envelope[1].startswith("alice@")


def test_a_folder_that_the_address_names_is_where_it_would_be_kept(world, tryout):
    deliver(world, "one", to="alice+Work@example.org")
    (found,) = tryout("discard;")
    assert (found.mailbox, found.old.sentence) == ("Work", "to Work")


def test_scripts_of_the_site_run_as_at_a_delivery(make_world, tmp_path):
    before = tmp_path / "before.sieve"
    before.write_text('if header :contains "Subject" "spam" { discard; }')
    world = make_world(sieve_before=(str(before),))
    world.user("alice", "Lists")
    folder = world.folder("user/alice")
    (folder / "cur" / "1.host:2,").write_bytes(b"Subject: spam list\n\n")
    (folder / "cur" / "2.host:2,").write_bytes(b"Subject: list\n\n")
    tried = trying(world)
    found = list(tried.begin("alice", "new", LISTS.encode()).run(Range(50)))
    told = {one.subject: (one.old.sentence, one.new.sentence) for one in found}
    assert told == {"spam list": ("discarded", "discarded"), "list": ("to INBOX", "to Lists")}


def test_the_newest_count_wherever_they_lie(world, tryout):
    for number, name in enumerate(["user/alice", "user/alice/Lists", "user/alice/Work"]):
        for age in range(3):
            file = world.folder(name) / "cur" / f"{number}{age}.host:2,"
            file.write_bytes(f"Subject: {number}{age}\n\n".encode())
            os.utime(file, (0, 1000 + 10 * age + number))
    assert [one.subject for one in tryout("discard;", most=4)] == ["22", "12", "02", "21"]
    assert [one.subject for one in tryout("discard;", most=2, folder="Lists")] == ["12", "11"]
    assert [one.subject for one in tryout("discard;", since=1021)] == ["22", "12"]


def test_sent_mail_and_drafts_are_no_deliveries(world, tryout):
    sent = world.mailbox("user/alice/Sent", special_use="\\Sent").path
    (sent / "cur" / "1.host:2,S").write_bytes(b"Subject: sent\n\n")
    (world.folder("user/alice") / "cur" / "2.host:2,DS").write_bytes(b"Subject: draft\n\n")
    assert not tryout("discard;")
    assert len(tryout("discard;", folder="Sent")) == 1


def test_copies_of_one_message_count_once(world, tryout):
    world.script("alice", 'require ["fileinto", "copy"]; fileinto :copy "Lists";')
    deliver(world, "one", "two")
    assert len(tryout("discard;", most=2)) == 2


def test_a_message_that_goes_away_meanwhile_is_passed_over(world, tryout, monkeypatch):
    deliver(world, "one", "two")
    gone = []

    def gone_first(self, *arguments):
        if not gone:
            file = self.mailbox.path / self.part / self.name
            gone.append(file)
            file.unlink()
        return READ(self, *arguments)

    monkeypatch.setattr("sievemda.store.newest.Found.read", gone_first)
    assert len(tryout("discard;", everything=True)) == 1


def test_a_message_that_a_reader_renames_is_found_again(world, tryout, monkeypatch):
    deliver(world, "one")

    def renamed_first(self, *arguments):
        file = self.mailbox.path / self.part / self.name
        file.rename(self.mailbox.path / "cur" / f"{self.name}:2,S")
        return READ(self, *arguments)

    monkeypatch.setattr("sievemda.store.newest.Found.read", renamed_first)
    assert len(tryout("discard;")) == 1


def test_what_is_too_large_or_no_file_is_told_and_the_others_go_on(world, tryout):
    folder = world.folder("user/alice") / "cur"
    with (folder / "1.host:2,").open("wb") as file:
        file.truncate(MOST_OCTETS + 1)
    (folder / "2.host:2,").write_bytes(b"Subject: small\n\n")
    os.mkfifo(folder / "3.host:2,")
    problems = {one.subject: one.problem for one in tryout("discard;")}
    assert problems == {"": "larger than 16 MiB", "small": ""}


def test_a_link_in_place_of_a_folder_shows_nobody_elses_mail(world, tryout):
    world.user("bob")
    deliver(world, "secret", to="bob@example.org")
    work = world.folder("user/alice/Work")
    for part in ("new", "cur"):
        (work / part).rmdir()
        (work / part).symlink_to(world.folder("user/bob") / part)
    assert not tryout("discard;")


def test_who_has_had_enough_gets_no_more(world, tryout):
    deliver(world, "one", "two", "three")
    asked = iter([True, True, False])
    tried = trying(world, world.journal)
    found = tried.begin("alice", "new", b"discard;").run(Range(9), lambda: next(asked, False))
    assert len(list(found)) == 1


def test_programs_are_not_run(make_world, tmp_path):
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / "count"
    program.write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\n")
    program.chmod(0o755)
    world = make_world(sieve_execute_bin_dir=directory, sieve_extensions=("+vnd.dovecot.execute",))
    world.user("alice")
    (world.folder("user/alice") / "cur" / "1.host:2,").write_bytes(b"Subject: x\n\n")
    tried = trying(world)
    new = b'require "vnd.dovecot.execute"; if execute "count" { discard; }'
    (found,) = tried.begin("alice", "new", new).run(Range(9))
    assert found.not_run == ("count",)
    assert not (tmp_path / "ran").exists()


def test_a_rule_for_a_time_of_day_looks_at_the_time_of_arrival(world, tryout):
    deliver(world, "one")
    (file,) = world.files("user/alice")
    os.utime(file, (0, 1_000_000_000))
    (found,) = tryout('require "date"; if currentdate :zone "+0000" :is "year" "2001" { discard; }')
    assert found.new.sentence == "discarded"


def test_included_scripts_take_part(world, tryout):
    deliver(world, "a list")
    ScriptStore(world.store.home("alice")).put("part", LISTS.encode())
    (found,) = tryout('require "include"; include :personal "part";')
    assert found.new.sentence == "to Lists"


def test_a_folder_that_is_not_there_is_an_error(tryout):
    with pytest.raises(NotFound):
        tryout("keep;", folder="Nowhere")


def test_one_message_as_json_has_both_treatments(world, tryout):
    deliver(world, "a list")
    (found,) = tryout(LISTS)
    told = found.as_json()
    assert told["differs"]
    assert told["active"]["actions"] == [{"action": "keep", "mailbox": "INBOX", "flags": [], "implicit": True}]
    assert told["new"]["actions"] == [{"action": "fileinto", "mailbox": "Lists", "flags": []}]
    assert told["envelope"] == {"from": "bob@example.net", "to": "alice@example.org"}
