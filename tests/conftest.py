"""What every test runs under: examples drawn the same way each time, as two processes may draw them, and little spent on making ready."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("rekindle", derandomize=True, deadline=None, database=None)
settings.load_profile("rekindle")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes and long texts are named by their argument: gzip writes the second into its header, and workers must agree on names."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 100) else None


@pytest.fixture(scope="session", autouse=True)
def _made_ready() -> Iterator[None]:
    """Expressions are very many small objects, hardly any of them garbage: looking for it takes a quarter of the time."""
    from tests.prepared import copied
    from tests.translations import remembered

    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    with pytest.MonkeyPatch.context() as patch:
        copied(patch)
        remembered(patch)
        yield
