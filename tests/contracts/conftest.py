"""Django is made ready before any test module imports the ledger's apps."""

from rekindle.service.config import configure

configure()
