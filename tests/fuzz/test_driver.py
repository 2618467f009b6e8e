"""What `make fuzz` does around the engine."""

import subprocess
import sys

import pytest

from tests.fuzz import __main__ as driver
from tests.fuzz import targets


def test_the_dictionary_is_written_as_the_engine_reads_it(tmp_path):
    lines = driver._dictionary("message", tmp_path / "words").read_text().splitlines()
    assert '"\\x0aFrom: "' in lines
    assert all(line.isascii() and line.startswith('"') and line.endswith('"') for line in lines)


@pytest.mark.parametrize("name", targets.NAMES)
def test_every_target_has_words(name):
    assert len(set(targets.load(name).words())) > 20


def test_what_was_slow_and_is_not_any_more_is_no_finding(tmp_path):
    file = tmp_path / "timeout-1"
    file.write_bytes(b"Rabc")
    assert not driver._is_finding("wire", file)
    assert not file.exists()


def test_any_other_finding_stays_one(tmp_path):
    file = tmp_path / "crash-1"
    file.write_bytes(b"Rabc")
    assert driver._is_finding("wire", file)
    assert file.exists()


def test_findings_are_told_and_end_in_an_exit_code(tmp_path, capsys):
    assert driver._report([("wire", 5, []), ("script", 0, [tmp_path / "crash-1"])]) == 1
    assert f"script --replay {tmp_path / 'crash-1'}" in capsys.readouterr().out
    assert driver._report([("wire", 5, [])]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"), [(["nothing"], "no target 'nothing'"), (["--replay", "x"], "one target")]
)
def test_wrong_uses_are_told(arguments, told):
    done = subprocess.run([sys.executable, "-m", "tests.fuzz", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr
