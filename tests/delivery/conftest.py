import pytest

from tests.delivery.world import World


@pytest.fixture
def make_world(tmp_path):
    """Makes worlds with settings by the last part of their names."""
    worlds = []

    def make(**changes):
        worlds.append(World(tmp_path / f"data{len(worlds)}", **changes))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world):
    return make_world()
