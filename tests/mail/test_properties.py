"""Values of mail for any input: what is written is read as what it was, and as the standard library reads it."""

import re
from datetime import datetime, timedelta, timezone
from email.header import Header, decode_header, make_header
from email.message import Message as StandardMessage
from email.utils import collapse_rfc2231_value, format_datetime
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sievemda.mail.address import Address, parse_address
from sievemda.mail.addresslist import address_list, mailboxes, sieve_address
from sievemda.mail.compose import field, mailbox, one_line
from sievemda.mail.dates import moment, read_date
from sievemda.mail.header import decode, decode_words
from sievemda.mail.parameters import structured
from sievemda.mail.xtext import to_xtext, xtext

LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)
WORDS = st.lists(LETTERS.filter(bool), min_size=1, max_size=8).map(" ".join)


def value_of(octets):
    """The field that was written, read."""
    return decode(octets.split(b":", 1)[1].removesuffix(b"\n"))


# -- encoded words -------------------------------------------------------------------------------------------------


@given(WORDS)
def test_a_field_that_was_written_reads_as_its_text(text):
    assume("=?" not in text)
    assert value_of(field("Subject", text)) == one_line(text)


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_whatever_is_written_is_one_field_of_short_lines(text):
    lines = field("Subject", text).split(b"\n")
    assert lines[-1] == b""
    assert lines[0].startswith(b"Subject:")
    assert all(line.startswith(b" ") for line in lines[1:-1])
    assert all(len(line) <= 998 and (len(line) <= 78 or b" " not in line.strip()[9:]) for line in lines)


CHARSETS = {"utf-8": "aé漢😀", "iso-8859-1": "aéÿ", "koi8-r": "aщЯ", "iso-2022-jp": "a漢字", "us-ascii": "ab"}


@pytest.mark.parametrize("name", CHARSETS)
@given(data=st.data(), length=st.integers(30, 100))
def test_what_the_standard_library_encodes_is_decoded(name, data, length):
    alphabet = st.sampled_from(CHARSETS[name] + "_=?")
    words = data.draw(st.lists(st.text(alphabet, min_size=1, max_size=30), min_size=1, max_size=5))
    text = " ".join(words)
    assume("=?" not in text)
    encoded = Header(text, name, maxlinelen=length, header_name="Subject").encode()
    assert decode(encoded.encode("ascii")) == text


PLAIN = st.text("ab.,=_", min_size=1, max_size=6)
ENCODED = st.builds(
    lambda text, charset, how: Header(text, charset).encode() if how else f"=?{charset}?Q?{text}?=",
    st.text("xyz", min_size=1, max_size=6), st.sampled_from(["utf-8", "iso-8859-1", "UTF-8"]), st.booleans(),
)  # fmt: skip


@given(st.lists(st.one_of(PLAIN, ENCODED), min_size=1, max_size=8).map(" ".join))
def test_words_and_encoded_words_in_a_row_read_as_the_standard_library_reads_them(text):
    assert decode_words(text) == str(make_header(decode_header(text)))


@given(
    st.lists(st.text("aü€😀", min_size=1, max_size=4), min_size=1, max_size=5),
    st.sampled_from([" ", "\t", "\n  ", " \n "]),
)
def test_blanks_between_encoded_words_are_no_part_of_the_text(texts, gap):
    words = [f"=?utf-8?q?{''.join(f'={octet:02X}' for octet in text.encode())}?=" for text in texts]
    assert decode(gap.join(words).encode()) == "".join(texts)


@given(st.text("aü€😀", min_size=1, max_size=10), st.data())
def test_characters_that_were_cut_in_two_by_encoded_words_are_whole_again(text, data):
    octets = text.encode()
    at = data.draw(st.integers(0, len(octets)))
    first, second = ("".join(f"={octet:02X}" for octet in part) for part in (octets[:at], octets[at:]))
    assert decode_words(f"=?utf-8?q?{first}?= =?UTF-8?Q?{second}?=") == text


BROKEN = [
    "=?utf-8?x?a?=", "=?nonesuch?q?a?=", "=?utf-8?q?a", "=?utf-8?q", "=?utf-8?b?a?=", "=?utf-8??a?=", "?=", "=?",
    "=??q?a?=", "=?utf-8?q?a?", "=?idna?q?a?=", "=?utf-8*?q?a?=",
]  # fmt: skip


@given(st.lists(st.sampled_from([*BROKEN, "a", "ü"]), max_size=6).map(" ".join))
def test_what_is_no_encoded_word_stays_as_it_is(text):
    assert decode_words(text) == text


@given(
    st.lists(
        st.sampled_from([*BROKEN, "=?utf-8?q?=C3?=", "=?utf-8?b?w7w=?=", " ", "_", "=C3", "ü", "\udcff"]), max_size=8
    )
)
def test_any_pieces_of_encoded_words_give_a_text_that_has_octets(pieces):
    decode_words("".join(pieces)).encode("utf-8", "surrogateescape")


# -- addresses -----------------------------------------------------------------------------------------------------

LOCALS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f", min_codepoint=32), max_size=30)
DOMAINS = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4).map(
    ".".join
)
ADDRESSES = st.builds(Address, LOCALS, DOMAINS)
ASCII = st.builds(
    Address, st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20), DOMAINS
)


@given(ADDRESSES)
def test_an_address_that_was_written_reads_as_itself(address):
    assert parse_address(str(address)) == address


@given(st.lists(st.tuples(WORDS, ASCII), min_size=1, max_size=5))
def test_a_list_of_mailboxes_that_was_written_reads_as_itself(boxes):
    text = ", ".join(mailbox(phrase, address) for phrase, address in boxes)
    assert address_list(text) == tuple(address for _, address in boxes)


@given(WORDS.filter(str.isascii), ASCII)
def test_a_mailbox_that_was_written_is_one_for_scripts_too(phrase, address):
    found = sieve_address(mailbox(phrase, address))
    assert found == address
    ((named, _),) = mailboxes(mailbox(phrase, address))
    assert named.replace('"', "").replace("\\", "") == one_line(phrase).replace('"', "").replace("\\", "")


ATOMS = st.from_regex(r"[a-z!#$%&'*+/=?^_`{|}~-]{1,8}(\.[a-z0-9]{1,4})?", fullmatch=True)
SIMPLE = st.builds("{}@{}".format, ATOMS, DOMAINS)
FORMS = st.sampled_from(["{}", "<{}>", "Kim <{}>", '"a, b" <{}>', "A B <{}>", "{} (a comment, with a comma)"])


@given(st.lists(st.tuples(FORMS, SIMPLE), min_size=1, max_size=5), st.sampled_from([",", ", ", " ,\n "]))
def test_lists_of_ordinary_addresses_are_read_with_nothing_missing_and_nothing_more(boxes, comma):
    text = comma.join(form.format(address) for form, address in boxes)
    assert [str(address) for address in address_list(text)] == [address for _, address in boxes]


@given(st.text('a@b.c<>,;:"\\()[] \n', max_size=30))
def test_any_characters_of_addresses_give_addresses_that_can_be_written(text):
    for address in address_list(text):
        assert parse_address(str(address)) == address


@given(st.text(min_size=1, max_size=30).filter(lambda text: not re.search("[\ud800-\udfff]", text)))
def test_an_xtext_that_was_written_reads_as_itself(text):
    assert xtext(to_xtext(text)) == text


# -- parameters ----------------------------------------------------------------------------------------------------

VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\u2028\u2029"), min_size=1, max_size=40
)


def quoted(text):
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


@given(VALUES)
def test_a_parameter_in_quotes_reads_as_its_value(value):
    assume("=?" not in value)
    assert structured(f"a; name={quoted(value)}; other=1".encode()).get("name") == value


@given(VALUES, st.sampled_from(["utf-8", "UTF-8", "utf-16-be"]), st.sampled_from(["", "en"]))
def test_a_parameter_in_a_charset_reads_as_its_value_and_as_the_standard_library_reads_it(value, charset, language):
    text = f"attachment; name*={charset}'{language}'{quote(value.encode(charset), safe='')}"
    assert structured(text.encode()).get("name") == value
    message = StandardMessage()
    message["Content-Disposition"] = text
    assert collapse_rfc2231_value(message.get_param("name", header="content-disposition")) == value


@given(VALUES, st.lists(st.integers(0, 40), max_size=4), st.randoms(use_true_random=False))
def test_a_parameter_in_pieces_reads_as_its_value_in_whatever_order_they_come(value, cuts, random):
    octets = value.encode()
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    pieces = []
    for number, (start, end) in enumerate(pairwise(places)):
        charset = "utf-8''" if number == 0 else ""
        pieces.append(f"name*{number}*={charset}{quote(octets[start:end], safe='')}")
    random.shuffle(pieces)
    assert structured("; ".join(["attachment", *pieces]).encode()).get("name") == value


@given(st.binary(max_size=80))
def test_any_octets_as_a_structured_field_give_values_that_have_octets(octets):
    for name, value in structured(octets.replace(b"\n", b"\n ")).parameters:
        assert name == name.lower()
        value.encode("utf-8", "surrogateescape")


# -- dates ---------------------------------------------------------------------------------------------------------

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)
FIRST, LAST = datetime(1900, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 - as clocks show them
TIMES = st.datetimes(FIRST, LAST).map(lambda when: when.replace(microsecond=0))


@given(TIMES, OFFSETS)
def test_a_date_field_that_the_standard_library_writes_is_read(when, offset):
    written = when.replace(tzinfo=timezone(timedelta(minutes=offset)))
    found = read_date(format_datetime(written))
    assert (found.shown, found.offset) == (when, offset)
    assert found.std11 == format_datetime(written)


@given(TIMES, OFFSETS, OFFSETS)
def test_a_moment_on_another_clock_is_the_same_moment(when, offset, other):
    written = when.replace(tzinfo=timezone(timedelta(minutes=offset)))
    there = moment(written).at(other)
    expected = written.astimezone(timezone(timedelta(minutes=other)))
    assert (there.shown, there.offset) == (expected.replace(tzinfo=None), other)
    assert there.at(offset) == moment(written)


@given(st.text("0123456789 :+-,;()JanFebMOST\\", max_size=40))
def test_any_characters_of_dates_are_a_date_of_the_calendar_or_none(text):
    found = read_date(text)
    if found is not None:
        assert read_date(found.std11) == found
