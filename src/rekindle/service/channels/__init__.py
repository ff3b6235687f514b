"""The channels, a folder each; `open_sender` finds the one that a store has chosen for a way of reaching people."""

from importlib import import_module

from rekindle.deliver.channel import Channel
from rekindle.errors import BadData
from rekindle.settings import Senders, Settings

SENDERS = {
    "folder": "rekindle.service.channels.folder.channel",
    "inapp": "rekindle.service.channels.inapp.channel",
    "mailbox": "rekindle.service.channels.mailbox.channel",
    "provider": "rekindle.service.channels.provider.channel",
    "smtp": "rekindle.service.channels.smtp.channel",
    "sms": "rekindle.service.channels.sms.channel",
    "webhook": "rekindle.service.channels.webhook.channel",
    "webpush": "rekindle.service.channels.webpush.channel",
}
"""Name, as `[senders]` of rekindle.toml has it, to the module whose `open_channel(settings)` opens it and whose `CHANNELS` it serves."""


def open_senders(settings: Settings) -> dict[str, Channel]:
    """What hands messages over, by channel; the channels that the store does not use are left out."""
    opened = {channel: open_sender(settings, channel) for channel in Senders.model_fields}
    return {channel: sender for channel, sender in opened.items() if sender is not None}


def open_sender(settings: Settings, channel: str) -> Channel | None:
    """What hands messages of a channel over.

    Args:
        settings: The store's.
        channel: email, sms, webpush, inapp or webhook.

    Returns:
        None where the store has none for it.

    Raises:
        BadData: There is no sender of the name that the settings give, or it does not serve the channel, or lacks a setting.
    """
    name: str = getattr(settings.senders, channel)
    if not name:
        return None
    if name not in SENDERS:
        raise BadData(f"rekindle.toml: senders.{channel}: there is no sender '{name}'", f"Write one of {', '.join(sorted(SENDERS))}.")
    module = import_module(SENDERS[name])
    if channel not in module.CHANNELS:
        raise BadData(f"rekindle.toml: senders.{channel}: '{name}' serves {', '.join(module.CHANNELS)}", "Write another sender there.")
    opened: Channel = module.open_channel(settings)
    return opened
