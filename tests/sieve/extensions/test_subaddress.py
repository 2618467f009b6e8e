import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import holds

R = "envelope subaddress"


@pytest.mark.parametrize(
    ("recipient", "user", "detail"),
    [
        ("ken+mta-filters@example.org", "ken", "mta-filters"),
        ("ken@example.org", "ken", None),
        ("ken+@example.org", "ken", ""),
        ("+@example.org", "", ""),
        ("ken+a+b@example.org", "ken", "a+b"),
    ],
)
def test_user_and_detail(recipient, user, detail):
    assert holds(f'envelope :user "to" "{user}"', require=R, recipient=recipient)
    if detail is None:
        assert not holds('envelope :detail :contains "to" ""', require=R, recipient=recipient)
        assert not holds('envelope :detail "to" ""', require=R, recipient=recipient)
    else:
        assert holds(f'envelope :detail "to" "{detail}"', require=R, recipient=recipient)


def test_each_character_of_the_delimiter_separates():
    limits = Limits(recipient_delimiter="-+")
    assert holds('envelope :detail "to" "b+c"', require=R, recipient="a-b+c@x", limits=limits)


def test_header_addresses_have_these_parts_too():
    message = b"To: ken+sieve@example.org, 5551212@example.com\n\n"
    assert holds('address :detail "to" "sieve"', message, require="subaddress")
    assert holds('address :user "to" "5551212"', message, require="subaddress")
    assert not holds('address :detail :contains "to" "555"', message, require="subaddress")
