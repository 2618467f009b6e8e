"""The built wheel works by itself: the grammar travels inside it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "site")
    return out / "site"


def run(installed, *arguments):
    # outside the source tree, with the unpacked wheel in front of everything
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=installed.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_the_package_is_typed_and_carries_its_grammar(installed):
    assert (installed / "sievemda" / "py.typed").exists()
    assert (installed / "sievemda" / "grammar" / "sieve.lark").exists()


def test_a_script_is_checked_with_the_grammar_of_the_wheel(installed, tmp_path):
    script = tmp_path / "a.sieve"
    script.write_text('require "fileinto"; fileinto "x";')
    where = run(installed, "-c", "import sievemda; print(sievemda.__file__)")
    assert where.stdout.startswith(str(installed))
    checked = run(installed, "-m", "sievemda", "sieve", "check", str(script))
    assert checked.returncode == 0, checked.stderr
