import pytest

from sievemda.mail.flags import canonical, distinct, is_settable, words


@pytest.mark.parametrize("flag", ["\\Seen", "\\SEEN", "\\draft", "$Junk", "a-b.c/d", "NonJunk", "x[1", "`"])
def test_a_flag_that_can_be_set(flag):
    assert is_settable(flag)


@pytest.mark.parametrize(
    "flag",
    [
        "",
        "\\Recent",
        "\\*",
        "\\nonsense",
        "a b",
        "a(b",
        "a)b",
        "a{b",
        "a%b",
        "a*b",
        'a"b',
        "a\\b",
        "a]",
        "ü",
        "a\x7f",
        "a\n",
    ],
)
def test_what_is_no_flag(flag):
    assert not is_settable(flag)


def test_flags_are_words_each_once_in_proper_spelling():
    assert words(["a  b", "", " c "]) == ["a", "b", "c"]
    assert distinct(["a", "B", "A", "b"]) == ("a", "B")
    assert canonical(["\\seen", "x", "\\SEEN", "\\Recent", "X"]) == ("\\Seen", "x")
