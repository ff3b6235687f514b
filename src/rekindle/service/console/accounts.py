"""How operators sign in: by an address and a password, and by a second factor where they see people or let something go.

Knows nothing of what they may do. Wrong passwords are counted by the address that was typed and the network that it came from together (256
addresses of IPv4, 48 bits of IPv6), so that a stranger on another network shuts nobody out; by the browser's own address (64 bits of IPv6)
whatever was typed; and by the address that was typed alone, where guesses of many networks wait longer and longer, but not in a browser in
which that operator has signed in before. Wrong codes, which take the right password first, are counted by operator.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from math import ceil
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from rekindle import moment
from rekindle.service.config.keys import load_secret
from rekindle.service.config.often import address_of, network_of
from rekindle.service.config.web import store_in_use
from rekindle.service.console import backoff, devices
from rekindle.service.console.models import Operator

_LATELY = 900.0
"""Seconds."""


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Nobody signs up: operators are invited."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "slowed": "Many wrong passwords were typed for this address. Wait %d s, sign in where you have before, or ask an admin for a link."
    }
    _guess: backoff.Guess | None = None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The browser's address; allauth asks for something even where none can be told."""
        return address_of(request) or "unknown"

    def add_message(self, request: HttpRequest, level: int, *told: object, **more: object) -> None:
        """Says on the next page what went wrong; that it went well the page itself shows."""
        if level >= messages.WARNING:
            super().add_message(request, level, *told, **more)

    def is_reauthentication_required(self, *, app: str, **_: object) -> bool:
        """Who signed in lately is not asked again before changing how they do."""
        signed_in = get_authentication_records(context.request, context.request.user)
        return not signed_in or moment.now().timestamp() - float(signed_in[-1]["at"]) >= _LATELY

    def pre_authenticate(self, request: HttpRequest, **credentials: str) -> None:
        """Counts an attempt as a wrong one; refuses it where there were too many, or where it comes too soon after others."""
        super().pre_authenticate(request, **credentials)
        who = credentials.get("email", "").lower()
        device = devices.known(request, who)
        found = backoff.guess(f"device:{device}" if device else f"operator:{who}", moment.now().timestamp())
        if not isinstance(found, backoff.Guess):
            self._rollback_login_failed_rl_usage()
            raise self.validation_error("slowed", ceil(found))
        self._guess = found

    def _rollback_login_failed_rl_usage(self) -> None:
        super()._rollback_login_failed_rl_usage()
        if self._guess:
            self._guess.take_back()

    def post_login(self, request: HttpRequest, user: Operator, **how: Any) -> HttpResponse:  # noqa: ANN401  allauth's
        """Whoever has given all that they need to is known in this browser from now on."""
        answer: HttpResponse = super().post_login(request, user, **how)
        if user.has_second_factor or not user.needs_second_factor:
            devices.remember(request, answer, user.email)
        return answer

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: str) -> str:
        who = credentials.get("email", "").lower()
        return sha256(f"{network_of(request)}:{who}".encode()).hexdigest()


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """What the second factor is made from is kept under the store's own key, and carries the shop's name."""

    def get_totp_issuer(self) -> str:
        """As the app on a phone shows it."""
        return f"Rekindle {store_in_use().name}"

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """As it was given."""
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> Fernet:
    return Fernet(urlsafe_b64encode(bytes.fromhex(load_secret(store_in_use().var, "second-factors"))))
