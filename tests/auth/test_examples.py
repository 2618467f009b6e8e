"""The examples in conf/auth."""

from pathlib import Path

import pytest

from sievemda import configload
from sievemda.auth.chain import users_of

PLACE = Path(__file__).parents[2] / "conf" / "auth"


@pytest.mark.parametrize("file", sorted(PLACE.glob("*.toml")), ids=lambda file: file.name)
def test_an_example_can_be_taken_as_it_is(tmp_path, file):
    settings = configload.load(file, tmp_path)
    assert file.stem in {*settings.auth.auth_backends, "postgresql"}
    users_of(settings)


def test_the_service_that_pam_is_asked_for_is_the_one_in_the_example(tmp_path):
    settings = configload.load(PLACE / "pam.toml", tmp_path)
    assert (PLACE / "pam.d" / settings.auth.auth_pam_service).is_file()
