"""Django is made ready before any test module imports the ledger's apps. Without Chromium the tests are skipped, and fail where CI=1."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rekindle.service.config import configure

configure()

if TYPE_CHECKING:
    from tests.browser.world import World

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[World]":
    """One browser for a module."""
    chromium()
    from tests.browser.world import opened

    with opened(tmp_path_factory.mktemp("browser")) as found:
        yield found


def chromium() -> None:
    """Skips a test, and fails it where CI=1, without Chromium."""
    if not CHROMIUM.is_file():
        if os.environ.get("CI") == "1":
            pytest.fail(f"{CHROMIUM} is absent although CI is set")
        pytest.skip(f"{CHROMIUM} is absent: apt-get install chromium")
