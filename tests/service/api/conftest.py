"""Every test of the API may ask it."""

from tests.service.api.asking import ask

__all__ = ["ask"]
