"""Resend's webhook, checked by our own reading of Standard Webhooks: Anymail would want another library for it.

Knows nothing of what is told.
"""

from typing import Any

from anymail.webhooks.resend import ResendTrackingWebhookView
from django.http import HttpRequest

from rekindle import moment
from rekindle.service.channels.standard_webhooks import key_of, verify

_NAMES = ("id", "timestamp", "signature")


class Resend(ResendTrackingWebhookView):  # type: ignore[misc]  # Anymail has no types
    """Anymail's view, but for the signature.

    Args:
        signing_secret: Resend's, `whsec_...`.
    """

    def __init__(self, signing_secret: str) -> None:
        super().__init__(webhook_secret=signing_secret)
        self._key = key_of(signing_secret)

    def run_validators(self, request: HttpRequest) -> None:
        """Checks the signature. Source: docs.svix.com, verifying payloads manually, 2026-11: Standard Webhooks under other names.

        Raises:
            Refused: It is not Resend's, or not of now.
        """
        named: dict[str, Any] = {f"webhook-{name}": request.headers.get(f"svix-{name}", "") for name in _NAMES}
        verify(self._key, named, request.body, moment.now())
