"""Which providers of mail there are, and what differs between them.

Knows nothing of messages and events. What each provider takes is from its documentation and from Anymail's, 2026-11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from rekindle.errors import BadData
from rekindle.settings import Settings, secret

_BASIC = "webhook_secret"
_OWN = ("Message-ID", "<{}>")
_SECRET_FORMS = ("env:", "file:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Esp:
    """One provider.

    Args:
        view: What reads its webhook, Anymail's view of it; empty where there is none.
        signed: The option that its webhook is checked by: its own signature's key, or `user:password` where it signs nothing.
        hard: Where its webhook says that an address is at fault for good: the way to a value, and the values that say so.
        metadata: Whether it gives a message's metadata back, and with it our token.
        tracking: Whether its counting of opens and clicks can be switched off message by message.
        own_id: The headers by which it keeps our Message-ID, `{}` in place of that; the others write their own.
        request_key: The header of the request that it takes an idempotency key by.
        message_key: The header of the message that it does by, as a UUID.
    """

    view: str = ""
    signed: str = _BASIC
    hard: tuple[tuple[tuple[str, ...], frozenset[object]], ...] = ()
    metadata: bool = True
    tracking: bool = False
    own_id: tuple[tuple[str, str], ...] = ()
    request_key: tuple[str, ...] = ()
    message_key: tuple[str, ...] = ()


def _at(*way: str, says: tuple[object, ...]) -> tuple[tuple[str, ...], frozenset[object]]:
    return way, frozenset(says)


ESPS: Mapping[str, Esp] = {
    "brevo": Esp(
        view="anymail.webhooks.brevo.BrevoTrackingWebhookView", hard=(_at("event", says=("hard_bounce", "invalid_email")),),
        message_key=("idempotencyKey",),
    ),
    "mailersend": Esp(
        view="anymail.webhooks.mailersend.MailerSendTrackingWebhookView", signed="signing_secret",
        hard=(_at("data", "type", says=("hard_bounced",)),), metadata=False, tracking=True,
    ),
    "mailgun": Esp(
        view="anymail.webhooks.mailgun.MailgunTrackingWebhookView", signed="webhook_signing_key", tracking=True, own_id=(_OWN,),
        hard=(_at("event-data", "reason", says=("bounce", "suppress-bounce")),),
    ),
    "mailjet": Esp(view="anymail.webhooks.mailjet.MailjetTrackingWebhookView", hard=(_at("hard_bounce", says=(True,)),), tracking=True),
    "mailtrap": Esp(
        view="anymail.webhooks.mailtrap.MailtrapTrackingWebhookView", signed="signing_secret", hard=(_at("event", says=("bounce",)),),
    ),
    "mandrill": Esp(
        view="anymail.webhooks.mandrill.MandrillCombinedWebhookView", signed="webhook_key",
        hard=(_at("event", says=("hard_bounce",)),), tracking=True,
    ),
    "postal": Esp(
        view="anymail.webhooks.postal.PostalTrackingWebhookView", signed="webhook_key",
        hard=(_at("payload", "status", says=("HardFail",)),), metadata=False,
    ),
    "postmark": Esp(
        view="anymail.webhooks.postmark.PostmarkTrackingWebhookView", tracking=True, own_id=(_OWN, ("X-PM-KeepID", "true")),
        hard=(_at("Type", says=("HardBounce", "BadEmailAddress")), _at("SuppressionReason", says=("HardBounce",))),
    ),
    "resend": Esp(
        view="rekindle.service.channels.provider.resend.Resend", signed="signing_secret",
        hard=(_at("data", "bounce", "type", says=("Permanent",)),), request_key=("Idempotency-Key",),
    ),
    "scaleway": Esp(),
    "sparkpost": Esp(
        view="anymail.webhooks.sparkpost.SparkPostTrackingWebhookView", tracking=True,
        hard=(_at("msys", "message_event", "bounce_class", says=("10", "30")),),
    ),
    "unisender_go": Esp(
        view="anymail.webhooks.unisender_go.UnisenderGoTrackingWebhookView", signed="api_key",
        hard=(_at("status", says=("hard_bounced",)),), tracking=True,
    ),
}  # fmt: skip
"""Name, as `provider.esp` of rekindle.toml has it, to what differs. Amazon SES is reached by `smtp`."""


def chosen(settings: Settings) -> Esp:
    """The provider that a store has chosen.

    Raises:
        BadData: None, or one that is not known.
    """
    name = settings.provider.esp
    if name not in ESPS:
        raise BadData(f"rekindle.toml: provider.esp: there is no provider '{name}'", f"Write one of {', '.join(sorted(ESPS))}.")
    return ESPS[name]


def revealed(settings: Settings, which: str) -> dict[str, Any]:
    """Options with what `env:NAME` and `file:PATH` point at in their place.

    Args:
        settings: The store's.
        which: `options` or `webhook`.

    Raises:
        BadData: Nothing is there.
    """
    options: Mapping[str, str | int | bool] = getattr(settings.provider, which)
    root = settings.root
    return {
        name: secret(str(value), root, f"provider.{which}.{name}") if str(value).startswith(_SECRET_FORMS) else value
        for name, value in options.items()
    }


def backend_of(name: str) -> type[Any]:
    """Anymail's backend for a provider."""
    found: type[Any] = import_module(f"anymail.backends.{name}").EmailBackend
    return found


def view_of(settings: Settings) -> Any:  # noqa: ANN401  Anymail has no types
    """Anymail's view that checks and reads a provider's webhook.

    Raises:
        BadData: The provider has none, or nothing says how its webhook is checked.
    """
    esp, options = chosen(settings), settings.provider.webhook
    if not esp.view:
        raise BadData(f"{settings.provider.esp} tells nothing of messages", "Read bounces from a mailbox: rekindle events MAILBOX")
    if esp.signed not in options or set(options) - {esp.signed, _BASIC, "webhook_url"}:
        raise BadData(
            f"rekindle.toml: provider.webhook: nothing says how {settings.provider.esp}'s webhook is checked",
            f'Write provider.webhook = {{{esp.signed} = "env:NAME"}}; docs/channels/provider.md says what it is.',
        )
    module, _, name = esp.view.rpartition(".")
    try:
        return getattr(import_module(module), name)(**revealed(settings, "webhook"))
    except (ImproperlyConfigured, ValueError) as error:
        raise BadData(f"rekindle.toml: provider.webhook: {error}", "docs/channels/provider.md says what it needs.") from error
