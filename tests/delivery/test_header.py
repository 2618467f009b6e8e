"""What a header must be like, and what is done to it."""

import contextlib
import time

import pytest

from sievemda.delivery.header import Refused, accept


def accepted(raw: bytes, *, munge=True, reject=False, utf8=False):
    return accept(raw, munge8bit=munge, reject8bit=reject, utf8=utf8)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: x\n",
        b"Subject: x",
        b"Subject:x\n folded\n\tagain\n \n",
        b"Subject \t: blanks before the colon\n",
        b"X!#$%&'*+-.^_`|~: odd name\n",
        b"Subject:\n",
        b"From : me\n",
    ],
)
def test_a_header_of_fields_is_accepted_as_it_is(raw):
    assert accepted(raw).text == (raw if not raw or raw.endswith(b"\n") else raw + b"\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"no colon\n",
        b"Subject: x\nno colon\n",
        b" folded first\n",
        b": no name\n",
        b"two words: x\n",
        b"Subj\xc3\xa9ct: x\n",
        b">From me Mon\nSubject: x\n",
        b"Subject: x\nFrom me Mon Jan  1\n",
    ],
)
def test_a_line_that_is_no_field_is_refused(raw):
    with pytest.raises(Refused, match="malformed"):
        accepted(raw, munge=False)


def test_the_line_of_an_mbox_goes():
    assert accepted(b"From me@x Mon Jan  1 00:00:00 2026\nSubject: x\n").text == b"Subject: x\n"


def test_every_return_path_goes_with_its_folds():
    raw = b"Return-Path: <a@b>\nSubject: x\nRETURN-path:\n <c@d>\n\t(folded)\nReturn-Path-Not: y\n"
    assert accepted(raw).text == b"Subject: x\nReturn-Path-Not: y\n"


@pytest.mark.parametrize("value", [b"", b" ", b"\t ", b"\n  \n\t"])
def test_an_empty_message_id_is_refused(value):
    with pytest.raises(Refused, match="Message-ID"):
        accepted(b"Message-ID:" + value + b"\nSubject: x\n")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Message-ID: <a@b>\n", "<a@b>"),
        (b"message-id:<a@b> \t\n", "<a@b>"),
        (b"Message-Id:\n <a@b>\n", "<a@b>"),
        (b"Message-ID: <a@b>\nMessage-ID: <c@d>\n", "<a@b>"),
        (b"X-Message-ID: <a@b>\n", None),
        (b"Subject: x\n Message-ID: <a@b>\n", None),
        (b"Resent-Message-ID: <a@b>\n", None),
    ],
)
def test_the_message_id_is_unfolded_and_trimmed(raw, expected):
    assert accepted(raw).message_id == expected


def test_a_header_without_a_date_says_so():
    assert accepted(b"Subject: x\n").date is None
    assert accepted(b"Date:  Sat, 21 Nov\n 2026 \n").date == "Sat, 21 Nov 2026"


def test_hops_are_received_fields():
    assert accepted(b"Received: a\nX: y\nRECEIVED : b\n Received: folded\nX-Received: c\n").hops == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, b"Subject: aXXb\n"),
        ({"munge": False}, b"Subject: a\xc3\xa4b\n"),
        ({"utf8": True}, b"Subject: a\xc3\xa4b\n"),
        ({"utf8": True, "reject": True}, b"Subject: a\xc3\xa4b\n"),
    ],
)
def test_eight_bit_octets_follow_the_settings(options, expected):
    assert accepted(b"Subject: a\xc3\xa4b\n", **options).text == expected


def test_an_eight_bit_field_name_is_munged_before_the_line_is_judged():
    assert accepted("S\u00fcbject: a\n".encode()).text == b"SXXbject: a\n"


def test_reject8bit_wins_over_munge8bit():
    with pytest.raises(Refused, match="8-bit"):
        accepted(b"Subject: \xc3\xa4\n", munge=True, reject=True)


def test_under_smtputf8_only_lines_that_are_no_utf8_are_munged():
    assert accepted(b"A: \xc3\xa4\nB: \xff\n", utf8=True).text == b"A: \xc3\xa4\nB: X\n"


@pytest.mark.parametrize(
    "raw", [b"A:\n" * 300_000, b"A: " + b"x" * 1_000_000, b"A:" + b"\n " * 400_000 + b"\n", b"a" * 1_000_000]
)
def test_a_header_of_a_megabyte_takes_no_long_time(raw):
    started = time.thread_time()  # what it computes, however long others do meanwhile
    with contextlib.suppress(Refused):
        accepted(raw)
    assert time.thread_time() - started < 20  # where time goes with the square, these take hours
