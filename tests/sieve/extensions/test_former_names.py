"""Capabilities under the names that they had before RFC 7352, RFC 9671 and the snooze draft."""

import pytest

from sievemda.sieve import capabilities
from tests.sieve.trying import problems


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("vnd.dovecot.duplicate", "if duplicate { discard; }"),
        ("vnd.cyrus.imip", "processcalendar;"),
        ("vnd.cyrus.snooze", 'snooze "08:00:00";'),
        ("x-cyrus-snooze", 'snooze "08:00:00";'),
    ],
)
def test_an_old_name_brings_the_words_of_today(name, script):
    assert problems(f'require "{name}"; {script}') == []
    assert name not in capabilities()
