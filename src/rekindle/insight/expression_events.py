"""Which events a rule may ask for, what can be added up of each, and where history holds it.

Knows nothing of rules, nor of how a table is read.

Names are those of the Segment v2 specification. What a shop sells, sends back and hears in reviews has tables of its own, and is asked
for by its Segment name all the same; two names that Segment does not have, `Ticket Opened` and `Message Sent`, name the rest.
"""

from dataclasses import dataclass
from typing import Literal

Place = Literal["events", "orders", "lines", "returns", "reviews", "tickets", "touches"]


@dataclass(frozen=True, slots=True)
class EventSource:
    """Where one kind of event is held.

    Args:
        place: The table; orders' lines are asked where a product or a category is.
        numbers: What `sum` may add up of it; money in minor units.
        of_product: Whether it is about a product, so that `product` and `category` may narrow it down.
        of_line: Numbers that order lines hold, and not the order as a whole.
    """

    place: Place
    numbers: tuple[str, ...] = ()
    of_product: bool = False
    of_line: tuple[str, ...] = ()


_BROWSING = ("Product Clicked", "Product Viewed", "Product Shared", "Product Unavailable")
_WISHES = ("Product Added to Wishlist", "Product Removed from Wishlist", "Wishlist Product Added to Cart")
_CART = ("Product Added", "Product Removed")
_WITHOUT_PRODUCT = (
    "Products Searched", "Product List Viewed", "Product List Filtered", "Promotion Viewed", "Promotion Clicked", "Cart Viewed",
    "Cart Shared", "Checkout Started", "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered", "Coupon Entered",
    "Coupon Applied", "Coupon Denied", "Coupon Removed", "Signed Up", "Signed In", "Signed Out", "Email Delivered", "Email Opened",
    "Email Link Clicked", "Email Marked as Spam", "Unsubscribed", "Push Notification Received", "Push Notification Tapped", "Link Clicked",
    "Link Scanned", "Email Bounced", "Email Prefetched", "Coupon Redeemed", "Coupon Rolled Back",
)  # fmt: skip

EVENTS: dict[str, EventSource] = {
    "Order Completed": EventSource("orders", ("net", "discount", "shipping", "tax"), of_product=True, of_line=("amount", "quantity")),
    "Order Refunded": EventSource("returns", ("amount", "quantity"), of_product=True),
    "Product Reviewed": EventSource("reviews", ("rating",), of_product=True),
    "Ticket Opened": EventSource("tickets"),
    "Message Sent": EventSource("touches"),
    **{name: EventSource("events", of_product=True) for name in (*_BROWSING, *_WISHES, *_CART)},
    **{name: EventSource("events") for name in _WITHOUT_PRODUCT},
}
"""Event name to where it is held."""
