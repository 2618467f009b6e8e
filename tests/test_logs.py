import logging

import pytest

from sievemda.logs import setup, words


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


def test_the_log_goes_to_standard_error_with_time_level_and_process(capsys):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        setup()
        logging.getLogger("sievemda.x").info("event %s", words(a=1))
        assert capsys.readouterr().err.rstrip().endswith("] event a=1")
    finally:
        root.handlers[:], root.level = before
