"""The stores of these tests are those of the service's tests, on both databases where a module says so."""

from tests.service.conftest import ledger, pytest_generate_tests, store

__all__ = ["ledger", "pytest_generate_tests", "store"]
