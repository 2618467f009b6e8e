"""Pigeonhole's sievec makes the same program of a script however it is laid out, or refuses both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sievemda.sieve.format import Style, format_script
from tests.corpus.reading import cases
from tests.interop.processes import need
from tests.interop.test_sieve_test import CONFIGURATION, KNOWN, theirs_too
from tests.sieve.generating import Dialect, Maker

SCRIPTS = sorted({case.script for case in cases() if theirs_too(case)})
THEIRS = Dialect(tuple(sorted(KNOWN - {"imapflags", "notify", "comparator-i;ascii-casemap", "comparator-i;octet"})))
_LINE = re.compile(r"^([0-9a-f]{8}:)(?: *\d+:)? *", re.MULTILINE)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory in which the user that sievec runs as may write: it refuses to run as root."""
    need("sievec", "setpriv")
    base = Path(tempfile.mkdtemp(prefix="sievemda-"))
    base.chmod(0o777)
    (base / "dovecot.conf").write_text(CONFIGURATION.format(base=base))
    yield base
    shutil.rmtree(base, ignore_errors=True)


def program(script: str, place: Path) -> str | None:
    """The program as sievec prints it, without the lines that it comes from; `None` when the script is refused."""
    (place / "s.sieve").write_text(script)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*drop, "sievec", "-c", f"{place}/dovecot.conf", "-d", f"{place}/s.sieve", "-"],
        capture_output=True, check=False, cwd=place, env={"HOME": str(place), "PATH": os.environ["PATH"]}, timeout=60,
    )  # fmt: skip
    if done.returncode:
        assert b"error" in done.stderr, done.stderr.decode()
        return None
    return _LINE.sub(r"\1", done.stdout.decode("utf-8", "replace"))


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_script_of_the_corpus_is_the_same_program_when_it_is_laid_out(script, place):
    before = program(script, place)
    assert before is not None
    assert program(format_script(script), place) == before
    assert program(format_script(script, Style(width=20, indent=2)), place) == before


@pytest.mark.parametrize("seed", range(25))
def test_a_script_made_at_random_is_the_same_program_when_it_is_laid_out(seed, place):
    maker = Maker(Random(seed), THEIRS)
    script = maker.laid_out(maker.script())
    assert program(format_script(script), place) == program(script, place)


def test_what_is_refused_is_refused_when_it_is_laid_out(place):
    for script in ('frob "a" ;', 'redirect  "a@b"  :copy;', "if true { } else { } else { }"):
        assert program(script, place) is None
        assert program(format_script(script), place) is None
