import pytest

from sievemda.sieve import capabilities
from tests.sieve.trying import hints, outcome


@pytest.mark.parametrize("name", ["vnd.cyrus.log", "x-cyrus-log"])
def test_a_line_is_written_to_the_log(name):
    found = outcome(f'require ["{name}", "variables"]; set "a" "b"; log "${{a}} c";')
    assert [note.text for note in found.notes] == ["b c"]
    assert found.implicit_keep


def test_the_old_name_is_not_advertised():
    assert "vnd.cyrus.log" in capabilities()
    assert "x-cyrus-log" not in capabilities()


def test_it_needs_its_capability():
    assert "vnd.cyrus.log" in hints('log "x";')[0]
