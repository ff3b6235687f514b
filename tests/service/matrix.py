"""Who may ask what: one row for every address and the methods that it has. An address without a row fails its test.

A new page needs one line in `ROWS`; a new kind of token one more in `TOKENS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from rekindle import moment
from rekindle.deliver.links import Claim, sign
from rekindle.deliver.short_links import Link, shorten
from rekindle.service.config import load_ring
from rekindle.service.flow.copying import place
from rekindle.service.links.actions import number_of
from rekindle.service.outbox.models import SENT, Touch
from rekindle.service.people import actions as people
from rekindle.service.privacy.models import ACCESS, Receipt
from rekindle.settings import Settings
from tests.service.touches import plan

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANYONE = "anyone"
"""Nothing is asked of who comes."""

SIGNED = "signed"
"""Only a provider's signature opens it."""

CUSTOMER, RECEIPT = "ada", "0" * 32
"""Whom and what rows with an own answer are about; `make_known` makes both."""


@dataclass(frozen=True, slots=True)
class Row:
    """One address.

    Args:
        methods: That it has, parted by spaces; every other is answered 405.
        route: As the resolver has it; in place of what stands in <> the test asks for a token, or for `about`.
        opens: ANYONE, SIGNED, `link:` and the purpose of the keys that its tokens are made with, or `key:` and a scope.
        status: The answer to who may, to a request without a body; of the first method, then of the second and so on.
        query: What must stand behind the address.
        about: What is asked about, of `make_known` where it is there.
    """

    methods: str
    route: str
    opens: str
    status: tuple[int, ...] = (200,)
    query: str = ""
    about: str = "x"

    def answer(self, method: str) -> int:
        """The status that whoever may is answered with."""
        statuses = dict(zip(self.methods.split(), self.status * len(self.methods.split()), strict=False))
        return statuses.get(method, 405)


ROWS = (
    Row("GET", "", ANYONE, (302,)),
    Row("GET", "console", ANYONE, (302,)),
    Row("GET", "assets/public.css", ANYONE),
    Row("GET", "assets/brand.css", ANYONE),
    Row("GET", "c/<str:token>", "link:clicks", (302,)),
    Row("GET POST", "u/<str:token>", "link:unsubscribe", (200, 400)),
    Row("GET POST", "preferences/<str:token>", "link:preferences", (200, 400)),
    Row("GET POST", "enter/<str:token>", "link:messages", (200, 303)),
    Row("GET", "for/<str:token>", "link:messages"),
    Row("GET", "known/<str:token>", "link:preferences"),
    Row("GET POST", "confirm/<str:token>", "link:confirm"),
    Row("GET", "view/<str:token>", "link:messages"),
    Row("GET", "why/<str:token>", "link:messages"),
    Row("GET POST", "answer/<str:token>", "link:messages", (200, 400)),
    Row("GET POST", "rate/<str:token>", "link:messages", (200, 400)),
    Row("GET POST", "review/<str:token>", "link:messages", (200, 400)),
    Row("POST", "webhooks/mail", SIGNED),
    Row("POST", "webhooks/sms", SIGNED),
    Row("POST", "webhooks/shopify/privacy", SIGNED),
    Row("GET POST", "data/<str:token>", "link:preferences"),
    Row("POST", "v1/privacy/data-requests", "key:privacy", (422,)),
    Row("POST", "v1/privacy/erasures", "key:privacy", (422,)),
    Row("GET", "v1/privacy/receipts/<number>", "key:privacy", about=RECEIPT),
    Row("GET", "v1/privacy/receipts/<number>/copy", "key:privacy", about=RECEIPT),
    Row("GET", "v1/landing", "key:landing", query=f"?customer={CUSTOMER}"),
    Row("GET", "v1/openapi.json", ANYONE),
    Row("GET", "v1/answers", "key:answers", query="?question=why"),
    Row("GET", "v1/customers/<customer>/brief", "key:brief", about=CUSTOMER),
    Row("POST", "v1/decisions", "key:decisions", (422,)),
    Row("POST", "v1/handover", "key:handover", (422,)),
    Row("GET", "v1/inapp", "key:inapp", query=f"?customer={CUSTOMER}"),
    Row("POST", "v1/inapp/<message>/seen", "key:inapp", (404,)),
    Row("POST", "v1/inapp/<message>/dismiss", "key:inapp", (404,)),
    Row("POST", "v1/coupons/<code>/validate", "key:coupons", (422,)),
    Row("POST", "v1/coupons/<code>/redeem", "key:coupons", (422,)),
    Row("POST", "v1/coupons/<code>/rollback", "key:coupons", (422,)),
    Row("GET PUT", "v1/preferences", "key:preferences", (200, 422), f"?customer={CUSTOMER}"),
    Row("GET", "v1/webpush/key", "key:webpush"),
    Row("POST", "v1/webpush/subscriptions", "key:webpush", (422,)),
    Row("POST", "v1/webpush/unsubscribe", "key:webpush", (422,)),
    Row("GET POST PUT PATCH DELETE", "v1/<path:rest>", ANYONE, (404,)),
    Row("GET POST PUT PATCH DELETE", "v1/", ANYONE, (404,)),
)


def make_known(store: Settings) -> None:
    """A customer who was sent advertising and has a copy of their data."""
    _message(store, CUSTOMER)
    Receipt.objects.create(number=RECEIPT, kind=ACCESS, source="api", customer_id=CUSTOMER, asked_at=moment.now())
    copy = place(store.var, RECEIPT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text("{}")


def _click(store: Settings, customer: str) -> str:
    return shorten(load_ring(store.var, "clicks"), Link(len(customer), number_of("https://shop.example/")))


def _message(store: Settings, customer: str) -> str:
    if not Touch.objects.filter(customer_id=customer).exists():
        plan([customer], name=customer)
        Touch.objects.filter(customer_id=customer).update(status=SENT, settled_at=moment.now())
    return shorten(load_ring(store.var, "messages"), Link(Touch.objects.get(customer_id=customer).pk, 0))


def _opt_in(store: Settings, customer: str) -> str:
    people.record_contacts(pa.Table.from_pylist([{"customer_id": customer, "email": f"{customer}@people.example"}]), moment.now())
    asked = people.ask_to_confirm(customer, "email", moment.now(), "form", "opt-in-1")
    assert asked is not None
    return sign(load_ring(store.var, "confirm"), Claim(asked.number, "email-opt-in"))


def _claim(purpose: str) -> Callable[[Settings, str], str]:
    return lambda store, customer: sign(load_ring(store.var, purpose), Claim(customer, "email-marketing"))


TOKENS: dict[str, Callable[[Settings, str], str]] = {
    "clicks": _click,
    "messages": _message,
    "confirm": _opt_in,
    "unsubscribe": _claim("unsubscribe"),
    "preferences": _claim("preferences"),
}
"""Purpose to what makes a customer's token of it."""
