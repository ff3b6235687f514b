import shutil

import pytest

from rekindle.simulate import simulate
from tests.simulate.worlds import CUSTOMERS, END


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A world of 2,000 customers that no test may change."""
    folder = tmp_path_factory.mktemp("marigold")
    return simulate(folder, CUSTOMERS, 24, 7, END)


@pytest.fixture
def world(made, tmp_path):
    """A store folder with a copy of that world."""
    folder = tmp_path / "store"
    shutil.copytree(made.folder, folder)
    return folder
