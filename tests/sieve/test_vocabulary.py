import itertools

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
