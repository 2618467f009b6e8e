"""RFC 5228: tests, actions, evaluation."""

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.report import to_json
from tests.sieve.trying import COYOTE, KEEP, actions, failure, filed, holds, outcome

MILLION = b"""\
From: youcouldberich!@reply-by-postal-mail.invalid
Sender: b1ff@de.res.example.com
To: rube@landru.example.com
Date:  Mon, 31 Mar 1997 18:26:10 -0800
Subject: $$$ YOU, TOO, CAN BE A MILLIONAIRE! $$$

YOU MAY HAVE ALREADY WON TEN MILLION DOLLARS, BUT I DOUBT
"""
ODD = """\
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?q?_aus_K=F6ln?=
X-Folded: one
\ttwo
  three
X-Empty:
X-Spaced   : value
X-Twice: first
X-Twice: second
X-Raw: fünf
X-Padded:    padded\t
From: "Road, Runner" (fast) <"road runner"@acme.example.com>, Team: a@x.example, B <b@y.example>;
To: undisclosed-recipients:;
Cc: broken, <good@example.com>, nobody@, @example.com, <@relay.example:routed@example.com>
Bcc:

body
""".encode()


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('header "subject" "I have a present for you"', True),
        ('header "SUBJECT" "i HAVE a present FOR you"', True),
        ('header :comparator "i;octet" "subject" "i HAVE a present FOR you"', False),
        ('header :contains "subject" "present"', True),
        ('header :contains "subject" ""', True),
        ('header :contains "x-missing" ""', False),
        ('header :is "subject" ""', False),
        ('header ["x-missing", "subject"] ["nothing", "I have a present for you"]', True),
        ('header :matches "subject" "*present*"', True),
        ('header :matches "subject" "present"', False),
        ('header :matches "subject" "I ???? a present for you"', True),
        ('header :matches "subject" "*"', True),
        ('header :matches "x-missing" "*"', False),
        ('header "subject:" "I have a present for you"', False),
        ('header "sub ject" "x"', False),
        ('header "" "x"', False),
        ('exists "from"', True),
        ('exists ["from", "date"]', True),
        ('exists ["from", "x-missing"]', False),
        ('exists "from:"', False),
        ('address :all "from" "coyote@desert.example.org"', True),
        ('address "FROM" "COYOTE@desert.EXAMPLE.org"', True),
        ('address :localpart "from" "coyote"', True),
        ('address :domain "from" "desert.example.org"', True),
        ('address :domain :contains "from" "example"', True),
        ('address :is :all "from" "tim@example.com"', False),
        ('address :comparator "i;octet" :localpart "from" "Coyote"', False),
        ("true", True),
        ("false", False),
        ("not false", True),
        ("not not true", True),
        ("anyof (false, true)", True),
        ("anyof (false, false)", False),
        ("allof (true, true)", True),
        ("allof (true, false)", False),
        ("allof (true)", True),
    ],
)
def test_a_test_of_an_ordinary_message(test, expected):
    assert holds(test) is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('header "subject" "Grüße aus Köln"', True),
        ('header :contains "subject" "ÜSSE"', False),  # only A-Z have case in the default comparator
        ('header :matches "subject" "Gr??*"', True),
        ('header :matches "subject" "Gr?????e aus K??ln"', False),
        ('header :matches "subject" "Gr????e aus K??ln"', True),  # ü, ß and ö are two octets each
        ('header :matches "subject" "Grüße*K*ln"', True),
        ('header "x-folded" "one two three"', True),
        ('header "x-empty" ""', True),
        ('header :contains "x-empty" ""', True),
        ('header :matches "x-empty" "*"', True),
        ('header :matches "x-empty" "?"', False),
        ('exists "x-empty"', True),
        ('header "x-spaced" "value"', True),
        ('header "x-twice" "second"', True),
        ('header "x-raw" "fünf"', True),
        ('header "x-padded" "padded"', True),
        ('address :localpart "from" "road runner"', True),
        ('address :all "from" "\\"road runner\\"@acme.example.com"', True),
        ('address "from" "a@x.example"', True),
        ('address "from" "b@y.example"', True),
        ('address :contains "from" "Team"', False),
        ('address :contains "from" "fast"', False),
        ('address :contains "from" "Runner,"', False),
        ('address "to" "undisclosed-recipients:;"', True),
        ('address :localpart :contains "to" ""', False),
        ('address "cc" "good@example.com"', True),
        ('address "cc" "routed@example.com"', True),
        ('address :contains "cc" "broken"', False),
        ('address :contains "cc" "nobody"', False),
        ('address "bcc" ""', True),
        ('address :domain "bcc" ""', True),
        ('address :localpart "reply-to" ""', False),
    ],
)
def test_a_test_of_an_odd_message(test, expected):
    assert holds(test, ODD) is expected


@pytest.mark.parametrize(("limit", "over", "under"), [(19, True, False), (20, False, False), (21, False, True)])
def test_size_counts_octets_with_crlf_and_excludes_equality(limit, over, under):
    message = b"Subject: x\n\nbody\n"  # 17 octets, 3 line ends
    assert holds(f"size :over {limit}", message) is over
    assert holds(f"size :under {limit}", message) is under


def test_size_knows_units():
    assert holds("size :over 1K", b"A: b\n\n" + b"x" * 1100)
    assert holds("size :under 1M", b"A: b\n\n" + b"x" * 1100)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", [KEEP]),
        ("stop; discard;", [KEEP]),
        ("keep;", [{"action": "keep", "flags": []}]),
        ("keep; keep;", [{"action": "keep", "flags": []}]),
        ("discard;", [{"action": "discard"}]),
        ("discard; discard;", [{"action": "discard"}]),
        ("keep; discard;", [{"action": "keep", "flags": []}, {"action": "discard"}]),
        ('redirect "bart@example.com";', [{"action": "redirect", "address": "bart@example.com"}]),
        ('redirect "Bart <bart@EXAMPLE.com>";', [{"action": "redirect", "address": "bart@example.com"}]),
        ('redirect "\\"bart\\"@example.com";', [{"action": "redirect", "address": "bart@example.com"}]),
        ('redirect "a@b"; redirect "a@B"; redirect "A@b";',
         [{"action": "redirect", "address": "a@b"}, {"action": "redirect", "address": "A@b"}]),
        ("if true { discard; stop; } keep;", [{"action": "discard"}]),
        ('if header "subject" "x" { keep; } elsif true { discard; } else { redirect "a@b"; }', [{"action": "discard"}]),
        ('if header "subject" "x" { keep; } elsif header "subject" "y" { keep; } else { discard; }', [{"action": "discard"}]),
        ("if not true { discard; }", [KEEP]),
    ],
)  # fmt: skip
def test_what_a_script_decides(script, expected):
    assert actions(script) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bart",
        "@example.com",
        "bart@",
        "a@b, c@d",
        "Team: a@b;",
        "<@relay.example:a@b>",
        "a@b c@d",
        "a b@c",
        "a@b>",
        "bärt@example.com",
        "<<a@b>>",
        "a@b\\r\\nBcc: x@y",
        "a@-b",
    ],
)
def test_an_address_that_is_none_is_refused_by_redirect(address):
    script = f'require ["variables", "encoded-character"]; set "a" "{address}"; redirect "${{a}}";'
    assert "invalid address for redirect" in failure(script.replace("\\r\\n", "${hex:0d 0a}"))


def test_the_rfc_example_of_nested_conditions():
    script = """
        require "fileinto";
        if header :contains "from" "coyote" { discard; }
        elsif header :contains ["subject"] ["$$$"] { discard; }
        else { fileinto "INBOX"; }
    """
    assert actions(script, COYOTE) == [{"action": "discard"}]
    assert actions(script, MILLION) == [{"action": "discard"}]
    assert actions(script, b"Subject: hello\n\n") == [filed("INBOX")]


def test_the_extended_example_of_the_rfc():
    script = """
        require ["fileinto"];
        if header :is "Sender" "owner-ietf-mta-filters@imc.org" { fileinto "filter"; }
        elsif address :DOMAIN :is ["From", "To"] "example.com" { keep; }
        elsif anyof (NOT address :all :contains ["To", "Cc", "Bcc"] "me@example.com",
                     header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"]) { fileinto "spam"; }
        else { fileinto "personal"; }
    """
    assert actions(script, b"Sender: owner-ietf-mta-filters@imc.org\n\n") == [filed("filter")]
    assert actions(script, b"From: a@Example.COM\n\n") == [{"action": "keep", "flags": []}]
    assert actions(script, MILLION) == [filed("spam")]
    assert actions(script, b"To: me@example.com.au\nSubject: Make MONEY really fast!\n\n") == [filed("spam")]
    assert actions(script, b"To: me@example.com.au\nSubject: hello\n\n") == [filed("personal")]


def test_tests_behind_the_one_that_decides_are_not_tried():
    tried = outcome("if anyof (true, false) {} if allof (false, true) {}").tests
    assert [(one.test, one.result) for one in tried] == [
        ("true", True), ("anyof", True), ("false", False), ("allof", False),
    ]  # fmt: skip


def test_every_test_that_was_tried_is_told_with_its_line_and_what_it_compared():
    (tried,) = outcome('keep;\nif header :contains ["subject",\n"from"] ["foo", "bar"] {}').tests
    assert (tried.line, tried.test, tried.result) == (2, "header", False)
    (compared,) = tried.compared
    assert list(compared.values) == ["I have a present for you", "coyote@desert.example.org"]
    assert list(compared.keys) == ["foo", "bar"]


def test_too_many_redirects_are_an_error_at_the_one_that_goes_over():
    script = "".join(f'redirect "a{n}@example.com";\n' for n in range(5))
    assert failure(script) == "5:1: error: number of redirect actions exceeds policy limit (5 > 4)"
    assert [e.address for e in outcome(script).effects] == [f"a{n}@example.com" for n in range(4)]


def test_too_many_actions_are_an_error():
    script = 'require "fileinto";\n' + "".join(f'fileinto "F{n}";\n' for n in range(33))
    assert failure(script) == "34:1: error: total number of actions exceeds policy limit (33 > 32)"


def test_merged_actions_count_once():
    script = 'require "fileinto";' + 'fileinto "F";' * 50
    assert actions(script) == [filed("F")]


def test_an_endless_amount_of_tests_is_cut_short():
    script = "if anyof (" + ", ".join(["false"] * 50) + ") {}\n"
    limits = Limits(instructions=100)
    assert "too many instructions: the limit is 100" in failure(script * 10, limits=limits)


def test_an_endless_amount_of_comparing_is_cut_short():
    message = b"Subject: " + b"a" * 100_000 + b"\n\n"
    script = 'if header :matches "subject" "*?b?*" {}\n' * 100
    assert "too much text to compare" in failure(script, message, limits=Limits(matching=1_000_000))


def test_after_an_error_only_an_implicit_keep_is_carried_out():
    found = outcome('discard; redirect "a@b"; redirect "c@d";', limits=Limits(redirects=1))
    assert found.implicit_keep
    assert [to_json(effect) for effect in found.carried_out] == [KEEP]


def test_a_trace_is_bounded():
    found = outcome("if false {}\n" * 50, limits=Limits(trace=10))
    assert len(found.tests) == 10


def test_a_program_may_run_in_many_threads():
    from concurrent.futures import ThreadPoolExecutor

    from sievemda.sieve import compile_script, run
    from sievemda.sieve.rehearsal import Imagined, message_of
    from tests.sieve.trying import NOW, envelope

    script = 'require ["variables","fileinto"]; if header :matches "subject" "*" { set "a" "${1}"; } fileinto "${a}";'
    program = compile_script(script, Limits())

    def mailbox(number):
        message = message_of(f"Subject: {number}\n\n".encode())
        return run(program, message, envelope(), Imagined(NOW), Limits()).effects[0].mailbox

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(mailbox, range(200))) == [str(number) for number in range(200)]
