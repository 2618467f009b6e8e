import pytest

from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json
from tests.sieve.trying import NOW, envelope, filed, problems, warnings

DAY = 86_400
REQUIRE = 'require ["duplicate", "variables", "fileinto", "mailbox", "imap4flags", "ihave"];\n'


class Past(Imagined):
    """Facts with a memory, and what was asked of it."""

    def __init__(self):
        super().__init__(NOW)
        object.__setattr__(self, "remembered", {})
        object.__setattr__(self, "asked", [])

    def seen(self, key):
        self.asked.append(key)
        return key in self.remembered


def deliver(past, script, header="Message-ID: <1@x>\nSubject: hello", **limits):
    """One delivery; what was to be remembered is remembered."""
    bounds = Limits(**limits)
    program = compile_script(REQUIRE + script, bounds)
    found = run(program, message_of(f"{header}\n\nbody\n".encode()), envelope(), past, bounds)
    past.remembered.update({item.key: item.seconds for item in found.remember})
    return found


def dropped(past, test, header="Message-ID: <1@x>\nSubject: hello", **limits):
    found = deliver(past, f"if {test} {{ discard; }}", header, **limits)
    assert found.failure is None, found.failure
    return not found.implicit_keep


@pytest.fixture
def past():
    return Past()


def test_the_first_message_is_none_and_the_second_is_one(past):
    assert [dropped(past, "duplicate") for _ in range(3)] == [False, True, True]


def test_another_message_is_none(past):
    dropped(past, "duplicate")
    assert not dropped(past, "duplicate", "Message-ID: <2@x>")


def test_within_one_run_the_answer_does_not_change(past):
    script = 'if duplicate { discard; } if duplicate :header "message-id" { discard; } if duplicate { discard; }'
    assert deliver(past, script).implicit_keep
    assert not deliver(past, script).implicit_keep
    assert len(past.asked) == 2, "each run asks once for one key"


@pytest.mark.parametrize(
    "other",
    [
        'duplicate :header "message-id"',
        'duplicate :header "MESSAGE-ID"',
        'allof (header :matches "message-id" "*", duplicate :uniqueid "${0}")',
    ],
)
def test_where_the_value_comes_from_does_not_matter(past, other):
    dropped(past, "duplicate")
    assert dropped(past, other)


def test_values_are_case_sensitive(past):
    dropped(past, 'duplicate :uniqueid "a"')
    assert not dropped(past, 'duplicate :uniqueid "A"')


def test_handles_keep_tests_apart(past):
    dropped(past, 'duplicate :handle "a" :uniqueid "x"')
    assert not dropped(past, 'duplicate :handle "b" :uniqueid "x"')
    assert not dropped(past, 'duplicate :uniqueid "x"')
    assert dropped(past, 'duplicate :handle "a" :uniqueid "x"')


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (':handle "" :uniqueid "a"', ':uniqueid "a"'),
        (':handle "a:b" :uniqueid "c"', ':handle "a" :uniqueid "b:c"'),
        (':uniqueid "=a:b"', ':handle "a" :uniqueid "b"'),
    ],
)
def test_a_handle_is_never_part_of_a_value(past, one, other):
    dropped(past, f"duplicate {one}")
    assert not dropped(past, f"duplicate {other}")


def test_long_values_are_told_apart(past):
    value = "x" * 5000
    dropped(past, f'duplicate :uniqueid "{value}"')
    assert dropped(past, f'duplicate :uniqueid "{value}"')
    assert not dropped(past, f'duplicate :uniqueid "{value}y"')
    assert all(len(key) < 500 for key in past.remembered)


def test_a_missing_field_is_no_duplicate_and_nothing_is_remembered(past):
    assert not dropped(past, "duplicate", "Subject: hello")
    assert not dropped(past, 'duplicate :header "x-event"')
    assert past.remembered == {}
    assert past.asked == []


@pytest.mark.parametrize("field", ["Message-ID:", "Message-ID:   "])
def test_an_empty_field_identifies_nothing(past, field):
    assert [dropped(past, "duplicate", field) for _ in range(2)] == [False, False]


@pytest.mark.parametrize("name", ["x y", "", "from:", "Betreff-ä"])
def test_an_impossible_name_of_a_field_is_false_and_no_error(past, name):
    script = f'duplicate :header "{name}"'
    assert [dropped(past, script) for _ in range(2)] == [False, False]
    assert warnings(f'require "duplicate"; if {script} {{}}')


def test_an_impossible_name_in_a_variable_is_false(past):
    script = 'set "n" "x y"; if duplicate :header "${n}" { discard; }'
    assert [deliver(past, script).implicit_keep for _ in range(2)] == [True, True]


def test_only_the_first_field_counts(past):
    dropped(past, 'duplicate :header "x-id"', "X-Id: a\nX-Id: b")
    assert not dropped(past, 'duplicate :header "x-id"', "X-Id: b\nX-Id: a")
    assert dropped(past, 'duplicate :header "x-id"', "X-Id: a\nX-Id: c")


def test_values_are_unfolded_decoded_and_trimmed(past):
    dropped(past, 'duplicate :header "subject"', "Subject:  caf\u00e9 au\n lait  ")
    assert dropped(past, 'duplicate :header "subject"', "Subject: =?utf-8?q?caf=C3=A9?= au lait")
    assert dropped(past, 'duplicate :uniqueid "caf\u00e9 au lait"')


def test_an_empty_uniqueid_is_a_value(past):
    assert [dropped(past, 'duplicate :uniqueid ""') for _ in range(2)] == [False, True]


def test_an_entry_lives_for_seven_days(past):
    dropped(past, "duplicate")
    assert list(past.remembered.values()) == [7 * DAY]


def test_seconds_say_how_long(past):
    dropped(past, "duplicate :seconds 60")
    assert list(past.remembered.values()) == [60]


def test_too_many_seconds_become_the_most_without_an_error(past):
    dropped(past, "duplicate :seconds 4G")
    assert list(past.remembered.values()) == [90 * DAY]
    assert "the limit is" in warnings('require "duplicate"; if duplicate :seconds 4G {}')[0]


def test_a_site_bounds_the_default_too(past):
    dropped(past, "duplicate", duplicate_maximum=3600)
    assert list(past.remembered.values()) == [3600]


def test_zero_seconds_are_false_and_remember_nothing(past):
    dropped(past, "duplicate")
    assert not dropped(past, "duplicate :seconds 0")


def test_a_duplicate_does_not_prolong_the_entry(past):
    deliver(past, "if duplicate { discard; }")
    assert deliver(past, "if duplicate { discard; }").remember == ()


def test_with_last_it_does(past):
    deliver(past, "if duplicate :last { discard; }")
    (item,) = deliver(past, "if duplicate :last :seconds 30 { discard; }").remember
    assert item.seconds == 30


def test_a_failed_run_remembers_nothing(past):
    found = deliver(past, 'if duplicate { discard; }\nerror "no";')
    assert found.failure is not None
    assert found.remember == ()
    assert not dropped(past, "duplicate")


def test_a_test_that_is_not_tried_has_no_effect(past):
    deliver(past, "if anyof (true, duplicate) {} if allof (false, duplicate) {} if false { if duplicate {} }")
    assert past.remembered == {}


def test_of_two_tests_with_one_key_the_last_one_counts(past):
    deliver(past, "if anyof (duplicate :seconds 5, duplicate :seconds 9) {}")
    assert list(past.remembered.values()) == [9]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ('if duplicate :header "a" :uniqueid "b" {}', "takes one of ':header' and ':uniqueid', not both"),
        ('if duplicate :handle "a" :handle "b" {}', "duplicate ':handle'"),
        ("if duplicate :header {}", "expects a string, but nothing was found"),
        ('if duplicate :seconds "5" {}', "expects a number"),
        ('if duplicate "a" {}', "requires 0 positional arguments"),
        ('if duplicate :index 1 :header "a" {}', "unknown tagged argument ':index'"),
        ('if duplicate :mime :header "a" {}', "unknown tagged argument ':mime'"),
        ('if duplicate :header ["a", "b"] {}', "expects a string, but a string list was found"),
        ("duplicate;", "cannot use test 'duplicate' as a command"),
    ],
)
def test_what_is_wrong_is_said(script, text):
    (found,) = problems('require "duplicate";\n' + script)
    assert text in found


def test_questions_to_the_memory_are_charged(past):
    script = "".join(f'if duplicate :uniqueid "{n}" {{}}' for n in range(3000))
    found = deliver(past, script)
    assert "too much text to compare" in found.failure.text
    assert len(past.asked) <= 2000


# RFC 7352 §5, the examples.


def test_example_1(past):
    script = 'if duplicate { fileinto :create "Trash/Duplicate"; }'
    assert deliver(past, script).implicit_keep
    assert [to_json(e) for e in deliver(past, script).effects] == [filed("Trash/Duplicate", create=True)]


def test_example_2(past):
    script = """if header :matches "subject" "ALERT: *" {
        if duplicate :seconds 60 :uniqueid "${1}" { setflag "\\\\seen"; }
        fileinto "Alerts"; }"""
    found = [deliver(past, script, f"Message-ID: <{n}@x>\nSubject: ALERT: disk") for n in range(2)]
    assert [to_json(one.effects[0]) for one in found] == [filed("Alerts"), filed("Alerts", "\\Seen")]
    assert past.remembered == {":disk": 60}


def test_example_3(past):
    script = """require ["envelope", "enotify"];
    if envelope :matches "from" "*" { set "sender" "${1}"; }
    if header :matches "subject" "*" { set "subject" "${1}"; }
    if string :comparator "i;ascii-casemap" :matches "${subject}" "Re:*" { set "subject" "${1}"; }
    if not duplicate :seconds 1800 :uniqueid "${sender} ${subject}"
    { notify :message "[SIEVE] ${sender}: ${subject}" "mailto:user@im.example.com"; }"""
    counts = [len(deliver(past, script, f"Subject: {s}").effects) - 1 for s in ("Hi", "Hi", "Ho", "Re: Ho", "Re: Ho")]
    assert counts == [1, 0, 1, 1, 0]


def test_example_4(past):
    script = """if duplicate :header "X-Event-ID" :handle "notifier" { discard; }
    if allof ( duplicate :header "X-Ticket-ID" :handle "support", address "to" "support@example.com",
               header :contains "subject" "fileserver") { setflag "\\\\seen"; }"""
    ticket = "To: support@example.com\nSubject: the fileserver\nX-Ticket-ID: 17"
    assert deliver(past, script, "X-Event-ID: 17").implicit_keep
    assert deliver(past, script, ticket).effects[0].flags == ()
    assert deliver(past, script, ticket).effects[0].flags == ("\\Seen",)
    assert not deliver(past, script, "X-Event-ID: 17").implicit_keep
