"""A store whose console is served, and operators of every role who are signed in."""

from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import set_script_prefix

from rekindle.service.config.web import application
from rekindle.service.console.roles import Role
from rekindle.settings import Settings
from tests.service.conftest import in_earnest
from tests.service.console.operators import ready, signed_in


@pytest.fixture
def shop(store: Settings) -> Settings:
    """A store at an address without a path, so that a test's client can follow the console's own links."""
    served = in_earnest(store).model_copy(update={"public_url": "https://marigold.example"})
    application(served)
    set_script_prefix("/")  # of a path that another test's request came by
    return served


@pytest.fixture
def enter(shop: Settings) -> Callable[..., Client]:
    """A role to a client who is signed in: `enter(Role.EDITOR)`, `enter(Role.EDITOR, privacy=True)`."""
    return lambda role=Role.ADMIN, privacy=False: signed_in(ready(role, privacy))


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password's digest is slow on purpose; a test's need not be."""
    monkeypatch.setattr(django_settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
