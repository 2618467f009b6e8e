"""The language for any value, beside oracles that are slow and simple: wildcards, literals, relations, dates."""

import operator
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sievemda.sieve import Limits, ScriptError, compile_script, run
from sievemda.sieve.effects import Refuse
from sievemda.sieve.parse import parse
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.text import octets
from tests.sieve.trying import NOW, envelope, holds


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# -- wildcards -----------------------------------------------------------------------------------------------------


def tokens(pattern):
    """Each octet of a pattern, or STAR or ANY. RFC 5228 §2.7.1."""
    found, at = [], 0
    while at < len(pattern):
        one = pattern[at : at + 1]
        if one == b"\\" and at + 1 < len(pattern):
            at += 1
            one = pattern[at : at + 1]
        elif one in {b"*", b"?"}:
            one = {b"*": "star", b"?": "any"}[one]
        found.append(one)
        at += 1
    return tuple(found)


def naive(pattern, value, same):
    """What each wildcard takes of the octets, each star as little as it can; `None` when they do not match."""
    parts = tokens(pattern)

    @cache
    def taken(part, at):
        if part == len(parts):
            return () if at == len(value) else None
        if parts[part] == "star":
            for end in range(at, len(value) + 1):
                rest = taken(part + 1, end)
                if rest is not None:
                    return (value[at:end], *rest)
            return None
        if at == len(value) or not (parts[part] == "any" or same(parts[part]) == same(value[at : at + 1])):
            return None
        rest = taken(part + 1, at + 1)
        if rest is None:
            return None
        return (value[at : at + 1], *rest) if parts[part] == "any" else rest

    return taken(0, 0)


SAME = {"i;octet": bytes, "i;ascii-casemap": bytes.upper}
VALUES = st.text("aAbBüÜ€\\é?*", max_size=12)


@st.composite
def values_and_patterns(draw):
    """A value, and a pattern that has something of it: mostly one that matches, or nearly does."""
    value = draw(VALUES)
    pieces = [draw(st.sampled_from([re.sub(r"([*?\\])", r"\\\1", one), one.swapcase(), "?", "*", ""])) for one in value]
    return value, "".join(pieces) + draw(st.sampled_from(["", "", "*", "?", "\\"]))


def by_script(comparator, pattern, value):
    """The same by a script: the whole value and what each wildcard took, as octets."""
    most = sum(part in {"star", "any"} for part in tokens(octets(pattern)))
    told = "|".join(f"${{{number}}}" for number in range(most + 1))
    script = f"""require ["variables", "reject"];
        if header :matches :comparator "{comparator}" "x" {quoted(pattern)} {{ reject "{told}"; }}"""
    message = message_of(b"X: " + octets(value) + b"\n\n")
    (effect,) = run(compile_script(script, Limits()), message, envelope(), Imagined(NOW), Limits()).carried_out
    if not isinstance(effect, Refuse):
        return None
    whole, *taken = octets(effect.reason).split(b"|")
    assert whole == octets(value)
    return tuple(taken)


@pytest.mark.parametrize("comparator", SAME)
@given(both=st.one_of(values_and_patterns(), st.tuples(VALUES, VALUES)))
def test_wildcards_take_the_octets_that_a_naive_matcher_gives_them(comparator, both):
    value, pattern = both
    assert by_script(comparator, pattern, value) == naive(octets(pattern), octets(value), SAME[comparator])


@given(value=st.binary(max_size=10), data=st.data())
def test_wildcards_take_octets_that_are_no_utf8(value, data):
    text = re.sub(rb"[\x00-\x20|\x7f]|=\?", b"x", value).decode("utf-8", "surrogateescape")
    cuts = data.draw(st.lists(st.sampled_from(["*", "?", "a"]), max_size=4))
    pattern = "".join(cuts)
    assert by_script("i;octet", pattern, text) == naive(octets(pattern), octets(text), bytes)


@given(value=st.text("aB*?\\ü", max_size=12))
def test_a_value_with_its_wildcards_escaped_matches_itself_and_no_longer_one(value):
    pattern = re.sub(r"([*?\\])", r"\\\1", value)
    assert by_script("i;octet", pattern, value) == ()
    assert by_script("i;octet", pattern, value + "a") is None


# -- literals ------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=60)


def literal(source):
    ((argument,),) = [call.arguments for call in parse(f"x {source};", Limits())]
    return argument.value


@given(TEXTS, st.sampled_from(["\n", "\r\n"]))
def test_a_quoted_string_stands_for_its_text(text, line_end):
    assert literal(quoted(text).replace("\n", line_end)) == text.replace("\n", "\r\n")


@given(TEXTS, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["text:", "TEXT: \t", "Text: # so"]))
def test_a_multi_line_string_stands_for_its_lines(text, line_end, start):
    lines = text.split("\n")
    stuffed = line_end.join([start, *("." + line if line.startswith(".") else line for line in lines), ".", ""])
    assert literal(stuffed) == "".join(line + "\r\n" for line in lines)


SCALES = {"": 1, "K": 2**10, "k": 2**10, "M": 2**20, "m": 2**20, "G": 2**30, "g": 2**30}


@pytest.mark.parametrize("letter", SCALES)
@given(number=st.one_of(st.integers(0, 2**66), st.integers(0, 2**36)), zeros=st.integers(0, 50))
def test_a_number_is_its_digits_times_its_letter_up_to_the_limit(letter, number, zeros):
    source = f"{'0' * zeros}{number}{letter}"
    if number * SCALES[letter] <= Limits().number:
        assert literal(source) == number * SCALES[letter]
    else:
        with pytest.raises(ScriptError, match="number"):
            literal(source)


@given(st.integers(0, 3000), st.sampled_from(["over", "under"]), st.integers(0, 3))
def test_size_compares_the_octets_of_a_message_with_line_ends_of_two(limit, side, kilo):
    body = "x" * 900 + "\n"
    message = b"A: b\n\n" + body.encode() * 2
    size = len(message) + message.count(b"\n")
    source, wanted = (f"{kilo}K", kilo * 1024) if kilo else (str(limit), limit)
    assert holds(f"size :{side} {source}", message) is (size > wanted if side == "over" else size < wanted)


# -- relations -----------------------------------------------------------------------------------------------------

RELATIONS = {name: getattr(operator, name) for name in ("gt", "ge", "lt", "le", "eq", "ne")}
RELATIONAL = "relational comparator-i;ascii-numeric"


def number_of(text):
    """RFC 4790 §9.1: the digits at the beginning; without any it is greater than every number."""
    digits = re.match("[0-9]*", text)[0]
    return int(digits) if digits else float("inf")


RANKS = {"i;octet": octets, "i;ascii-casemap": lambda text: octets(text).upper(), "i;ascii-numeric": number_of}
NUMBERISH = st.one_of(
    st.text("019aAz-ü", max_size=6), st.integers(0, 10**30).map(str), st.integers(0, 99).map("{:05}".format)
)


@pytest.mark.parametrize("comparator", RANKS)
@given(relation=st.sampled_from(sorted(RELATIONS)), value=NUMBERISH, key=NUMBERISH)
def test_values_are_in_the_relation_that_their_ranks_are_in(comparator, relation, value, key):
    rank = RANKS[comparator]
    expected = RELATIONS[relation](rank(value), rank(key))
    test = f'header :value "{relation}" :comparator "{comparator}" "x" {quoted(key)}'
    assert holds(test, b"X: " + octets(value) + b"\n\n", RELATIONAL) is expected


@given(
    st.sampled_from(sorted(RELATIONS)),
    st.lists(st.integers(0, 20), max_size=4),
    st.lists(st.integers(0, 20), min_size=1, max_size=4),
)
def test_a_relation_holds_when_it_does_for_any_value_and_any_key(relation, values, keys):
    message = "".join(f"X: {value}\n" for value in values).encode() + b"A: b\n\n"
    listed = ", ".join(f'"{key}"' for key in keys)
    test = f'header :value "{relation}" :comparator "i;ascii-numeric" "x" [{listed}]'
    expected = any(RELATIONS[relation](value, key) for value in values for key in keys)
    assert holds(test, message, RELATIONAL) is expected


@given(st.sampled_from(sorted(RELATIONS)), st.integers(0, 12), st.integers(0, 12))
def test_a_count_is_compared_as_a_number(relation, count, key):
    message = b"X: a\n" * count + b"Y: b\n\n"
    test = f'header :count "{relation}" :comparator "i;ascii-numeric" ["x", "y"] "{key}"'
    assert holds(test, message, RELATIONAL) is RELATIONS[relation](count + 1, key)


# -- dates ---------------------------------------------------------------------------------------------------------

ZONES = [
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
]
PARTS = {
    "year": "%Y", "month": "%m", "day": "%d", "date": "%Y-%m-%d", "hour": "%H", "minute": "%M", "second": "%S",
    "time": "%H:%M:%S", "zone": "%z", "weekday": "%w",
}  # fmt: skip
FIRST, LAST = datetime(1980, 1, 2), datetime(2037, 12, 30)  # noqa: DTZ001 - between them all zones are whole minutes
MOMENTS = st.builds(
    lambda when, minutes: when.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(FIRST, LAST), st.integers(-12 * 60, 14 * 60),
)  # fmt: skip


def parts(when):
    """Every part of a date, by the standard library. RFC 5260 §4.2."""
    yield from ((name, when.strftime(form)) for name, form in PARTS.items())
    yield "julian", str((when.replace(tzinfo=None) - datetime(1858, 11, 17)).days)  # noqa: DTZ001
    yield "iso8601", when.isoformat().replace("+00:00", "Z")
    yield "std11", format_datetime(when)


def all_parts(test, when):
    return "allof (" + ", ".join(f'{test} "{name}" "{value}"' for name, value in parts(when)) + ")"


def dated(when):
    return b"Date: " + format_datetime(when).encode() + b"\n\n"


@given(MOMENTS)
def test_a_date_has_the_parts_that_the_standard_library_gives_it(when):
    assert holds(all_parts('date :originalzone "date"', when), dated(when), "date")


@given(MOMENTS, st.integers(-12 * 60, 14 * 60))
def test_a_date_in_the_zone_of_an_offset(when, minutes):
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    there = when.astimezone(timezone(timedelta(minutes=minutes)))
    assert holds(all_parts(f'date :zone "{sign}{hours:02}{rest:02}" "date"', there), dated(when), "date")


@pytest.mark.parametrize("name", ZONES)
@given(when=MOMENTS)
def test_a_date_in_a_zone_with_a_name_has_summer_time_when_that_zone_has(name, when):
    there = when.astimezone(ZoneInfo(name))
    assert holds(all_parts(f'date :zone "{name}" "date"', there), dated(when), "date")


@given(MOMENTS, st.sampled_from(ZONES))
def test_the_current_date_is_that_of_the_clock_in_its_own_zone(when, name):
    script = 'require "date"; if {} {{ discard; }}'
    for clock in (when, when.astimezone(ZoneInfo(name))):
        program = compile_script(script.format(all_parts("currentdate", clock)), Limits())
        assert not run(program, message_of(b"\n"), envelope(), Imagined(clock), Limits()).implicit_keep


@settings(max_examples=50)
@given(st.lists(MOMENTS, min_size=1, max_size=4), st.integers(1, 5), st.booleans())
def test_the_date_that_is_looked_at_is_that_of_the_field_with_the_index(dates, index, last):
    message = b"".join(b"X: " + format_datetime(when).encode() + b"\n" for when in dates) + b"\n"
    way = f":index {index}{' :last' if last else ''}"
    chosen = list(reversed(dates)) if last else dates
    test = f'date :originalzone {way} :is "x" "iso8601" '
    if index > len(dates):
        assert not holds(test.replace(":is", ":contains") + '""', message, "date index")
    else:
        assert holds(test + f'"{dict(parts(chosen[index - 1]))["iso8601"]}"', message, "date index")


# -- addresses -----------------------------------------------------------------------------------------------------

LOCALS = st.text("abAB.+-ü", min_size=1, max_size=8)


@given(LOCALS, st.sampled_from(["example.org", "a.b.c"]), st.sampled_from(["Kim", "", '"a, b"']))
def test_an_address_is_compared_whole_and_by_its_parts(local, domain, phrase):
    assume(not re.search(r"^\.|\.\.|\.$", local))
    message = f"From: {phrase} <{local}@{domain}>\n\n".encode()
    user, plus, detail = local.partition("+")
    wanted = [("all", f"{local}@{domain}"), ("localpart", local), ("domain", domain), ("user", user)]
    for part, value in wanted + ([("detail", detail)] if plus else []):
        assert holds(f'address :comparator "i;octet" :{part} "from" {quoted(value)}', message, "subaddress")
        assert not holds(f'address :comparator "i;octet" :{part} "from" {quoted(value + "x")}', message, "subaddress")
    if not plus:
        assert not holds('address :contains :detail "from" ""', message, "subaddress")
