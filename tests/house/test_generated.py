"""What is generated from the code is current."""

from pathlib import Path

from sievemda import configload

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_configuration_is_current():
    assert (ROOT / "conf" / "sievemda.toml").read_text() == configload.reference(), "run `make reference`"


def test_the_readme_names_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    assert "make run" in readme
    assert "make test" in readme
