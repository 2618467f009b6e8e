import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import failure, hints, holds, problems

MAIL = b"""\
To: t1@example.com, t2@example.com
Cc: c1@example.com
Subject: s
To: t3@example.com
Cc: c2@example.com

"""


@pytest.mark.parametrize(
    ("index", "value"),
    [
        ("1", "c1@example.com"), ("2", "c2@example.com"), ("3", "t1@example.com, t2@example.com"),
        ("4", "t3@example.com"), ("1 :last", "t3@example.com"), ("4 :last", "c1@example.com"),
    ],
)  # fmt: skip
def test_fields_are_counted_in_the_order_of_the_list_of_names(index, value):
    assert holds(f'header :index {index} ["Cc", "To"] "{value}"', MAIL, "index")


@pytest.mark.parametrize("index", ["5", "5 :last", "4294967296"])
def test_a_number_beyond_the_last_field_picks_nothing(index):
    assert not holds(f'header :index {index} :contains ["Cc", "To"] ""', MAIL, "index")


def test_only_the_field_with_the_number_is_looked_at():
    assert not holds('header :index 1 :contains "To" "t3"', MAIL, "index")
    assert holds('header :index 2 :contains "To" "t3"', MAIL, "index")


def test_fields_are_counted_and_not_the_addresses_in_one():
    assert holds('address :index 1 "To" "t2@example.com"', MAIL, "index")
    assert holds('address :index 2 "To" "t3@example.com"', MAIL, "index")
    assert holds('address :index 1 :last :localpart "To" "t3"', MAIL, "index")


def test_what_is_counted_is_in_the_picked_field():
    assert holds('header :index 3 :count "eq" ["Cc", "To"] "1"', MAIL, "index relational")
    assert holds('address :index 3 :count "eq" ["Cc", "To"] "2"', MAIL, "index relational")


def test_last_may_stand_anywhere_among_the_tags():
    assert holds('header :last :contains :index 1 "To" "t3"', MAIL, "index")


@pytest.mark.parametrize("test", ["header", "address"])
@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        (":index 0", "cannot be zero"),
        (":last", "cannot be specified without the :index tag"),
        (":index 0 :last", "cannot be zero"),
        (":index", "expects a number"),
        (':index "1"', "expects a number, but a string"),
        (":index 1 :index 2", "duplicate"),
    ],
)
def test_wrong_use_is_refused(test, tags, problem):
    (found,) = problems(f'require "index"; if {test} {tags} "To" "x" {{ stop; }}')
    assert problem in found


def test_the_tags_need_the_capability():
    assert 'add require ["index"]' in hints('if header :index 1 "To" "x" { stop; }')[0]


def test_tests_without_fields_do_not_have_them():
    assert problems('require "index"; if exists :index 1 "To" { stop; }')


PARTS = b"""\
Content-Type: multipart/mixed; boundary=x
Content-Disposition: root

--x
Content-Type: text/plain; a=1
Content-Disposition: one

--x
Content-Type: text/plain; a=2
Content-Disposition: two

--x--
"""


@pytest.mark.parametrize(
    ("index", "value"),
    [("1", "root"), ("2", "one"), ("3", "two"), ("4", "multipart/mixed; boundary=x"), ("1 :last", "text/plain; a=2")],
)
def test_in_all_parts_the_fields_of_one_name_come_before_those_of_the_next(index, value):
    names = '["Content-Disposition", "Content-Type"]'
    assert holds(f'header :mime :anychild :index {index} {names} "{value}"', PARTS, "index mime")


LOW = Limits(matching=5_000_000)


@pytest.mark.parametrize("test", ['date :index 39999 "x" "year" "1"', 'header :index 39999 "x" "1"'])
def test_looking_through_a_flood_of_fields_is_charged_for(test):
    script = 'require ["index", "date"];' + f"if {test} {{ discard; }}\n" * 200
    assert "too much text to compare" in failure(script, b"X: x\n" * 40_000 + b"\n", limits=LOW)


def test_reading_a_flood_of_addresses_again_and_again_is_charged_for():
    script = 'require "index";' + 'if address :index 1 "to" "x" { discard; }\n' * 200
    assert "too much text to compare" in failure(script, b"To: " + b"a@b.c, " * 2_000 + b"\n\n", limits=LOW)
