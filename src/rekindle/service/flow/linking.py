"""The links of one message: to the shop, to stop, to choose, and one that only a machine follows.

Knows nothing of templates. A link to the shop says which message it stood in and where it leads, by numbers that mean nothing outside.
"""

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rekindle.deliver.facts import Facts
from rekindle.deliver.links import Claim, Ring, sign
from rekindle.deliver.short_links import TRAP, Link, shorten
from rekindle.service.config import load_ring
from rekindle.service.links.actions import number_of
from rekindle.settings import Settings

SOURCE = "rekindle"
CLICKS = "clicks"
"""The purpose of the keys that links to the shop are made with."""


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes the links of a store's messages.

    Args:
        public_url: Where customers reach the store's pages, without a slash at its end.
        unsubscribe: Keys of links to stop.
        preferences: Keys of links to choose.
        clicks: Keys of links to the shop.
        numbers: Destinations that were numbered before, by address.
    """

    public_url: str
    unsubscribe: Ring
    preferences: Ring
    clicks: Ring
    numbers: dict[str, int] = field(default_factory=dict)

    def personal(self, facts: Facts, customer_id: str, channel: str) -> Facts:
        """The facts with a customer's own links to stop and to choose.

        Args:
            facts: Of a message.
            customer_id: Whose they are.
            channel: What the link to stop stops.
        """
        claim = Claim(customer_id, f"{channel}-marketing")
        stop, choose = sign(self.unsubscribe, claim), sign(self.preferences, claim)
        return replace(facts, unsubscribe_url=f"{self.public_url}/u/{stop}", preferences_url=f"{self.public_url}/preferences/{choose}")

    def tracked(self, facts: Facts, touch: int, channel: str) -> Facts:
        """The facts with links to the shop that say which message they stood in; news of an order has no hidden one.

        Args:
            facts: Of a message; its shop's address is where they lead.
            touch: The touch's number in the ledger.
            channel: By which the message goes.
        """
        url = campaign(facts.shop_url, channel, facts.program, f"{facts.stage}.{facts.arm}")
        if url not in self.numbers:
            self.numbers[url] = number_of(url)
        shop = shorten(self.clicks, Link(touch, self.numbers[url]))
        trap = "" if facts.service else f"{self.public_url}/c/{shorten(self.clicks, Link(touch, TRAP))}"
        return replace(facts, shop_url=f"{self.public_url}/c/{shop}", trap_url=trap)


def open_linker(settings: Settings) -> Linker:
    """The linker of a store; its keys are made at their first use."""
    rings = (load_ring(settings.var, purpose) for purpose in ("unsubscribe", "preferences", CLICKS))
    return Linker(settings.public_url.rstrip("/"), *rings)


def campaign(url: str, medium: str, program: str, content: str) -> str:
    """An address with what tells the shop's own statistics where a visitor came from; what stands there already is kept.

    >>> campaign("https://shop.example/new?ref=7#top", "email", "win-back", "tailor.credit")
    'https://shop.example/new?ref=7&utm_source=rekindle&utm_medium=email&utm_campaign=win-back&utm_content=tailor.credit#top'
    """
    parts = urlsplit(url)
    held = parse_qsl(parts.query, keep_blank_values=True)
    ours = {"utm_source": SOURCE, "utm_medium": medium, "utm_campaign": program, "utm_content": content}
    added = [(name, value) for name, value in ours.items() if name not in dict(held)]
    return urlunsplit(parts._replace(query=urlencode([*held, *added])))
