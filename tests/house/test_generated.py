"""What is generated from the code is current."""

from sievemda import configload
from tests.house.generate import CATALOGUE, README, REFERENCE, capability_table, catalogue, readme


def test_the_reference_configuration_is_current():
    assert configload.reference() == REFERENCE.read_text(), "run `make reference`"


def test_the_table_of_capabilities_is_current():
    assert "| `fileinto` | RFC 5228" in capability_table()
    assert readme() == README.read_text(), "run `make reference`"


def test_the_catalogue_of_modules_is_current():
    assert catalogue() == CATALOGUE.read_text(), "run `make reference`"


def test_the_readme_names_the_two_commands():
    assert "make run" in README.read_text()
    assert "make test" in README.read_text()
