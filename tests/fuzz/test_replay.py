"""What was kept of fuzzing, and what it once found, through the same functions; atheris is not needed for that."""

import random

import pytest

from tests.fuzz import targets


def kept():
    for name in targets.NAMES:
        for folder in (targets.corpus(name), targets.regressions(name)):
            for file in sorted(folder.iterdir() if folder.is_dir() else ()):
                yield pytest.param(name, file, id=f"{name}-{folder.name}-{file.name[:60]}")


@pytest.mark.parametrize(("name", "file"), list(kept()))
def test_what_was_kept_holds(name, file):
    targets.load(name).check(file.read_bytes())


@pytest.mark.parametrize("name", targets.NAMES)
def test_a_target_has_a_corpus_and_words(name):
    assert sum(file.stat().st_size for file in targets.corpus(name).iterdir()) < 400_000
    assert all(isinstance(word, bytes) for word in targets.load(name).words())


@pytest.mark.parametrize("name", [name for name in targets.NAMES if targets.load(name).mutate])
def test_what_a_target_makes_of_its_corpus_holds(name):
    target, chance = targets.load(name), random.Random(name)
    corpus = [file.read_bytes() for file in sorted(targets.corpus(name).iterdir())]
    made = {target.mutate(chance.choice(corpus), chance) for _ in range(40)}
    assert len(made) > 20
    for data in made:
        target.check(data[: target.longest])


@pytest.mark.parametrize("name", targets.NAMES)
def test_a_target_sees_what_is_wrong(name, monkeypatch):
    """A target whose function is broken on purpose says so of some input that was kept."""
    target, (where, broken) = targets.load(name), BROKEN[name]
    monkeypatch.setattr(where, broken)
    with pytest.raises(Exception):  # noqa: B017 - whatever it is, it is a finding
        for file in sorted(targets.corpus(name).iterdir()):
            target.check(file.read_bytes())


BROKEN = {
    "script": ("tests.fuzz.targets.script.diagnose", lambda *_: ["a fault that is none"]),
    "message": ("tests.fuzz.targets.message.with_field", lambda message, *_, **__: message),
    "svtest": ("sievemda.sieve.testing.runner.run_file", lambda *_: None),
    "pattern": ("tests.fuzz.targets.pattern._slowly", lambda *_: False),
    "calendar": ("tests.fuzz.targets.calendar.write", lambda *_: b"rubbish"),
    "wire": ("tests.fuzz.targets.wire.encode_utf7", lambda text: text + "&"),
}
