"""The line with which a message begins in an mbox."""

import time

import pytest

from sievemda.mail.postmark import postmark, read_postmark

AT = 1006990432.0  # 2001-11-28 23:33:52 UTC


@pytest.fixture(autouse=True)
def place(monkeypatch):
    monkeypatch.setenv("TZ", "UTC-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("date", "arrived"),
    [
        ("Thu Nov 29 02:33:52 2001", AT),
        ("Thu Nov 29 02:33 2001", AT - 52),
        ("Thu Nov 29 02:33:52 01", AT),
        ("Thu Nov 29 00:33:52 2001 +0100", AT),
        ("Thu Nov 29 00:33:52 +0100 2001", AT),
        ("Thu Nov 29 00:33:52 MET 2001", AT),
        ("Wed Nov 28 18:33:52 EST 2001 remote from nowhere", AT),
        ("Wed Nov 28 16:33:52 PDT 2001", AT),
        ("Thu, 29 Nov 2001 00:33:52 +0100", AT),
        ("29 Nov 2001 00:33:52 +0100 (CET)", AT),
        ("2001-11-29 00:33:52+01:00", AT),
        ("2001-11-28T23:33:52Z", AT),
        ("Thu Nov 29  2:33:52 2001", AT),
        ("thursday nov 29 02:33:52 2001", AT),
        ("Sat Jan  1 03:00:00 70", 0.0),
        ("Thu Nov 29 25:33:52 2001", None),
    ],
)
@pytest.mark.parametrize("sender", ["a@b.example", "-", "MAILER-DAEMON", "", '"a b"@c.example', "may@june.example"])
def test_dates_are_read_as_programs_write_them(sender, date, arrived):
    found = read_postmark(f"From {sender} {date}\n".encode())
    assert (found.sender, found.arrived) == (sender, arrived)


@pytest.mark.parametrize(
    "line",
    [
        "From here on it is easy\n",
        "From 12 to 14 we eat\n",
        "From may on, 12:30 is the time\n",
        "From: a@b\n",
        "From 29 Nov 2001 on\n",
        "From \n",
        f"From {'x' * 2000} Thu Nov 29 02:33:52 2001\n",
        ">From a Thu Nov 29 02:33:52 2001\n",
    ],
)
def test_a_sentence_is_no_postmark(line):
    assert read_postmark(line.encode()) is None


def test_what_is_written_is_utc_and_read_again():
    line = postmark("a@b.example", AT)
    assert line == b"From a@b.example Wed Nov 28 23:33:52 2001\n"
    assert read_postmark(line, utc=True).arrived == AT


@pytest.mark.parametrize("sender", ["", "a b@c", "a\nb@c", "x\udcff@c", "a\x85b@c"])
def test_what_can_be_no_address_is_not_written(sender):
    assert postmark(sender, 0) == b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"
