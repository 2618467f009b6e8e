import logging
import os
import queue

import pytest

from sievemda import logs
from sievemda.logs import Output, Sparing, setup, words


def test_fields_are_words_in_their_order_and_empty_ones_are_left_out():
    assert words(b="2", a=1, none=None, empty="", zero=0) == "b=2 a=1 zero=0"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("<a@b>", "<a@b>"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "x" \\', r'"say \"x\" \\"'),
        ("a\nINFO forged", '"a?INFO forged"'),
        ("a\x85b\u2028c\x1b[1m\ud800", '"a?b?c?[1m?"'),
        ("ü", '"ü"'),
    ],
)
def test_no_value_can_pose_as_another_field_or_line(value, written):
    assert words(key=value) == f"key={written}"


def test_a_value_without_end_is_cut():
    assert len(words(key="x" * 10_000)) < 600


@pytest.fixture
def output():
    """(a logger, the reading end of its pipe)."""
    reading, writing = os.pipe()
    handler = Output(writing)
    log = logging.getLogger("tests.pipe")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield log, reading
    log.removeHandler(handler)
    for descriptor in {reading, writing, handler._descriptor}:
        os.close(descriptor)


def test_a_line_is_written(output):
    log, reading = output
    log.info("event %s", words(a=1))
    assert os.read(reading, 100) == b"event a=1\n"


def test_a_reader_that_has_stopped_stops_nothing_and_learns_what_it_missed(output, monkeypatch):
    monkeypatch.setattr(logs, "_PATIENCE", 0.01)
    log, reading = output
    for _ in range(1000):
        log.info("x" * 200)
    os.read(reading, 1 << 20)
    log.info("again")
    assert os.read(reading, 1 << 20).decode().startswith("again\nlog lines lost before: ")
    log.info("and on")
    assert os.read(reading, 100) == b"and on\n"


def test_the_pipe_stays_blocking_for_others():
    reading, writing = os.pipe()
    handler = Output(writing)
    assert os.get_blocking(writing)
    assert not os.get_blocking(handler._descriptor)
    for descriptor in {reading, writing, handler._descriptor}:
        os.close(descriptor)


def test_a_record_that_cannot_be_formatted_is_written_as_it_is(output):
    log, reading = output
    log.handlers[0].handle(logging.LogRecord("x", logging.INFO, "f", 1, "%d", ("no number",), None))
    assert os.read(reading, 100) == b"INFO '%d'\n"


def test_a_reader_that_is_gone_is_no_error():
    reading, writing = os.pipe()
    handler = Output(writing)
    os.close(reading)
    handler.handle(logging.LogRecord("x", logging.INFO, "f", 1, "text", (), None))
    for descriptor in {writing, handler._descriptor}:
        os.close(descriptor)


def test_the_log_goes_to_standard_error_with_time_level_and_process(capfd):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        setup()
        logging.getLogger("sievemda.x").info("event %s", words(a=1))
        assert capfd.readouterr().err.rstrip().endswith("] event a=1")
    finally:
        root.handlers[:], root.level = before


def test_what_comes_as_often_as_somebody_likes_is_one_line_and_a_number():
    lines = queue.Queue()
    tell = Sparing(lambda text, *values: lines.put(text % values), seconds=0.5)
    for number in range(100):
        tell("lmtp: too many: rhost=%s", number)
    assert lines.get(timeout=60) == "lmtp: too many: rhost=0"
    assert lines.get(timeout=60) == "lmtp: ... and 99 more in the last 0.5 s"
    tell("lmtp: too many: rhost=%s", "later")
    assert lines.get(timeout=60) == "lmtp: too many: rhost=later"
    assert lines.empty()
