import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.store.spelling import decode_utf7, encode_utf7, from_disk, in_utf8, to_disk

# What Dovecot 2.3.19 with the listescape plugin calls these folders on disk.
DOVECOT = [
    (("Lists",), ".Lists"),
    (("Lists", "Sub"), ".Lists.Sub"),
    (("a.b",), ".a\\2eb"),
    (("a&b",), ".a&-b"),
    (("Ünï",), ".&ANw-n&AO8-"),
    (("x~y",), ".x~y"),
    (("~z",), ".\\7ez"),
    (("q", "~z"), ".q.\\7ez"),
    (("back\\slash",), ".back\\5cslash"),
    (("a^b",), ".a^b"),
    (("a:b",), ".a:b"),
    (("x", ".y"), ".x.\\2ey"),
    (("tail.",), ".tail\\2e"),
    (("a/b",), ".a\\2fb"),
]


@pytest.mark.parametrize(("path", "name"), DOVECOT)
def test_a_folder_is_called_on_disk_what_dovecot_calls_it(path, name):
    assert to_disk(path) == name
    assert from_disk(name) == path


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "..",
        "cur",
        ".a..b",
        ".a.",
        "..a",
        ".a\\2Eb",
        ".a\\b",
        ".&AGE-",
        ".&AAo-",
        ".&2D0-",
        ".~z",
    ],
)
def test_a_directory_that_no_name_would_be_written_as_is_no_folder(name):
    assert from_disk(name) is None


@pytest.mark.parametrize("name", [".ä", ".Büro & Co.Übersicht", ".R&D", ".&AN", ".&-&", ".日本"])
def test_a_directory_that_courier_has_made_is_a_folder(name):
    path = from_disk(name)
    assert path == tuple(name[1:].split("."))
    assert in_utf8(path) == name


@pytest.mark.parametrize("name", [".~ä", ".ä.~z", ".ä\\2e", ".ä..b", ".\udcff", ".ä\n"])
def test_a_directory_that_only_looks_like_one_of_courier_is_no_folder(name):
    assert from_disk(name) is None


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", ""),
        ("&", "&-"),
        ("a&b", "a&-b"),
        ("é", "&AOk-"),
        ("日本語", "&ZeVnLIqe-"),
        ("😀", "&2D3eAA-"),
        ("a b", "a b"),
    ],
)
def test_names_are_encoded_as_rfc_3501_says(text, encoded):
    assert encode_utf7(text) == encoded
    assert decode_utf7(encoded) == text


@pytest.mark.parametrize("bad", ["&", "&AOk", "&AOk-&AOk-", "&AGE-", "&!!!!-", "é", "&A-", "&2D0-", "&AOk=-"])
def test_what_is_not_modified_utf_7_is_not_decoded(bad):
    assert decode_utf7(bad) is None


@given(st.text(max_size=40).filter(lambda text: not any(0xD800 <= ord(c) <= 0xDFFF for c in text)))
def test_every_text_survives_modified_utf_7(text):
    encoded = encode_utf7(text)
    assert encoded.isascii()
    assert decode_utf7(encoded) == text


@given(st.text(max_size=60))
def test_reading_any_directory_name_ends_in_a_folder_or_none(name):
    path = from_disk(name)
    assert path is None or to_disk(path) == name
