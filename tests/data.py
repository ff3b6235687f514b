"""Where tests find the real data that is never copied into the repository."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"


def shared(name: str) -> Path:
    """A file of the shared data; skips the test where it is absent, fails where CI is set."""
    path = SHARED / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"../shared/data/{name} is absent although CI is set")
        pytest.skip(f"../shared/data/{name} is absent")
    return path
