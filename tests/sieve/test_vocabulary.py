import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from sievemda.sieve import capabilities, extensions
from sievemda.sieve.vocabulary import base_vocabulary, registry

GOLDEN = Path(__file__).parents[1] / "golden" / "capabilities.txt"
MODULES = sorted(module.name for module in pkgutil.iter_modules(extensions.__path__))


def test_the_advertised_capabilities_are_those_of_the_golden_list():
    assert list(capabilities()) == GOLDEN.read_text().split()


@pytest.mark.parametrize("name", MODULES)
def test_every_extension_is_complete(name):
    """A docstring that cites its RFC, the constant, and a mirrored test."""
    module = importlib.import_module(f"sievemda.sieve.extensions.{name}")
    assert re.search(r"RFC \d{4}", module.__doc__)
    assert module.EXTENSIONS
    assert all(re.match(r"RFC \d{4}( §[\d.]+)?$", extension.rfc) for extension in module.EXTENSIONS)
    assert (Path(__file__).parent / "extensions" / f"test_{name}.py").is_file()


def test_a_vocabulary_is_a_value_that_another_can_widen():
    narrow = base_vocabulary()
    wide = narrow.with_(["fileinto", "vacation-seconds"])
    assert "fileinto" not in narrow.commands
    assert {"fileinto", "vacation"} <= set(wide.commands)
    assert wide is narrow.with_(["vacation-seconds", "fileinto"])
    assert wide.with_(["fileinto"]) is wide


def test_no_two_extensions_claim_the_same_word():
    seen = {}
    for extension in registry().extensions.values():
        for word in (*extension.commands, *extension.tests):
            assert seen.setdefault(word.keyword, extension.name) == extension.name
