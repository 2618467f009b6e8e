"""One message, told rule by rule."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from sievemda.cli.main import run
from sievemda.cli.sieve_world import moment
from sievemda.cli.terminal import columns as columns_of
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.sieve.compile import compile_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.rehearsal import Imagined, message_of, recipient_of, sender_of
from sievemda.sieve.sequence import Stage, run_all
from sievemda.sieve.tracing import Trace

MESSAGE = (
    b"From: Bob <bob@example.net>\nTo: alice@example.org\nSubject: Re: lunch\nMessage-ID: <1@x>\n"
    b"X-Score: 3\nX-Score: 4\nReceived: a\n\nhello there\n"
)
REQUIRE = (
    'require ["fileinto", "envelope", "subaddress", "relational", "comparator-i;ascii-numeric", "variables", "body", '
    '"date", "index", "regex", "copy", "imap4flags", "mailbox", "duplicate", "environment", "include", "vacation", "reject", '
    '"editheader", "foreverypart", "mime", "spamtest", "vnd.dovecot.debug"];\n'
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    return tmp_path


@pytest.fixture
def told(folder, capsys):
    """What is printed for a script; its first line is the `require` of the tests."""

    def call(script, *options, code=0):
        (folder / "s.sieve").write_text(REQUIRE + script)
        assert run(["sieve", "run", *options, "s.sieve", "m.eml"]) == code
        return capsys.readouterr().out

    return call


@pytest.fixture
def found(told):
    def call(script, *options, code=0):
        return json.loads(told(script, "--json", *options, code=code))

    return call


def reasons(found):
    return [rule["why"] for rule in found["rules"]]


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ('header :contains "Subject" "invoice"', 'Subject is "Re: lunch"; "invoice" is not contained in it'),
        (
            'header :contains "Subject" ["invoice", "bill"]',
            'Subject is "Re: lunch"; none of "invoice", "bill" is contained in it',
        ),
        ('header :contains "Subject" ["x", "LUNCH"]', 'Subject is "Re: lunch"; "LUNCH" is contained in it'),
        ('header "Subject" "Re: lunch"', 'Subject is "Re: lunch"'),
        ('header "Subject" "lost"', 'Subject is "Re: lunch"; that is not "lost"'),
        ('header "Subject" ["a", "b"]', 'Subject is "Re: lunch"; that is none of "a", "b"'),
        (
            'header "Subject" "RE: LUNCH"',
            'Subject is "Re: lunch"; by i;ascii-casemap that is the same as "RE: LUNCH"',
        ),
        ('header "List-Id" "x"', "there is no List-Id field in the message"),
        ('header ["List-Id", "X"] "x"', "there is no List-Id, X field in the message"),
        ('header "X-Score" "5"', 'X-Score: "3", "4"; none of them is "5"'),
        ('header "X-Score" ["5", "6"]', 'X-Score: "3", "4"; none of them is one of "5", "6"'),
        ('header "X-Score" "4"', 'X-Score is "4" (one of 2)'),
        (
            'header :value "gt" :comparator "i;ascii-numeric" "X-Score" "5"',
            'X-Score: "3", "4"; none of them is greater than "5" (compared by i;ascii-numeric)',
        ),
        (
            'header :value "ge" :comparator "i;ascii-numeric" "Received" "5"',
            (
                'Received is "a"; that is greater than or equal to "5" '
                "(compared by i;ascii-numeric, for which what begins with no digit is more than every number)"
            ),
        ),
        (
            'header :value "gt" "X-Score" "10"',
            (
                'X-Score is "3" (one of 2); that is greater than "10" '
                '(compared as text; :comparator "i;ascii-numeric" compares numbers)'
            ),
        ),
        ('header :index 2 "X-Score" "3"', 'X-Score :index 2 is "4"; that is not "3"'),
        (
            'date :index 9 "X-Score" "hour" "3"',
            "there is no X-Score field at that place, or it holds no date that can be read",
        ),
        (
            'header :count "gt" :comparator "i;ascii-numeric" "X-Score" "2"',
            'there are 2 values of X-Score; that is not greater than "2" (compared by i;ascii-numeric)',
        ),
        ('header :matches "Subject" "Re: *"', 'Subject is "Re: lunch"; the pattern "Re: *" matches it'),
        ('header :regex "Subject" "^lu"', 'Subject is "Re: lunch"; the regular expression "^lu" does not match it'),
        ('exists "List-Id"', "there is no List-Id field in the message"),
        ('exists ["To", "From"]', "there is a To, From field in the message"),
        ('exists ["To", "X", "Y"]', "there is no X, Y field in the message"),
        ("size :over 100K", "143 octets are not over 102,400 octets (100K)"),
        ("size :under 1M", "143 octets are under 1,048,576 octets (1M)"),
        ('envelope :detail "to" "lists"', "envelope to: detail is absent"),
        ('envelope "to" "alice@example.org"', 'envelope to is "alice@example.org"'),
        ('envelope :domain "from" "x"', 'the domain of envelope from is "example.net"; that is not "x"'),
        ('address :domain "from" "example.net"', 'the domain of from is "example.net"'),
        ('address :detail "to" "x"', "no address in to has a detail"),
        ('address "cc" "x"', "there is no cc field in the message"),
        ('body :contains "hello"', 'a text of the body is "hello there "; "hello" is contained in it'),
        ('date "date" "hour" "12"', "there is no date field"),
        ('string "${a}${b}" "x"', '${a}${b} is empty; that is not "x"'),
        ('hasflag "x"', "no flag is set"),
        ('mailboxexists "Work"', 'there is no mailbox "Work" into which the message could go'),
        ('environment "frob" "x"', "the environment has no frob"),
        ("duplicate", '"<1@x>" has not been seen before'),
        ('spamtest "5"', 'the spam score, which nobody has given, is "0"; that is not "5"'),
        ("true", "it is so for every message"),
        ('not exists "X"', "there is no X field in the message"),
        ('allof (true, exists "X")', "test 2 in it is false: there is no X field in the message"),
        ('anyof (exists "X", exists "Y")', "all 2 tests in it are false"),
    ],
)
def test_why_a_test_came_out_so(found, test, reason):
    assert reasons(found(f"if {test} {{ keep; }}")) == [reason]


@pytest.mark.parametrize(
    ("test", "hint"),
    [
        (
            'header :is "Subject" "lunch"',
            ':is wants the whole value: "lunch" is a part of it, which :contains looks for',
        ),
        ('header :is "From" "bob@example.net"', "an address test compares the address without the name"),
        ('address :is "from" "example.net"', ":domain compares that part of the address alone"),
        ('envelope :is "from" "bob"', ":localpart compares that part of the address alone"),
        ('header :is "Subject" "Re:*"', "* and ? are wildcards only with :matches"),
        ('header :contains "Subject" "r?:"', "* and ? are wildcards only with :matches"),
        ('header :matches "Subject" "lunch"', 'a pattern of :matches is for the whole value: "*lunch*" would match'),
        (
            'header :is :comparator "i;octet" "Subject" "RE: lunch"',
            "only the case of letters differs, and i;octet minds it",
        ),
        (
            'header :is "Subject" "Re:\u00a0lunch"',
            "they look alike and differ in blanks or in how characters are written",
        ),
        (
            'header :contains "Subject" "lunch "',
            "they look alike and differ in blanks or in how characters are written",
        ),
    ],
)
def test_a_near_miss_says_what_would_have_matched(found, test, hint):
    assert reasons(found(f"if {test} {{ keep; }}"))[0].endswith(f"; {hint}")


@pytest.mark.parametrize("test", ['header "Subject" "x"', 'header :contains "Subject" "soup"', 'address "from" "a@b"'])
def test_what_is_no_near_miss_has_no_hint(found, test):
    assert reasons(found(f"if {test} {{ keep; }}"))[0].count(";") == 1


CHAIN = """# rule:[Bills]
if header :contains "subject" "invoice" { fileinto "Bills"; }
elsif header :contains "subject" "lunch" {
    if exists "X" { keep; } else { fileinto "Lunch"; }
    stop;
}
elsif true { if true { discard; } }
else { discard; }
if true { discard; }
"""


def test_what_became_of_each_rule(found):
    told = [(rule["line"], rule["name"], rule["result"], rule["why"]) for rule in found(CHAIN)["rules"]]
    assert told == [
        (3, "Bills", "no match", 'subject is "Re: lunch"; "invoice" is not contained in it'),
        (4, "", "matched", 'subject is "Re: lunch"; "lunch" is contained in it'),
        (5, "", "no match", "there is no X field in the message"),
        (5, "", "matched", "no rule before it in its chain matched"),
        (8, "", "not tried", "the rule of line 4 matched before"),
        (8, "", "not reached", "the rule around it, of line 8, was not entered"),
        (9, "", "not tried", "the rule of line 4 matched before"),
        (10, "", "not reached", "stop in line 6"),
    ]


def test_the_same_for_people(told):
    assert told(CHAIN) == (
        '<1@x>: "Re: lunch", from bob@example.net to alice@example.org\n'
        'line 3: Bills: if header :contains "subject" "invoice"\n'
        '    no match: subject is "Re: lunch"; "invoice" is not contained in it\n'
        'line 4: elsif header :contains "subject" "lunch"\n'
        '    matched: subject is "Re: lunch"; "lunch" is contained in it\n'
        "    -> stop (line 6)\n"
        '  line 5:5: if exists "X"\n'
        "      no match: there is no X field in the message\n"
        "  line 5:29: else\n"
        "      matched: no rule before it in its chain matched\n"
        '      -> fileinto "Lunch" (line 5)\n'
        "line 8:1: elsif true\n"
        "    not tried: the rule of line 4 matched before\n"
        "  line 8:14: if true\n"
        "      not reached: the rule around it, of line 8, was not entered\n"
        "line 9: else\n"
        "    not tried: the rule of line 4 matched before\n"
        "line 10: if true\n"
        "    not reached: stop in line 6\n"
        "actions\n"
        '  fileinto "Lunch" (line 5)\n'
        "implicit keep: cancelled by fileinto in line 5\n"
    )


def test_a_test_with_others_inside_tells_of_each(told):
    out = told('if anyof (exists "X", allof (true, not header :is "subject" "x")) { keep; }')
    assert (
        "    matched: test 2 in it is true: all 2 tests in it are true\n"
        '      exists "X" is false: there is no X field in the message\n'
        '      allof (true, not header :is "subject" "x") is true\n'
        "        true is true: it is so for every message\n"
        '        not header :is "subject" "x" is true\n'
        '          header :is "subject" "x" is false: subject is "Re: lunch"; that is not "x"\n'
    ) in out


def test_variables_are_shown_with_what_they_became(told, found):
    script = (
        'if header :matches "subject" "Re: *" { set "w" "${1}"; }\nif string "a ${w}" "a lunch" { fileinto "${w}"; }'
    )
    out = told(script)
    assert '      ${1} is "lunch"\n    -> w is now "lunch" (line 2)\n' in out
    assert '      "a ${w}" became "a lunch"\n    -> fileinto "lunch" (line 3)\n' in out
    test = found(script)["tests"][1]
    assert test["filled"] == [{"string": "a ${w}", "value": "a lunch"}]
    assert test["matched"] == {"value": "a lunch", "key": "a lunch"}


@pytest.mark.parametrize(
    ("script", "why", "code"),
    [
        ("", "kept, because no action cancelled it", 0),
        ('fileinto :copy "x";', "kept, because no action cancelled it (fileinto does not)", 0),
        ("keep;", "cancelled by keep in line 2", 0),
        ("\ndiscard;", "cancelled by discard in line 3", 0),
        ('redirect "a@b.example"; keep;', "cancelled by redirect in line 2", 0),
        ('keep;\nreject "x";', "kept, because of the error in line 3", 1),
    ],
)
def test_what_became_of_the_implicit_keep(found, script, why, code):
    assert found(script, code=code)["implicit_keep_why"] == why


def test_an_error_says_what_was_not_done_and_what_was_not_reached(told):
    out = told('fileinto "a";\nif true { reject "x"; }\nif true { stop; }', code=1)
    assert '    -> reject "x" failed (line 3)\n' in out
    assert "    not reached: the script failed in line 3\n" in out
    assert '  not done, because the script failed: fileinto "a" (line 2)\n' in out
    assert out.endswith("s.sieve:3:1: error: reject (line 3) cannot be combined with fileinto (line 2)\n")


def test_a_test_that_ends_with_an_error_is_a_rule_that_failed(found):
    script = 'set "p" "frob";\nif envelope "${p}" "x" { keep; }'
    rule = found(script, code=1)["rules"][0]
    assert (rule["result"], rule["why"]) == ("failed", "unknown envelope part 'frob'")


def test_actions_are_told_with_their_data(told):
    out = told(
        'setflag "\\\\Seen"; fileinto :create "x"; keep; redirect :copy "a@b.example"; vacation "gone";', "--to", "z@w"
    )
    assert '  fileinto "x", flags \\Seen, create yes (line 2)\n  keep flags \\Seen (line 2)\n' in out
    assert '  redirect "a@b.example", copy yes (line 2)\n' in out
    assert "this would not be done: not addressed to you (line 2)" in out


def test_an_action_that_is_one_with_another_says_so(told):
    assert "-> keep, one with the same action before it (line 2)\n" in told("keep; keep;")


def test_what_is_changed_and_logged_is_told(told):
    out = told('addheader "X-A" "b"; debug_log "hi";')
    assert "-> added X-A: b (line 2)\n-> log: hi (line 2)\n" in out
    assert "edits\n  line 2: added X-A: b\nlog\n  line 2: hi\n" in out


def test_a_rule_in_a_loop_is_told_once_with_how_often(found, told, folder):
    (folder / "m.eml").write_bytes(
        b'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/html\n\na\n--x\n\nb\n--x--\n'
    )
    script = 'foreverypart { if header :mime :subtype :is "content-type" "html" { keep; } }'
    rule = found(script)["rules"][0]
    assert (rule["tried"], rule["matched"], rule["result"]) == (3, 1, "matched")
    assert "    matched 1 of 3 times: " in told(script)
    assert {each.get("part", "") for each in found(script, "--trace")["trace"]} == {"", "0", "1", "2"}


def test_scripts_in_a_row_and_included_ones_are_told_one_by_one(told, folder):
    (folder / "first.sieve").write_text('if exists "to" { stop; }')
    (folder / "part.sieve").write_text('require "include"; if true { return; } if true { discard; }')
    (folder / "last.sieve").write_text("if true { discard; }")
    out = told('include "part";\nif true { fileinto "x"; }', "--before", "first.sieve", "--after", "last.sieve")
    parts = ["\nfirst.sieve\nline 1: if exists", "\ns.sieve\n-> include", "\nlast.sieve: not run\n", "\npart\nline 1"]
    assert sorted(parts, key=out.index) == parts
    assert "    not reached: return in line 1\n" in out
    assert out.endswith("implicit keep: cancelled by fileinto in line 3\n")


def test_a_stop_in_an_included_script_ends_those_around_it(found, folder):
    (folder / "part.sieve").write_text("\n\nif true { stop; }")
    rules = found('include "part";\nif true { keep; }')["rules"]
    assert [(rule.get("script"), rule["why"]) for rule in rules] == [
        (None, "stop in line 3 of part"),
        ("part", "it is so for every message"),
    ]


def test_what_goes_wrong_in_an_included_script_is_told_where_it_is(found, folder):
    (folder / "part.sieve").write_text('require "reject";\nkeep;\nreject "x";\nif true {keep;}')
    told = found('include "part";\nif true { keep; }', code=1)
    assert [rule["why"] for rule in told["rules"]] == [
        "the script failed in line 3 of part",
        "the script failed in line 3",
    ]


def test_a_row_that_ends_early_leaves_a_script_that_is_not_reached(found, folder):
    (folder / "last.sieve").write_text("if true { discard; }")
    rule = found("discard;", "--after", "last.sieve")["rules"][0]
    assert (rule["result"], rule["why"]) == ("not reached", "this script was not run")


def test_the_trace_has_every_instruction_in_order(found):
    told = found('if anyof (exists "X", true) { set "a" "b"; keep; }', "--trace")
    assert [(each["column"], each.get("command") or each["test"]) for each in told["trace"]] == [
        (1, "if"), (4, "anyof"), (11, "exists"), (23, "true"), (31, "set"), (44, "keep"),
    ]  # fmt: skip
    assert [each["depth"] for each in told["trace"]] == [0, 1, 2, 2, 1, 1]
    assert told["trace"][0]["entered"] == 2
    assert told["trace"][4]["did"] == [{"kind": "set", "name": "a", "value": "b"}]
    assert told["trace"][5]["did"] == [{"kind": "action", "action": "keep", "flags": []}]
    spent = [each["instructions"] for each in told["trace"]]
    assert (spent[2], spent[3], spent[4], spent[5]) == (3, 4, 5, 6)


def test_the_trace_for_people(told):
    out = told('if exists "X" { keep; }\nif header :matches "subject" "Re: *" { set "a" "${1}"; }', "--trace")
    assert (
        "trace\n"
        '2:1       if exists "X"\n'
        '2:4         exists "X": false\n'
        "                there is no X field in the message\n"
        "                [2 instructions, 20 characters]\n"
        '3:1       if header :matches "subject" "Re: *"\n'
        "              enters the branch of line 3\n"
    ) in out
    assert '                ${1} is now "lunch"\n' in out
    assert '                "${1}" became "lunch"\n                a is now "lunch"\n' in out
    assert "  budget: 5 of 200,000 instructions, " in out


def test_what_is_watched_costs_and_decides_as_what_is_not(folder):
    """The words are not charged, and the look-up of tests changes nothing."""
    rules = "".join(f'if header :contains "subject" "word{n}" {{ keep; }}\n' for n in range(60))
    text = (
        REQUIRE + rules + 'if header :matches "subject" "Re: *" { set "a" "${1}"; }\nif string "${a}" "x" { stop; }\n'
    )
    program, message = compile_script(text.encode(), Limits()), message_of(MESSAGE)
    envelope = Envelope(Sender(sender_of(message)), Recipient(recipient_of(message)))
    facts = Imagined(moment("2026-01-01"))

    def outcome(most, begin=None):
        more = (begin,) if begin else ()
        return run_all([Stage(lambda: program)], message, envelope, facts, Limits(matching=most, looks=0), *more)

    trace = Trace()
    watched, plain = outcome(10**6, trace.begin), outcome(10**6)
    assert (watched.effects, list(watched.tests), watched.entered) == (plain.effects, list(plain.tests), plain.entered)
    assert len(trace.trials) == len(plain.tests) == 62
    needed = max(each.characters for each in trace.moments)
    for most in (needed, needed - 1):
        failures = [outcome(most).failure, outcome(most, Trace().begin).failure]
        assert failures[0] == failures[1]
        assert (failures[0] is None) is (most == needed)


HOSTILE = "\x1b[2J\x9b31m\r\u202e\u2028"


def test_nothing_in_a_script_or_message_moves_the_cursor(folder, capsysbinary):
    script = f'# rule:[{HOSTILE}]\nif header :contains "subject" ["{HOSTILE}", "x"] {{ fileinto "{HOSTILE}"; }}\n'
    (folder / "s.sieve").write_text('require ["fileinto"];\n' + script, newline="")
    (folder / "m.eml").write_bytes(b"Subject: =?utf-8?q?=1B=5B2J?= x \xff\x9b\nMessage-ID: <\x1b[2J\x07>\n\nx\n")
    for options in ([], ["--trace"], ["--table", "--caught", "3", "--caught", "none"]):
        run(["sieve", "run", *options, "s.sieve", "m.eml"])
        out = capsysbinary.readouterr().out.decode()
        assert all(line.isprintable() for line in out.split("\n"))


def test_output_in_an_encoding_without_the_characters_is_no_traceback(folder):
    (folder / "s.sieve").write_text('if header :contains "subject" "é…" { keep; }')
    command = [sys.executable, "-m", "sievemda", "sieve", "run", "s.sieve", "m.eml"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b'"??" is not contained in it' in done.stdout


def on_a_terminal(folder, options, columns=60, **environment):
    """What the command writes when its output is a terminal of so many columns."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS", "LINES"}}
    command = [sys.executable, "-m", "sievemda", "sieve", "run", *options]
    child = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=clean | {"TERM": "xterm"} | environment)
    os.close(terminal)
    out = b""
    try:
        while piece := os.read(main, 65536):
            out += piece
    except OSError:  # the other side is closed
        pass
    os.close(main)
    assert child.wait() == 0
    return out.decode()


LONG = f"""if header :contains "subject" [{", ".join(f'"a longer word {n}"' for n in range(20))}] {{ keep; }}"""


def test_a_terminal_gets_colours_and_lines_that_fit(folder):
    (folder / "s.sieve").write_text(LONG)
    out = on_a_terminal(folder, ["s.sieve", "m.eml"])
    assert "\x1b[33m    no match\x1b[0m: subject is" in out
    lines = re.sub(r"\x1b\[[0-9]+m", "", out).replace("\r", "").split("\n")
    assert max(map(columns_of, lines[1:])) <= 60
    assert any(line.endswith("…") for line in lines)


@pytest.mark.parametrize(("options", "environment"), [(["--color", "never"], {}), ([], {"NO_COLOR": "1"})])
def test_a_terminal_gets_no_colours_when_they_are_not_wanted(folder, options, environment):
    (folder / "s.sieve").write_text(LONG)
    assert "\x1b" not in on_a_terminal(folder, [*options, "s.sieve", "m.eml"], **environment)


def test_a_pipe_gets_colours_only_when_asked(told):
    assert "\x1b" not in told("if true { keep; }")
    assert "\x1b[32m" in told("if true { keep; }", "--color", "always")


def test_the_script_and_the_message_cannot_both_be_standard_input(folder, capsys):
    assert run(["sieve", "run", "-", "-"]) == 2
    assert "not both" in capsys.readouterr().err


def test_the_example_of_the_readme_is_what_is_printed(folder, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    shown = readme.split("$ sievemda sieve run my.sieve message.eml\n")[1].split("```")[0]
    (folder / "my.sieve").write_text(
        'require ["fileinto", "envelope", "subaddress"];\n'
        "# rule:[Invoices]\n"
        'if header :is "subject" "order" { fileinto "Invoices"; }\n'
        'elsif address :is "from" "shop.example" { fileinto "Shop"; }\n'
        'elsif header :contains "List-Id" "shop" { fileinto "Lists"; }\n'
        'elsif envelope :detail "to" "shop" { fileinto "Shop"; }\n'
        "else { discard; }\n"
    )
    (folder / "message.eml").write_text(
        "From: Orders <orders@shop.example>\nTo: alice+shop@example.org\nMessage-ID: <4711@shop.example>\n"
        "Subject: Re: your order\n\nthanks\n"
    )
    assert run(["sieve", "run", "my.sieve", "message.eml"]) == 0
    assert capsys.readouterr().out == shown
