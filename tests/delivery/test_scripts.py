"""Several scripts for one delivery, included ones, and what the duplicate test remembers, with the real parts."""

import threading

import pytest

from sievemda.mail.result import Result
from sievemda.sieve.compile import ProgramCache, Programs
from sievemda.sieve.limits import Limits
from sievemda.store.scripts import ScriptStore
from tests.delivery.world import World, message, recipient, sender

OK = Result.DELIVERED
FILE = 'require ["fileinto", "copy", "mailbox"]; fileinto :create :copy "%s";'
DUPLICATE = 'require ["duplicate", "fileinto", "mailbox"]; if duplicate { fileinto :create "Twice"; }'


@pytest.fixture
def site(tmp_path):
    """A world in which administrators have scripts: files below DATA/admin."""
    made = []

    def make(files=None, **settings):
        data = tmp_path / "data"
        for name, text in (files or {}).items():
            path = data / "admin" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        made.append(World(data, **settings))
        made[-1].user("alice")
        return made[-1]

    yield make
    for world in made:
        world.close()


def count(world, folder="", user="alice"):
    try:
        return len(world.files(f"user/{user}/{folder}" if folder else f"user/{user}"))
    except AttributeError:  # there is no such folder
        return 0


def failed(world):
    return "$SieveFailed" in world.keywords("user/alice")


def entry(world, id_="<1@example.net>"):
    return world.journal.find(id_)[-1]


def test_scripts_run_before_and_after_the_users_own(site):
    world = site(
        {"before.sieve": FILE % "B", "after.sieve": FILE % "A"},
        sieve_before=("admin/before.sieve",),
        sieve_after=("admin/after.sieve",),
    )
    world.script("alice", FILE % "Mine")
    assert world.deliver("alice@x", message()) == [OK]
    assert [count(world, folder) for folder in ("B", "Mine", "A", "")] == [1, 1, 1, 1]
    assert not failed(world)


def test_they_run_for_users_without_a_script_too(site):
    world = site({"before.sieve": FILE % "B"}, sieve_before=("admin/before.sieve",))
    world.deliver("alice@x", message())
    assert (count(world, "B"), count(world)) == (1, 1)


def test_a_directory_is_all_its_scripts_by_name(site):
    script = 'require ["variables", "imap4flags"]; addflag "%s";'
    files = {f"d/{name}": script % name[0] for name in ("b.sieve", "a.sieve", "c.sieve", "d.txt", ".e.sieve")}
    world = site(files, sieve_before=("admin/d",))
    world.deliver("alice@x", message())
    assert world.keywords("user/alice") == ["a", "b", "c"]


def test_places_can_depend_on_the_user(site):
    files = {"users/alice.sieve": FILE % "Hers", "domains/example.org.sieve": FILE % "Domain"}
    places = ("admin/users/{user}.sieve", "admin/domains/{domain}.sieve", "admin/nowhere/{local}")
    world = site(files, sieve_before=places, defaultdomain="example.org")
    world.user("bob")
    world.deliver(["alice@x", "bob@x"], message())
    assert (count(world, "Hers"), count(world, "Domain")) == (1, 1)
    assert (count(world, "Hers", "bob"), count(world, "Domain", "bob")) == (0, 1)


def test_a_script_that_cancels_the_keep_ends_the_row(site):
    world = site(
        {"before.sieve": 'if header :contains "subject" "spam" { discard; }'}, sieve_before=("admin/before.sieve",)
    )
    world.script("alice", FILE % "Mine")
    world.deliver("alice@x", message(subject="spam"))
    assert (count(world, "Mine"), count(world)) == (0, 0)


def test_users_without_an_active_script_get_the_default_one(site):
    world = site({"default.sieve": FILE % "Default"}, sieve_default="admin/default.sieve")
    world.user("bob", script="keep;")
    world.deliver(["alice@x", "bob@x"], message())
    assert (count(world, "Default"), count(world, "Default", "bob")) == (1, 0)


def test_a_users_script_cannot_undo_what_was_decided_before_it(site):
    world = site({"before.sieve": FILE % "B"}, sieve_before=("admin/before.sieve",))
    world.script("alice", 'require "ihave"; error "no";')
    assert world.deliver("alice@x", message()) == [OK]
    assert (count(world, "B"), count(world)) == (1, 1)
    assert failed(world)
    assert entry(world)["failure"] == "line 1: no"


def test_a_redirect_before_it_leaves_also_when_the_user_refuses(site):
    world = site(
        {"before.sieve": 'require "copy"; redirect :copy "archive@example.net";'}, sieve_before=("admin/before.sieve",)
    )
    world.script("alice", 'require "reject"; reject "no";')
    assert world.deliver("alice@x", message()) == [Result.REJECTED]
    assert len(world.outgoing()) == 1


@pytest.mark.parametrize("text", ["frob;", 'require "ihave"; error "no";', 'require "fileinto"; fileinto "Nowhere";'])
@pytest.mark.parametrize("when", ["sieve_before", "sieve_after"])
def test_a_broken_script_of_the_administrator_loses_nothing(site, text, when):
    world = site({"broken.sieve": text}, **{when: ("admin/broken.sieve",)})
    world.script("alice", FILE % "Mine")
    assert world.deliver("alice@x", message()) == [OK]
    assert count(world) == 1
    assert failed(world)
    assert "broken.sieve" in entry(world)["failure"]
    assert count(world, "Mine") == (when == "sieve_after")


def test_one_that_cannot_be_read_is_broken_and_not_absent(site):
    world = site(sieve_before=("admin/pipe",))
    (world.settings.data / "admin").mkdir()
    (world.settings.data / "admin" / "pipe").symlink_to("/nowhere")
    world.deliver("alice@x", message())
    assert failed(world)
    assert count(world) == 1


def test_users_scripts_cannot_require_what_is_reserved(site):
    world = site({"before.sieve": 'require "vnd.dovecot.debug"; debug_log "x";'}, sieve_before=("admin/before.sieve",))
    programs = Programs(ProgramCache(Limits(), frozenset({"fileinto"})), ProgramCache(Limits()))
    world.deliverer._scripts._programs = programs
    world.deliver("alice@x", message())
    assert not failed(world)
    world.script("alice", 'require "vnd.dovecot.debug"; debug_log "x";')
    world.deliver("alice@x", message("<2@x>"))
    assert failed(world)


def personal(world, name, text, user="alice"):
    ScriptStore(world.store.home(user)).put(name, text.encode())


INCLUDE = 'require "include"; include "other"; include :global "other";'


def test_personal_and_global_scripts_are_included(site):
    world = site({"other.sieve": FILE % "Global"}, sieve_global="admin")
    personal(world, "other", FILE % "Personal")
    world.script("alice", INCLUDE)
    assert world.deliver("alice@x", message()) == [OK]
    assert [count(world, folder) for folder in ("Personal", "Global", "")] == [1, 1, 1]
    assert {one["name"].rpartition("/")[2] for one in entry(world)["scripts"]} == {"other", "other.sieve"}


def test_scripts_of_others_are_not_found(site):
    world = site()
    world.user("bob")
    personal(world, "other", "keep;", "bob")
    world.script("alice", INCLUDE)
    world.deliver("alice@x", message())
    assert failed(world)
    assert entry(world)["failure"] == "line 1: the personal script 'other' to include does not exist"


def test_without_a_place_for_them_there_are_no_global_scripts(site):
    world = site()
    personal(world, "other", "keep;")
    world.script("alice", INCLUDE)
    world.deliver("alice@x", message())
    assert entry(world)["failure"] == "line 1: the global script 'other' to include does not exist"


def test_the_active_script_cannot_include_itself(site):
    world = site()
    world.script("alice", 'require "include"; include "main";')
    world.deliver("alice@x", message())
    assert "circular include" in entry(world)["failure"]
    assert count(world) == 1


def test_an_error_in_an_included_script_names_it(site):
    world = site()
    personal(world, "other", '\nrequire "ihave";\nerror "no";')
    world.script("alice", 'require "include"; include "other";')
    world.deliver("alice@x", message())
    assert entry(world)["failure"] == "other: line 3: no"


def test_an_included_script_is_read_anew_at_each_delivery(site):
    world = site()
    world.script("alice", 'require "include"; include "other";')
    personal(world, "other", FILE % "One")
    world.deliver("alice@x", message("<1@x>"))
    personal(world, "other", FILE % "Two")
    world.deliver("alice@x", message("<2@x>"))
    assert (count(world, "One"), count(world, "Two")) == (1, 1)


def test_the_log_of_a_script_and_its_edits_are_in_the_journal(site):
    world = site({"after.sieve": 'require "vnd.cyrus.log"; log "after";'}, sieve_after=("admin/after.sieve",))
    world.script("alice", 'require ["vnd.dovecot.debug", "editheader"];\ndebug_log "hello";\naddheader "X-A" "1";')
    world.deliver("alice@x", message())
    told = entry(world)
    assert told["notes"][0] == [2, "hello"]
    assert told["notes"][1][:2] == [1, "after"]
    assert told["notes"][1][2].endswith("admin/after.sieve")
    assert told["edits"][0][0] == 3


def test_tests_and_plans_of_other_scripts_say_so_in_the_journal(site):
    world = site({"after.sieve": "if true { discard; }"}, sieve_after=("admin/after.sieve",))
    world.script("alice", "if true {}")
    world.deliver("alice@x", message())
    told = entry(world)
    assert [len(row) for row in told["tests"]] == [4, 5]
    assert told["planned"][0]["script"].endswith("admin/after.sieve")


def test_what_was_done_says_which_script_wanted_it(site):
    world = site({"after.sieve": "\n\n\n" + FILE % "A"}, sieve_after=("admin/after.sieve",))
    world.script("alice", FILE % "Mine")
    world.deliver("alice@x", message())
    done = {one["mailbox"]: one.get("script", "") for one in entry(world)["done"] if "file" in one}
    assert done.pop("user/alice/A").endswith("admin/after.sieve")
    assert done == {"user/alice/Mine": "", "user/alice": ""}


# -- duplicate


def test_a_duplicate_is_recognised_at_the_next_delivery(site):
    world = site(duplicatesuppression=False)
    world.script("alice", DUPLICATE)
    for _ in range(3):
        world.deliver("alice@x", message())
    assert (count(world), count(world, "Twice")) == (1, 2)


def test_each_user_has_a_memory_of_his_own(site):
    world = site()
    world.user("bob", script=DUPLICATE)
    world.script("alice", DUPLICATE)
    world.deliver(["alice@x", "bob@x"], message())
    assert (count(world), count(world, user="bob")) == (1, 1)


def test_a_delivery_that_failed_is_not_remembered(site):
    world = site(duplicatesuppression=False)
    world.script("alice", 'require ["duplicate", "fileinto"]; if duplicate { discard; stop; } fileinto "Missing";')
    world.deliver("alice@x", message())
    assert failed(world)
    world.store.create(world.store.namespace.parse_admin("user/alice/Missing"))
    world.deliver("alice@x", message())
    assert count(world, "Missing") == 1


def test_nothing_is_remembered_when_a_later_script_fails(site):
    world = site({"after.sieve": 'require "ihave"; error "no";'}, sieve_after=("admin/after.sieve",))
    world.script("alice", DUPLICATE)
    for number in range(2):
        world.deliver("alice@x", message(f"<{number}@x>", extra="X-Id: a\n"))
    world.script("alice", DUPLICATE.replace("duplicate {", 'duplicate :header "x-id" {'))
    world.deliver("alice@x", message("<3@x>", extra="X-Id: a\n"))
    assert count(world, "Twice") == 0


def test_an_entry_expires(site, monkeypatch):
    world = site(duplicatesuppression=False)
    world.script("alice", DUPLICATE.replace("duplicate {", "duplicate :seconds 60 {"))
    world.deliver("alice@x", message())
    import time

    later = time.time() + 61
    monkeypatch.setattr("sievemda.delivery.recall.time.time", lambda: later)
    world.deliver("alice@x", message())
    assert count(world, "Twice") == 0


def test_a_duplicate_test_works_below_the_suppression_of_duplicates(site):
    world = site()
    world.script("alice", DUPLICATE)
    for _ in range(2):
        world.deliver("alice@x", message())
    assert (count(world), count(world, "Twice")) == (1, 1)


def test_of_two_copies_that_arrive_at_once_one_is_a_duplicate(site):
    world = site(duplicatesuppression=False)
    world.script("alice", DUPLICATE)
    target = world.deliverer.verify(sender(), recipient("alice@x"), None)
    contents = [world.content(message(), [target]) for _ in range(4)]
    from tests.delivery.world import PEER

    threads = [
        threading.Thread(target=world.deliverer.deliver, args=(sender(), PEER, [target], content))
        for content in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (count(world), count(world, "Twice")) == (1, 3)
