import re

import pytest

from sievemda.lmtp.replies import MAX_LINE, MAX_LINES, is_accepted, reply, with_name
from sievemda.mail.result import Receipt, Result


@pytest.mark.parametrize("result", Result)
def test_every_result_has_a_reply_of_the_right_form(result):
    lines = reply(Receipt(result, "why"), "s1").decode().split("\r\n")
    codes = {re.match(r"([245])\d\d[- ](\1\.\d+\.\d+) ", line).groups() for line in lines}
    assert len(codes) == 1  # every line carries the same enhanced code, of the class of its code
    assert [line[3] for line in lines] == ["-"] * (len(lines) - 1) + [" "]


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result.DELIVERED, "250 2.1.5"),
        (Result.NO_SUCH_USER, "550 5.1.1"),
        (Result.NO_SUCH_MAILBOX, "550 5.1.1"),
        (Result.NOT_PERMITTED, "550 5.7.1"),
        (Result.OVER_QUOTA, "452 4.2.2"),
        (Result.OVER_QUOTA_PERMANENT, "552 5.2.2"),
        (Result.USER_DENIED, "451 4.2.1"),
        (Result.MAILBOX_BROKEN, "451 4.2.0"),
        (Result.REJECTED, "550 5.7.1"),
        (Result.LOOP, "554 5.4.6"),
        (Result.CONTENT_REFUSED, "554 5.6.0"),
        (Result.TOO_LARGE, "552 5.2.3"),
        (Result.DISK_FULL, "451 4.3.1"),
        (Result.SPOOL_FULL, "451 4.3.1"),
        (Result.SPOOL_TROUBLE, "451 4.3.2"),
        (Result.MEMORY_TROUBLE, "451 4.3.0"),
        (Result.TROUBLE, "451 4.3.0"),
    ],
)
def test_code_of(result, code):
    assert reply(Receipt(result)).decode().split("\r\n")[-1].startswith(code)


def test_only_a_delivery_and_an_accepted_recipient_are_2xx():
    assert {result for result in Result if is_accepted(Receipt(result))} == {Result.ACCEPTED, Result.DELIVERED}


def test_a_reason_is_shown_for_refusals_only():
    assert b"secret" not in reply(Receipt(Result.TROUBLE, "secret"), "s1")
    assert b"because" in reply(Receipt(Result.CONTENT_REFUSED, "because"), "s1")


def test_a_reason_cannot_smuggle_a_reply():
    text = reply(Receipt(Result.REJECTED, "no\r\n250 2.0.0 Ok\rx\x85y\x00\x1b[1m"), utf8=True).decode()
    assert all(line.startswith("550") for line in text.split("\r\n"))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text.replace("\r\n", ""))


def test_a_long_reason_is_cut_into_lines_between_characters():
    lines = reply(Receipt(Result.REJECTED, "ü" * 2000), utf8=True).split(b"\r\n")
    assert all(len(line) + 2 <= MAX_LINE for line in lines)
    assert "".join(line[10:].decode() for line in lines) == "ü" * 2000


def test_an_endless_reason_ends():
    assert reply(Receipt(Result.REJECTED, "a\n" * 10_000)).count(b"\r\n") + 1 == MAX_LINES


@pytest.mark.parametrize("reason", ["", "\n", " \r\n "])
def test_a_rejection_without_words_has_some(reason):
    assert reply(Receipt(Result.REJECTED, reason)) == b"550 5.7.1 Rejected"


def test_a_named_parameter_is_cleaned_and_cut():
    assert with_name(b"555 5.5.4 ", "X\r\nY" + "ü" * 100) == b"555 5.5.4 X??Y" + b"?" * 36
