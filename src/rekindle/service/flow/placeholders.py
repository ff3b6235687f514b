"""Settings that still say what the example says, which no customer may read: an address that nobody has, links that lead nowhere.

Knows nothing of messages. Where nothing leaves this machine the examples do no harm.
"""

from collections.abc import Iterator

from rekindle.deliver.templates import PLACEHOLDER_ADDRESS
from rekindle.errors import Refused
from rekindle.program.checking import Finding
from rekindle.service.flow.plan_approving import leaving
from rekindle.service.flow.setting_lines import line_for
from rekindle.settings import FILE_NAME, Brand, Sender, Settings

_REMEDY = "Write the real one."


def warnings(settings: Settings) -> tuple[str, ...]:
    """What `check` says of them where nothing leaves this machine."""
    return () if leaving(settings) else tuple(f"{said}: write the real one" for said in _left(settings))


def examined(settings: Settings) -> tuple[Finding, ...]:
    """What `check` says of them where messages do."""
    if not leaving(settings):
        return ()
    return tuple(_finding(settings, said) for said in _left(settings))


def refuse(settings: Settings) -> None:
    """Lets no message leave this machine that would state an example.

    Raises:
        Refused: Names the settings.
    """
    if leaving(settings) and (said := tuple(_left(settings))):
        raise Refused(f"{FILE_NAME}: {'; '.join(said)}", f"Write the real ones in {FILE_NAME}; see all with: rekindle check")


def _finding(settings: Settings, said: str) -> Finding:
    return Finding(FILE_NAME, line_for(settings, said, said.partition(" ")[0]), "placeholder", said, _REMEDY, "error")


def _left(settings: Settings) -> Iterator[str]:
    """A sentence for each setting that is as it was before anybody wrote it."""
    address = settings.sender.postal_address.strip()
    if not address:
        yield "sender.postal_address is empty, and no marketing mail is rendered without it"
    held = {
        "sender.postal_address": (address, PLACEHOLDER_ADDRESS),
        "sender.email": (settings.sender.email.lower(), Sender().email),
        "brand.url": (settings.brand.url.rstrip("/"), Brand().url),
        "public_url": (settings.public_url.rstrip("/"), str(Settings.model_fields["public_url"].default)),
    }
    yield from (f"{name} is still the example" for name, (now, example) in held.items() if now == example)
