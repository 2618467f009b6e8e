import pytest

from sievemda.auth.names import canonical_user
from sievemda.config import Site
from sievemda.errors import DataError


@pytest.mark.parametrize(
    ("name", "userid"),
    [
        ("alice", "alice"),
        ("Alice", "alice"),
        ("alice@example.org", "alice"),
        ("alice@EXAMPLE.org", "alice"),
        ("alice@other.example", "alice@other.example"),
        ("betty.boop", "betty.boop"),
        ("I\u00adX", "ix"),  # RFC 4013 §3: the soft hyphen is mapped to nothing
        ("\u2168", "ix"),  # compatibility form of the roman numeral
        ("jürgen", "jürgen"),
        ("alice@Bücher.example", "alice@xn--bcher-kva.example"),
    ],
)
def test_one_user_has_one_name(name, userid):
    assert canonical_user(name, Site(defaultdomain="example.org")) == userid


def test_letters_stay_as_they_are_where_the_site_says_so():
    assert canonical_user("Alice", Site(username_tolower=False)) == "Alice"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a\0b",
        "a\nb",
        "a/b",
        "../x",
        ".",
        "..",
        "alice@..",
        "@example.org",
        "x" * 256,
        "\udcff",
        "\u0627\u0031",
        "\U0001f600",
        "x\u04c0",  # whose small form is not in Unicode 3.2, and would be no name any more
    ],
)
def test_what_cannot_be_a_user_is_refused(name):
    with pytest.raises(DataError):
        canonical_user(name, Site(defaultdomain="example.org"))


@pytest.mark.parametrize("first", [0, 0x1000, 0x2000, 0xF000, 0x10000])
def test_the_name_of_a_user_is_one_for_ever(first):
    """Whoever has been recognised is asked for again by the name that was found."""
    site = Site(defaultdomain="example.org")
    for letter in map(chr, range(first, first + 0x1000)):
        try:
            userid = canonical_user(f"x{letter}", site)
        except DataError:
            continue
        assert canonical_user(userid, site) == userid
