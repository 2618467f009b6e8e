import pytest

from sievemda.sieve import Limits, compile_script
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json
from sievemda.sieve.run import Origin
from sievemda.sieve.sequence import Stage, run_all
from tests.sieve.trying import COYOTE, KEEP, NOW, envelope, filed

LIMITS = Limits()


def outcome(*scripts, message=COYOTE, limits=LIMITS):
    """The scripts in a row; the last but one but two ... are called s1, s2 and so on."""
    loaded = []

    def stage(number, text):
        def load():
            loaded.append(number)
            return compile_script(text, limits)

        return Stage(load, Origin(f"s{number}"))

    stages = [stage(number, text) for number, text in enumerate(scripts, 1)]
    found = run_all(stages, message_of(message), envelope(), Imagined(NOW), limits)
    return found, loaded


def actions(*scripts, **options):
    found, _ = outcome(*scripts, **options)
    assert found.failure is None, found.failure
    return [to_json(effect) for effect in found.effects]


def reached(*scripts):
    return outcome(*scripts)[1]


FILE = 'require ["fileinto", "copy"];\n'
FLAGS = 'require ["imap4flags", "fileinto", "variables"];\n'
EDIT = 'require ["editheader", "fileinto", "copy"];\n'


def test_no_script_is_an_implicit_keep():
    assert actions() == [KEEP]


def test_one_script_is_as_if_it_were_run_alone():
    assert actions(FILE + 'fileinto "a";') == [filed("a")]
    assert actions("keep;") == [{"action": "keep", "flags": []}]


@pytest.mark.parametrize("first", ["", "keep;", "stop;", "discard; keep;", FILE + 'fileinto :copy "x";'])
def test_the_next_one_runs_while_a_keep_is_due(first):
    assert reached(first, "keep;") == [1, 2]


@pytest.mark.parametrize(
    "first",
    ["discard;", FILE + 'fileinto "x";', 'redirect "a@b.example";', 'require "reject"; reject "no";'],
)
def test_the_next_one_does_not_run_when_no_keep_is_due(first):
    assert reached(first, "discard;") == [1]


def test_an_explicit_keep_is_left_to_the_next_one():
    assert actions("keep;", "discard;") == [{"action": "discard"}]
    assert actions("keep;", "") == [KEEP]


def test_a_keep_of_the_last_one_is_an_action():
    assert actions("", "keep;") == [{"action": "keep", "flags": []}]


def test_what_one_has_decided_stays():
    assert actions(FILE + 'fileinto :copy "archive";', FILE + 'fileinto "b";') == [
        filed("archive", copy=True),
        filed("b"),
    ]


@pytest.mark.parametrize(
    "first", ['fileinto "INBOX"; keep;', 'keep; fileinto "inbox";', 'fileinto "INBOX"; keep; keep;']
)
def test_a_keep_does_not_take_with_it_the_fileinto_that_it_has_become_one_with(first):
    """What was to be filed is filed, whatever the next script says of the keep."""
    store, discard = actions(FILE + first, "discard;")
    assert (store["action"], store["mailbox"].upper(), discard["action"]) == ("fileinto", "INBOX", "discard")
    assert [each["action"] for each in actions(FILE + first, "keep;")] == ["fileinto"]


def test_there_is_one_implicit_keep():
    assert actions("", "", "") == [KEEP]


def test_flags_go_along():
    assert actions(FLAGS + 'setflag "one";', FLAGS + 'addflag "two";', "") == [
        {"action": "keep", "flags": ["one", "two"], "implicit": True}
    ]


def test_flags_can_be_asked_for_later():
    assert actions(FLAGS + 'setflag "one";', FLAGS + 'if hasflag "one" { fileinto "x"; }') == [filed("x", "one")]


def test_the_flags_of_an_explicit_keep_are_those_of_that_action():
    assert actions(FLAGS + 'keep :flags "one";', FLAGS + 'if hasflag "one" { fileinto "x"; }') == [KEEP]


def test_edits_go_along():
    found, _ = outcome(EDIT + 'addheader "X-A" "1";', EDIT + 'if header "x-a" "1" { addheader "X-B" "2"; }', "")
    (keep,) = found.effects
    assert keep.message.values("X-A") == ("1",)
    assert keep.message.values("X-B") == ("2",)
    assert len(found.edits) == 2


def test_a_copy_has_the_edits_before_it():
    found, _ = outcome(EDIT + 'addheader "X-A" "1"; fileinto :copy "x";', EDIT + 'addheader "X-B" "2";')
    copy, keep = found.effects
    assert [name for name in ("X-A", "X-B") if copy.message.values(name)] == ["X-A"]
    assert [name for name in ("X-A", "X-B") if keep.message.values(name)] == ["X-A", "X-B"]


def test_variables_do_not_go_along():
    script = 'require ["variables", "include", "fileinto"];\n'
    assert actions(script + 'set "a" "1"; set "global.a" "2";', script + 'fileinto "x${a}${global.a}";') == [filed("x")]


def test_each_has_its_own_require():
    found, _ = outcome(FILE + 'fileinto :copy "x";', 'fileinto "y";')
    assert found.broken
    assert "unknown command 'fileinto'" in found.failure.text
    assert found.failure.script == "s2"


def test_return_ends_one_script():
    assert reached('require "include"; return;', "keep;") == [1, 2]


def test_an_error_ends_the_row_and_the_message_is_kept():
    found, loaded = outcome(FILE + 'fileinto :copy "x";', 'require "ihave";\nkeep; error "no";', "discard;")
    assert loaded == [1, 2]
    assert str(found.failure) == "2:1: error: no"
    assert found.failure.script == "s2"
    assert [to_json(effect) for effect in found.carried_out] == [filed("x", copy=True), KEEP]


def test_the_keep_after_an_error_is_of_the_message_as_it_came():
    found, _ = outcome(EDIT + 'addheader "X-A" "1";', 'require "ihave"; error "no";')
    assert found.carried_out[-1].message is None


def test_nothing_of_the_script_that_failed_is_done():
    found, _ = outcome("", FILE + 'require "ihave"; fileinto "x"; error "no";')
    assert [to_json(effect) for effect in found.carried_out] == [KEEP]
    assert [to_json(effect) for effect in found.effects] == [filed("x")]


def test_a_script_that_cannot_be_used_ends_the_row():
    found, loaded = outcome(FILE + 'fileinto :copy "x";', "frob;", "discard;")
    assert loaded == [1, 2]
    assert found.broken
    assert found.failure.script == "s2"
    assert [to_json(effect) for effect in found.carried_out] == [filed("x", copy=True), KEEP]


def test_one_without_a_listed_problem_is_no_traceback():
    def load():
        raise ScriptError((Problem(1, 1, "odd", "warning"),))

    found = run_all([Stage(load)], message_of(COYOTE), envelope(), Imagined(NOW), LIMITS)
    assert found.broken
    assert found.implicit_keep


def test_nothing_is_remembered_when_a_later_one_fails():
    ask = 'require "duplicate"; if duplicate :uniqueid "x" { discard; }'
    assert len(outcome(ask, "")[0].remember) == 1
    assert outcome(ask, 'require "ihave"; error "no";')[0].remember == ()
    assert outcome(ask, "frob;")[0].remember == ()


def test_actions_tests_and_notes_say_which_script_they_are_of():
    script = 'require ["fileinto", "copy", "vnd.dovecot.debug"]; if true { fileinto :copy "%s"; } debug_log "x";'
    found, _ = outcome(script % "a", script % "b")
    assert [effect.script for effect in found.effects] == ["s1", "s2", ""]
    assert [tried.script for tried in found.tests] == ["s1", "s2"]
    assert [note.script for note in found.notes] == ["s1", "s2"]


def test_a_reject_goes_with_what_an_earlier_one_did():
    assert actions(FILE + 'fileinto :copy "x";', 'require "reject"; reject "no";') == [
        filed("x", copy=True),
        {"action": "reject", "reason": "no"},
    ]


ANSWER = 'require "vacation"; vacation "away";'
TO_ME = b"From: coyote@desert.example.org\nTo: roadrunner@acme.example.com\n\nhello\n"


def names(*scripts):
    return [action["action"] for action in actions(*scripts, message=TO_ME)]


def test_a_second_answer_is_left_out():
    assert names(ANSWER, ANSWER) == ["vacation", "keep"]


def test_an_answer_that_is_not_sent_does_not_count():
    listed = b"List-Id: x\n" + TO_ME
    assert [action["action"] for action in actions(ANSWER, ANSWER, message=listed)] == ["vacation", "vacation", "keep"]


def test_a_reject_after_an_answer_only_discards():
    assert names(ANSWER, 'require "reject"; reject "no";') == ["vacation", "discard"]


def test_equal_actions_of_two_scripts_are_one_and_cancel_the_keep():
    redirect = 'redirect :copy "a@b.example";'
    assert actions('require "copy";' + redirect, 'redirect "a@B.example";') == [
        {"action": "redirect", "address": "a@b.example", "copy": True}
    ]
    assert actions(FILE + 'fileinto :copy "x";', FILE + 'fileinto "x";') == [filed("x", copy=True)]


def test_limits_are_those_of_each_script():
    limits = Limits(redirects=1)
    first, second = 'require "copy"; redirect :copy "a@b.example";', 'redirect "c@d.example";'
    assert len(actions(first, second, limits=limits)) == 2


def test_what_is_told_is_bounded_as_of_one_script():
    limits = Limits(trace=3, notes=2)
    script = 'require "vnd.dovecot.debug"; if anyof (false, false, false) {} debug_log "a"; debug_log "b";'
    found, _ = outcome(script, script, limits=limits)
    assert (len(found.tests), len(found.notes)) == (3, 2)
