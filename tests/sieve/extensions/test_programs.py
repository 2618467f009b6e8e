from dataclasses import dataclass, field

import pytest

from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.extensions.programs import EXTENSIONS
from sievemda.sieve.facts import Executed
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json
from tests.sieve.trying import COYOTE, NOW, envelope, problems

PIPE, FILTER = 'require ["vnd.dovecot.pipe", "copy"];\n', 'require ["vnd.dovecot.filter", "fileinto", "variables"];\n'
EXECUTE = 'require ["vnd.dovecot.execute", "variables", "fileinto"];\n'


@dataclass(frozen=True)
class Listed(Imagined):
    """Facts with a few programs that are functions, and an account of what was run."""

    calls: list[tuple[str, str, tuple[str, ...], bytes]] = field(default_factory=list)

    def execute(self, kind, program, arguments, data):
        self.calls.append((kind, program, tuple(arguments), data))
        return {
            "upper": Executed(ok=True, output=data.replace(b"anvil", b"ANVIL").replace(b"\n", b"\r\n")),
            "same": Executed(ok=True, output=data),
            "fail": Executed(ok=False, output=b"rubbish"),
            "silent": Executed(ok=True),
            "say": Executed(ok=True, output="wört\n".encode()),
        }.get(program)


def outcome(script, facts=None, limits=None):
    limits = limits or Limits()
    return run(compile_script(script, limits), message_of(COYOTE), envelope(), facts or Listed(NOW), limits)


def actions(script, facts=None):
    found = outcome(script, facts)
    assert found.failure is None, found.failure
    return [to_json(effect) for effect in found.effects]


# -- names and arguments, §3, §4 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["printer", "a b", ".hidden", "größe", "x" * 256, "a\\\\b", ".."])
def test_a_name_may_have_any_printable_character(name):
    assert problems(f'{PIPE} pipe "{name}";') == []


@pytest.mark.parametrize(
    "name", ["", "a/b", "/bin/sh", "a\tb", "a\nb", "a\x7fb", "a\x85b", "ÿ", "a\u2028b", "x" * 257, "a\x01"]
)
@pytest.mark.parametrize("command", ["pipe", "filter", "execute"])
def test_a_name_that_is_none_is_found_when_compiling(name, command):
    (problem,) = problems(f'require "vnd.dovecot.{command}"; {command} "{name}";')
    assert "invalid program name" in problem


@pytest.mark.parametrize("command", ["pipe", "filter", "execute"])
def test_no_variable_is_expanded_in_a_name(command):
    script = f'require ["vnd.dovecot.{command}", "variables"]; set "a" "x"; {command} "${{a}}";'
    assert "must be a constant string" in problems(script)[0]


@pytest.mark.parametrize("value", ["a\nb", "a\x1bb", "x" * 20_000])
def test_an_argument_with_controls_or_beyond_measure_is_refused(value):
    assert "argument of a program" in problems(f'{PIPE} pipe "p" ["good", "{value}"];')[0]


def test_an_argument_from_a_variable_is_looked_at_when_it_is_used():
    script = f'{EXECUTE} set "a" text:\none\ntwo\n.\n; execute "say" "${{a}}";'
    assert "control character" in str(outcome(script).failure)


def test_sixteen_arguments_of_a_thousand_octets_are_possible():
    arguments = ", ".join(f'"{"x" * 1024}"' for _ in range(16))
    assert problems(f'{PIPE} pipe "p" [{arguments}];') == []


def test_arguments_have_a_limit():
    arguments = ", ".join(['"x"'] * 33)
    assert "33 > 32" in problems(f'{PIPE} pipe "p" [{arguments}];')[0]


def test_arguments_arrive_in_order():
    facts = Listed(NOW)
    outcome(f'{EXECUTE} set "v" "two words"; execute "say" ["-x", "${{v}}", ""];', facts)
    assert facts.calls == [("execute", "say", ("-x", "two words", ""), b"")]


# -- pipe, §5 ------------------------------------------------------------------------------------------------------


def test_pipe_is_an_action_that_cancels_the_implicit_keep():
    assert actions(f'{PIPE} pipe "printer" ["A4", "draft"];') == [
        {"action": "pipe", "program": "printer", "arguments": ["A4", "draft"]}
    ]


def test_a_copy_leaves_the_implicit_keep():
    assert [action["action"] for action in actions(f'{PIPE} pipe :copy "printer" "A4";')] == ["pipe", "keep"]


def test_copy_on_pipe_needs_copy():
    (problem,) = problems('require "vnd.dovecot.pipe"; pipe :copy "printer";')
    assert "unknown tagged argument ':copy' for the pipe command" in problem


def test_try_says_that_failing_is_no_failure():
    assert actions(f'{PIPE} pipe :try "printer";')[0]["optional"] is True


def test_one_program_twice_is_an_error():
    assert "cannot be combined" in str(outcome(f'{PIPE} pipe "a" "1";\npipe "a" "2";').failure)
    assert len(actions(f'{PIPE} pipe "a"; pipe "b";')) == 2


@pytest.mark.parametrize("refusal", ["reject", "ereject"])
def test_pipe_and_reject_exclude_each_other(refusal):
    found = outcome(f'require ["vnd.dovecot.pipe", "{refusal}"]; pipe "a"; {refusal} "no";')
    assert f"{refusal} (line 1) cannot be combined with pipe (line 1)" in str(found.failure)


# -- filter, §6, §8 ------------------------------------------------------------------------------------------------


def test_filter_replaces_the_message_for_all_that_follows():
    found = outcome(f'{FILTER} fileinto "before"; filter "upper"; fileinto "after";')
    assert found.effects[0].message is None
    assert b"ANVIL" in found.effects[1].message.data
    assert b"\r" not in found.effects[1].message.data
    assert found.edits[0].text.startswith('filter "upper"')


def test_the_implicit_keep_takes_the_filtered_message():
    assert b"ANVIL" in outcome(f'{FILTER} filter "upper";').effects[0].message.data


def test_a_filter_gets_the_message_as_it_is_now():
    facts = Listed(NOW)
    outcome(f'{FILTER} filter "upper"; filter "same";', facts)
    assert facts.calls[0][3] == COYOTE
    assert b"ANVIL" in facts.calls[1][3]


@pytest.mark.parametrize("program", ["fail", "silent"])
def test_a_filter_that_fails_leaves_the_message_and_the_script_goes_on(program):
    found = outcome(f'{FILTER} filter "{program}"; fileinto "x";')
    assert found.effects[0].message is None
    assert found.notes


def test_a_filter_that_changes_nothing_is_no_edit():
    assert outcome(f'{FILTER} filter "same";').edits == ()


@pytest.mark.parametrize(
    ("program", "result"), [("upper", True), ("same", True), ("fail", False), ("silent", False), ("nosuch", False)]
)
def test_filter_as_a_test_says_whether_it_succeeded(program, result):
    found = outcome(f'{FILTER} if filter "{program}" {{ fileinto "yes"; stop; }} fileinto "no";')
    assert to_json(found.effects[0])["mailbox"] == ("yes" if result else "no")


def test_a_later_error_keeps_the_original():
    found = outcome('require ["vnd.dovecot.filter", "ihave"]; filter "upper"; error "stop";')
    assert found.carried_out[0].message is None


@pytest.mark.parametrize("command", ["filter", "execute"])
def test_an_unknown_program_is_an_error_of_the_command(command):
    found = outcome(f'require "vnd.dovecot.{command}"; {command} "nosuch";')
    assert f"there is no program 'nosuch' for {command}" in str(found.failure)


# -- execute, §7, §8 -----------------------------------------------------------------------------------------------


def test_the_output_goes_into_the_variable():
    assert actions(f'{EXECUTE} execute :output "Out" "say"; fileinto "x${{out}}x";')[0]["mailbox"] == "xwört\nx"


def test_a_failure_leaves_the_variable():
    script = f'{EXECUTE} set "out" "old"; execute :output "out" "fail"; fileinto "${{out}}";'
    assert actions(script)[0]["mailbox"] == "old"


def test_what_a_variable_cannot_hold_is_cut():
    limits = Limits(variable_size=2)
    found = outcome(f'{EXECUTE} execute :output "o" "say"; fileinto "${{o}}";', limits=limits)
    assert to_json(found.effects[0])["mailbox"] == "w"


def test_input_is_a_string_with_variables():
    facts = Listed(NOW)
    outcome(f'{EXECUTE} set "v" "é"; execute :input "a ${{v}}" "say";', facts)
    assert facts.calls[0][3] == "a é".encode()


def test_pipe_gives_it_the_message():
    facts = Listed(NOW)
    outcome(f'{EXECUTE} execute :pipe "say";', facts)
    assert facts.calls[0][3] == COYOTE


def test_it_changes_neither_the_message_nor_the_implicit_keep():
    found = outcome(f'{EXECUTE} execute :pipe "upper";')
    assert found.implicit_keep
    assert found.effects[0].message is None


@pytest.mark.parametrize("program", ["say", "fail", "nosuch"])
def test_execute_as_a_test_says_whether_it_succeeded(program):
    found = outcome(f'{EXECUTE} if not execute "{program}" {{ fileinto "no"; }}')
    assert found.implicit_keep is (program == "say")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (':input "a" :pipe "p"', "cannot be used together"),
        (':output "1" "p"', "invalid variable name"),
        (':output "a.b" "p"', "unknown namespace"),
        (':output "${x}" "p"', "constant"),
        (':input "a"', "requires"),
        (':try "p"', "unknown tagged argument"),
    ],
)
def test_wrong_uses_are_found_when_compiling(call, said):
    assert said in problems(f"{EXECUTE} execute {call};")[0]
    assert said in problems(f"{EXECUTE} if execute {call} {{}}")[0]


def test_output_needs_variables():
    assert "needs variables" in problems('require "vnd.dovecot.execute"; execute :output "x" "p";')[0]


def test_a_fault_names_the_command_or_the_test():
    assert "the execute command" in problems(f"{EXECUTE} execute;")[0]
    assert "the execute test" in problems(f"{EXECUTE} if execute {{}}")[0]


def test_programs_have_a_limit():
    script = EXECUTE + 'execute "say";' * 4
    assert "too many programs are run: the limit is 3" in str(outcome(script, limits=Limits(programs=3)).failure)


def test_all_three_are_off_by_default():
    assert not any(extension.default for extension in EXTENSIONS)


# -- the examples of §10 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        (
            'require [ "vnd.dovecot.pipe", "subaddress", "envelope" ];\n'
            'if envelope :detail "to" "request"\n{\n  pipe "request-handler";\n}'
        ),
        (
            'require [ "vnd.dovecot.pipe", "copy" ];\n'
            'if address "to" "snailmail@example.com"\n{\n  pipe :copy "printer" ["A4", "draft"];\n}'
        ),
        (
            'require [ "vnd.dovecot.filter", "fileinto" ];\nif header "content-language" "nl"\n'
            '{\n  filter "translator" ["nl", "en"];\n  fileinto "Translated";\n  stop;\n}'
        ),
        (
            'require [ "vnd.dovecot.filter", "fileinto" ];\nif header "content-language" "nl"\n'
            '{\n  if filter "translator" ["nl", "en"]\n  {\n    fileinto "Translated";\n    stop;\n  }\n}'
        ),
        (
            'require [ "vnd.dovecot.execute", "vacation", "variables",\n          "envelope" ];\n'
            'if envelope :localpart :matches "to" "*"\n{\n  set "recipient" "${1}";\n}\n'
            'if execute :output "vacation_message" "onvacation" "${recipient}"\n{\n  vacation "${vacation_message}";\n}'
        ),
    ],
)
def test_the_examples_compile(script):
    assert problems(script) == []
