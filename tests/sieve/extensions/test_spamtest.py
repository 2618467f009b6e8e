from dataclasses import replace

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.verdicts import SPAM, VIRUS, scales
from tests.sieve.trying import actions, filed, hints, holds, problems

NUMERIC = "relational comparator-i;ascii-numeric"


def value(test, header, limits=None):
    """What the test has on its left side, and its count."""
    message = f"{header}\nSubject: x\n\nbody\n".encode()
    require = "spamtestplus virustest variables fileinto relational"
    names = ", ".join(f'"{name}"' for name in require.split())
    script = f'require [{names}]; if {test} :matches "*" {{ set "v" "${{1}}"; }} if {test} :count "eq" "1" {{ set "c" "1"; }} fileinto "${{v}}.${{c}}";'
    (found,) = actions(script, message, limits=limits)
    number, _, count = found["mailbox"].partition(".")
    return int(number), count == "1"


def site(**settings):
    options = replace(Limits().options, spam=scales(settings, SPAM), virus=scales(settings, VIRUS))
    return replace(Limits(), options=options)


@pytest.mark.parametrize(
    ("header", "spam", "percent"),
    [
        ("X-Spamd-Result: default: False [7.50 / 15.00];\n\tFOO(1.0)[x]", 5, 50), ("X-Spamd-Result: default: False [-3.10 / 15.00]", 1, 0),
        ("X-Spamd-Result: default: True [22.0 / 15.00]", 10, 100), ("X-Spam-Status: Yes, score=7.1 required=5.0 tests=A,B", 10, 100),
        ("X-Spam-Status: No, score=2.5 required=5.0 tests=A", 5, 50), ("X-Spam-Status: No, score=-1.9 required=5.0", 1, 0),
        ("X-Spam-Status: No, hits=1.0 required=5.0", 2, 20), ("X-Spam-Status: No, score=3.1 tag=-999 tag2=6.2 kill=6.9", 5, 50),
        ("X-Spam-Status: Yes, score=6.3", 10, 100), ("X-Spam-Level: **", 4, 40), ("X-Spam-Level:", 1, 0), ("X-Spam-Level: ******", 10, 100),
        ("X-Spamd-Bar: +++++++++", 6, 60), ("X-Spamd-Bar: /", 1, 0), ("X-Spamd-Bar: ---", 1, 0), ("X-Spam-Score: 2.5", 5, 50),
        ("X-Spam-Flag: YES", 10, 100), ("X-Spam-Flag: NO", 1, 10), ("X-Spam: Yes", 10, 100),
    ],
)  # fmt: skip
def test_what_filters_write_is_understood(header, spam, percent):
    assert value("spamtest", header) == (spam, True)
    assert value("spamtest :percent", header) == (percent, True)


@pytest.mark.parametrize(
    "header",
    ["X-Other: x", "X-Spam-Status: perhaps", "X-Spamd-Result: [nan / nan]", "X-Spam-Status: Yes, score=x required=y"],
)
def test_a_message_that_was_not_looked_at_has_zero_and_counts_nothing(header):
    assert value("spamtest", header) == (0, False)
    assert value("spamtest :percent", header) == (0, False)
    assert value("virustest", header) == (0, False)


@pytest.mark.parametrize(
    ("header", "virus"),
    [
        ("X-Virus-Status: Clean", 1), ("X-Virus-Status: Infected (Eicar-Test)", 5), ("X-Virus-Status: No", 1), ("X-Virus: Eicar", 5), ("X-Amavis-Alert: INFECTED, Eicar", 5),
        ("X-Virus-Scanned: ClamAV 1.0", 1), ("X-Virus-Scanned: x\nX-Virus-Status: Infected", 5), ("X-Spam-Virus: Yes (Eicar)", 5),
    ],
)  # fmt: skip
def test_what_virus_filters_write_is_understood(header, virus):
    assert value("virustest", header) == (virus, True)


def test_of_several_fields_the_worst_counts_so_that_none_is_worth_forging():
    bad, good = "X-Spam-Status: Yes, score=9 required=5", "X-Spam-Status: No, score=-100 required=5"
    assert value("spamtest", f"{good}\n{bad}")[0] == value("spamtest", f"{bad}\n{good}")[0] == 10
    assert value("virustest", "X-Virus-Status: Clean\nX-Virus-Status: Infected")[0] == 5
    assert value("spamtest", "X-Spamd-Result: x [0 / 15]\nX-Spamd-Result: x [6 / 6]")[0] == 10


@pytest.mark.parametrize(
    ("settings", "header", "spam"),
    [
        ({"status_header": "X-Rate", "score_max_value": "20"}, "X-Rate: 10", 5),
        ({"status_header": "X-Rate", "score_max_value": "20"}, "X-Rate: 10 points", 0),
        ({"status_header": "X-Rate", "score_max_value": "20"}, "X-Spam-Flag: YES", 0),
        ({"status_header": "X-Rate"}, "X-Rate: 10", 0),
        ({"status_header": "X-Rate", "score_max_value": "0"}, "X-Rate: 10", 0),
        (
            {"status_header": "X-Rate:  is ([0-9.]+) of", "score_max_header": "X-Rate: of ([0-9.]+)"},
            "X-Rate: is 2.5 of 5",
            5,
        ),
        ({"status_header": "X-Rate", "score_max_header": "X-Most"}, "X-Rate: 5\nX-Most: 5", 10),
        ({"status_header": "X-Rate", "score_max_header": "X-Most"}, "X-Rate: 5", 0),
        ({"status_header": "X-Rate: [0-9]+", "score_max_value": "10"}, "X-Rate: about 10", 10),
        ({"status_header": "X-Stars", "status_type": "strlen", "score_max_value": "5"}, "X-Stars: sss", 6),
        (
            {"status_header": "X-T", "status_type": "text", "text_value/1": "Ham", "text_value/7": "Perhaps"},
            "X-T: Perhaps",
            7,
        ),
        ({"status_header": "X-T", "status_type": "text", "text_value/1": "Ham"}, "X-T: ham", 0),
        ({"status_header": "X-T", "status_type": "text", "text_value/0": "Odd"}, "X-T: Odd", 1),
        ({"status_header": "none"}, "X-Spam-Flag: YES", 0),
        ({}, "X-Spam-Flag: YES", 10),
    ],
)
def test_a_site_can_say_where_the_score_is(settings, header, spam):
    assert value("spamtest", header, site(**settings))[0] == spam


@pytest.mark.parametrize(
    ("text", "number"), [("one", 1), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("six", 0)]
)
def test_a_text_for_each_value_yields_that_value(text, number):
    words = ("one", "two", "three", "four", "five")
    settings = {f"text_value/{at}": word for at, word in enumerate(words, 1)}
    limits = site(status_header="X-V", status_type="text", **settings)
    assert value("virustest", f"X-V: {text}", limits)[0] == number


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"status_header": "X Y"}, "no name of a field"), ({"status_header": "X: ("}, "invalid regular expression"), ({"status_header": "X", "status_type": "x"}, "the type"),
        ({"status_header": "X", "score_max_value": "x"}, "no number"), ({"status_header": "X", "score_max_header": ":"}, "no name of a field"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(settings, fault):
    with pytest.raises(ValueError, match=fault):
        scales(settings, SPAM)


def test_percent_needs_spamtestplus():
    script = 'require "spamtest"; if spamtest :percent "0" { stop; }'
    (found,), (hint,) = problems(script), hints(script)
    assert "unknown tagged argument ':percent'" in found
    assert "spamtestplus" in hint


def test_spamtestplus_alone_has_the_test():
    assert holds('spamtest "0"', require="spamtestplus")
    assert holds('spamtest :percent "0"', require="spamtest spamtestplus")


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ('spamtest ["0"]', "expects a string for argument 1 (value), but a string list"), ("spamtest 0", "but a number"), ("spamtest", "requires 1 positional"),
        ('virustest :percent "0"', "unknown tagged argument ':percent'"), ('spamtest :regex "("', "invalid regular expression"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused(test, problem):
    (found,) = problems(f'require ["spamtestplus", "virustest", "regex"]; if {test} {{ stop; }}')
    assert problem in found


# -- the examples of RFC 5235 ------------------------------------------------------------------------------------------

SECTION_3_2_1 = """require ["spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"];
if spamtest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
elsif spamtest :value "ge" :comparator "i;ascii-numeric" "3" { fileinto "INBOX.spam-trap"; }"""
SECTION_3_2_2 = """require ["spamtestplus", "fileinto", "relational", "comparator-i;ascii-numeric"];
if spamtest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
elsif spamtest :percent :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.not-spam"; }
elsif spamtest :percent :value "lt" :comparator "i;ascii-numeric" "37" { fileinto "INBOX.spam-trap"; }
else { discard; }"""
WITH_COUNT = SECTION_3_2_2.replace('spamtest :value "eq"', 'spamtest :percent :count "eq"', 1)


@pytest.mark.parametrize(("header", "folder"), [("X: y", "unclassified"), ("X-Spam-Level: **", "spam-trap")])
def test_example_of_section_3_2_1(header, folder):
    assert actions(SECTION_3_2_1, f"{header}\n\n".encode()) == [filed(f"INBOX.{folder}")]


@pytest.mark.parametrize("script", [SECTION_3_2_2, WITH_COUNT])
@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("X: y", filed("INBOX.unclassified")), ("X-Spam-Score: 0", filed("INBOX.not-spam")), ("X-Spam-Score: 1.5", filed("INBOX.spam-trap")),
        ("X-Spam-Score: 2", {"action": "discard"}),
    ],
)  # fmt: skip
def test_examples_of_section_3_2_2(script, header, found):
    assert actions(script, f"{header}\n\n".encode()) == [found]


@pytest.mark.parametrize(
    ("header", "found"), [("X: y", filed("INBOX.unclassified")), ("X-Virus-Status: Infected", {"action": "discard"})]
)
def test_example_of_section_3_3(header, found):
    script = """require ["virustest", "fileinto", "relational", "comparator-i;ascii-numeric"];
        if virustest :value "eq" :comparator "i;ascii-numeric" "0" { fileinto "INBOX.unclassified"; }
        if virustest :value "eq" :comparator "i;ascii-numeric" "4" { fileinto "INBOX.quarantine"; }
        elsif virustest :value "eq" :comparator "i;ascii-numeric" "5" { discard; }"""
    assert actions(script, f"{header}\n\n".encode()) == [found]
