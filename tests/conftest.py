"""What every test runs under: examples drawn the same way each time, as two processes may draw them."""

from hypothesis import settings

settings.register_profile("rekindle", derandomize=True, deadline=None, database=None)
settings.load_profile("rekindle")
