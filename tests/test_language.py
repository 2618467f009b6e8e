"""What a site sets for single extensions reaches the language."""

import pytest

from sievemda import configload
from sievemda.errors import ConfigurationError
from sievemda.language import language_limits
from sievemda.sieve.verdicts import SPAM, VIRUS, Source


def options(tmp_path, *sets):
    return language_limits(configload.load(data=tmp_path, sets=sets)).options


def test_without_settings_the_defaults_hold(tmp_path):
    found = options(tmp_path)
    assert (found.header_size, found.forbid_add, found.forbid_delete) == (2048, frozenset(), frozenset())
    assert (found.spam, found.virus) == (SPAM, VIRUS)


def test_fields_are_forbidden_whatever_their_spelling(tmp_path):
    found = options(tmp_path, "sieve_editheader_forbid_add=X-Spam X-Virus", "sieve_editheader_forbid_delete=X-Trace")
    assert found.forbid_add == {"x-spam", "x-virus"}
    assert found.forbid_delete == {"x-trace"}


def test_a_score_is_where_the_site_says(tmp_path):
    (scale,) = options(
        tmp_path, "sieve_spamtest_status_header=X-Rate: is ([0-9]+)", "sieve_spamtest_score_max_value=20"
    ).spam
    assert (scale.source, scale.kind, scale.most) == (Source("X-Rate", "is ([0-9]+)"), "score", 20)


def test_texts_are_given_with_their_values(tmp_path):
    (scale,) = options(
        tmp_path, "sieve_virustest_status_header=X-V", "sieve_virustest_status_type=text",
        "sieve_virustest_text_value=1=Clean 5=Infected",
    ).virus  # fmt: skip
    assert scale.texts == (("Clean", 1), ("Infected", 5))


def test_a_filter_can_be_disbelieved(tmp_path):
    assert options(tmp_path, "sieve_spamtest_status_header=none").spam == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sieve_editheader_max_header_size=1000", "at least 1024"),
        ("sieve_spamtest_status_header=X: (", "sieve_spamtest_.*invalid regular expression"),
        ("sieve_virustest_text_value=Clean", "sieve_virustest_text_value: not VALUE=TEXT"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, given, said):
    with pytest.raises(ConfigurationError, match=said):
        options(tmp_path, given)
