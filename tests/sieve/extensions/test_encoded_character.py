import pytest

from tests.sieve.trying import actions, holds, problems


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("$${hex:40}", "$@"), ("${hex: 40 }", "@"), ("${HEX: 40}", "@"), ("${hex:4${hex:30}}", "${hex:40}"),
        ("${unicode:40}", "@"), ("${UNICODE:40}", "@"), ("${UnICoDE:0000040}", "@"), ("${Unicode:40}", "@"),
        ("${hex:c3 a9}", "é"), ("${hex:c3}${hex:a9}", "é"), ("${unicode:e9}", "é"), ("${unicode:1F4EC}", "📬"),
        ("${unicode:40 41\t42}", "@AB"), ("${hex:40\r\n41}", "@A"), ("${hex:40\n41}", "@A"),
    ],
)  # fmt: skip
def test_an_encoded_character_is_replaced(text, meaning):
    script = f'require ["encoded-character", "fileinto"]; fileinto "{text}";'
    assert actions(script)[0]["mailbox"] == meaning


@pytest.mark.parametrize(
    "text", ["${hex:40", "${hex:400}", "${ unicode:40}", "${Unicode:Cool}", "${hex:}", "${hex:4g}"]
)
def test_what_is_not_well_formed_stays_as_it_is(text):
    assert actions(f'require ["encoded-character", "fileinto"]; fileinto "{text}";')[0]["mailbox"] == text


@pytest.mark.parametrize("text", ["${unicode:200000}", "${Unicode:DF01}", "${unicode:40 110000}"])
def test_a_number_that_is_no_character_is_an_error(text):
    (problem,) = problems(f'require "encoded-character"; redirect "{text}";')
    assert problem.startswith("1:39: error: no Unicode character has the number")


def test_the_example_of_the_rfc():
    assert holds('header :contains "Subject" "$${hex:24 24}"', b"Subject: $$$ money\n\n", require="encoded-character")


def test_nothing_is_replaced_without_the_require():
    assert actions('require "fileinto"; fileinto "${hex:40}";')[0]["mailbox"] == "${hex:40}"


def test_an_encoded_reference_to_a_variable_is_filled_in():
    script = 'require ["encoded-character", "variables", "fileinto"]; set "name" "Ethelbert";'
    assert actions(script + 'fileinto "dear${hex:20 24 7b 4e}ame}";')[0]["mailbox"] == "dear Ethelbert"


def test_nul_is_an_octet_like_others():
    script = (
        'require ["encoded-character", "fileinto"]; if header :contains "subject" "a${hex:00}b" { fileinto "nul"; }'
    )
    assert actions(script, b"Subject: a=?us-ascii?q?x?= =?us-ascii?q?a=00b?=\n\n")[0]["mailbox"] == "nul"
