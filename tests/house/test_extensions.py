"""Each extension is complete in itself: a file that cites its RFC, its constant, its test, its line in the golden list."""

import importlib
import re
from pathlib import Path

import pytest

from sievemda.sieve import capabilities

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(p.stem for p in (ROOT / "sievemda" / "sieve" / "extensions").glob("*.py") if p.stem != "__init__")


@pytest.mark.parametrize("name", MODULES)
def test_an_extension_is_complete(name):
    module = importlib.import_module(f"sievemda.sieve.extensions.{name}")
    assert re.search(r"RFC \d{4}|draft-", module.__doc__), "the docstring cites what defines it"
    assert module.EXTENSIONS
    assert all(extension.rfc for extension in module.EXTENSIONS)
    assert (ROOT / "tests" / "sieve" / "extensions" / f"test_{name}.py").exists()


def test_the_golden_list_is_what_is_advertised():
    assert (ROOT / "tests" / "golden" / "capabilities.txt").read_text().split() == list(capabilities())
