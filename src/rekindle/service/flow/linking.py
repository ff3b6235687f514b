"""The links of one message: to the shop, to stop, to choose, to the pages about itself, and one that only a machine follows.

Knows nothing of templates. A link to the shop says which message it stood in and where it leads, by numbers that mean nothing outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from rekindle.deliver.links import Claim, Ring, sign
from rekindle.deliver.short_links import TRAP, Link, shorten
from rekindle.service.config import load_ring
from rekindle.service.links.actions import number_of
from rekindle.service.outbox.models import Touch
from rekindle.settings import Settings

SOURCE = "rekindle"
CLICKS = "clicks"
"""The purpose of the keys that links to the shop are made with."""

MESSAGES = "messages"
"""The purpose of the keys that links to the pages about one message are made with."""


class About(TypedDict):
    """Links to the pages about one message, by the names of facts."""

    view_url: str
    why_url: str
    answer_url: str
    rate_url: str
    review_url: str
    for_url: str


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes the links of a store's messages.

    Args:
        public_url: Where customers reach the store's pages, without a slash at its end.
        unsubscribe: Keys of links to stop.
        preferences: Keys of links to choose.
        clicks: Keys of links to the shop.
        messages: Keys of links to the pages about one message.
        numbers: Destinations that were numbered before, by what `campaign` makes them of.
    """

    public_url: str
    unsubscribe: Ring
    preferences: Ring
    clicks: Ring
    messages: Ring
    numbers: dict[tuple[str, str, str, str], int] = field(default_factory=dict)

    def own(self, customer_id: str, channel: str) -> tuple[str, str]:
        """A customer's own links: to stop, and to choose.

        Args:
            customer_id: Whose they are.
            channel: What the link to stop stops.
        """
        claim = Claim(customer_id, f"{channel}-marketing")
        stop, choose = sign(self.unsubscribe, claim), sign(self.preferences, claim)
        return f"{self.public_url}/u/{stop}", f"{self.public_url}/preferences/{choose}"

    def known(self, customer_id: str, channel: str) -> str:
        """A customer's link to what the shop knows and sent; whoever may choose may read that."""
        return f"{self.public_url}/known/{sign(self.preferences, Claim(customer_id, f'{channel}-marketing'))}"

    def tracked(self, shop_url: str, touch: Touch) -> tuple[str, str]:
        """Links that say which message they stood in: to the shop, and the hidden one, which is empty in news of an order.

        Args:
            shop_url: Where the first leads.
            touch: What becomes the message.
        """
        shop = shorten(self.clicks, Link(touch.id, self.number(shop_url, touch)))
        trap = "" if touch.service else f"{self.public_url}/c/{shorten(self.clicks, Link(touch.id, TRAP))}"
        return f"{self.public_url}/c/{shop}", trap

    def number(self, shop_url: str, touch: Touch) -> int:
        """The number of where a message's link to the shop leads: the ledger is asked once for all messages of a variant.

        Args:
            shop_url: Where it leads, without what tells the shop's statistics.
            touch: What becomes the message.
        """
        way = shop_url, touch.channel, touch.program, f"{touch.stage}.{touch.arm}"
        if way not in self.numbers:
            self.numbers[way] = number_of(campaign(*way))
        return self.numbers[way]

    def about(self, touch: Touch) -> About:
        """Links to the pages about one message; whoever holds the message may open all of them."""
        token, url = shorten(self.messages, Link(touch.id, 0)), self.public_url
        return {
            "view_url": f"{url}/view/{token}", "why_url": f"{url}/why/{token}", "answer_url": f"{url}/answer/{token}",
            "rate_url": f"{url}/rate/{token}", "review_url": f"{url}/review/{token}", "for_url": f"{url}/for/{token}",
        }  # fmt: skip


def open_linker(settings: Settings) -> Linker:
    """The linker of a store; its keys are made at their first use."""
    stop, choose, clicks, messages = (load_ring(settings.var, purpose) for purpose in ("unsubscribe", "preferences", CLICKS, MESSAGES))
    return Linker(settings.public_url.rstrip("/"), stop, choose, clicks, messages)


def example(settings: Settings) -> str:
    """A link to the shop that leads nowhere, as long as those of messages."""
    return f"{settings.public_url.rstrip('/')}/c/{shorten(Ring('', 'a', {'a': bytes(32)}), Link(0, 0))}"


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


def cart_link(template: str, items: Sequence[str], code: str) -> str:
    """The shop's address at which a cart stands again with its offer.

    Args:
        template: With `{items}`, and `{code}` where the shop takes one.
        items: The shop's ids of products.
        code: Of the offer; empty for none.

    >>> cart_link("https://shop.example/cart?add={items}&code={code}", ["a 1", "b&c"], "7K2M")
    'https://shop.example/cart?add=a%201,b%26c&code=7K2M'
    """
    listed = ",".join(quote(item, safe="") for item in items)
    return template.replace("{items}", listed).replace("{code}", quote(code, safe=""))
