import itertools
import subprocess
import sys

from sievemda.sieve import vocabulary
from sievemda.sieve.vocabulary import base_vocabulary, registry


def test_a_vocabulary_is_a_value_that_another_can_widen():
    narrow = base_vocabulary()
    wide = narrow.with_(["fileinto", "vacation-seconds"])
    assert "fileinto" not in narrow.commands
    assert {"fileinto", "vacation"} <= set(wide.commands)
    assert wide is narrow.with_(["vacation-seconds", "fileinto"])
    assert wide.with_(["fileinto"]) is wide


def test_two_extensions_have_a_word_in_common_only_where_it_is_one_meaning_or_they_exclude_each_other():
    extensions = registry().extensions.values()
    for one, other in itertools.combinations(extensions, 2):
        excluded = other.name in one.excludes or one.name in other.excludes
        for word, meaning in {**words(one), **words(other)}.items():
            both = word in words(one) and word in words(other)
            same = words(one).get(word) is meaning or issubclass(meaning, words(one).get(word, object))
            assert not both or same or excluded, f"{word} of {one.name} and {other.name}"


def words(extension):
    return {word.keyword: word for word in (*extension.commands, *extension.tests)}


def test_only_what_a_script_requires_is_imported():
    script = (
        "import sys; from sievemda.sieve import compile_script, Limits;"
        'compile_script(\'require "fileinto"; if header "a" "b" { fileinto "x"; }\', Limits());'
        "print(sorted(name.rpartition('.')[2] for name in sys.modules if name.startswith('sievemda.sieve.extensions.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "['fileinto', 'unicode_casemap']"


def test_a_module_that_is_not_in_the_catalogue_is_found(monkeypatch):
    known = dict(vocabulary.MODULES)
    del known["processcalendar"]
    monkeypatch.setattr(vocabulary, "MODULES", known)
    found = vocabulary.Registry()
    assert found.extensions["processcalendar"].name == "processcalendar"
    assert "processcalendar" in found.public - found.default
    assert len(found.extensions) == len(registry().extensions)
