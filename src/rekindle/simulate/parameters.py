"""What the simulated marketplace is like: every number that shapes it, each with its source or the word "assumed".

Knows nothing of files and of the decisions that are tried on it. Money is in units of the store's currency, rates are per year.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of customer; all numbers assumed, chosen so that about 3 orders a customer come out over 24 months.

    Args:
        name: The glossary's persona tag, or `steady`.
        share: Of all customers.
        orders_per_year: Mean of the gamma distribution of purchase rates while alive.
        rate_shape: Shape of that distribution; smaller is more unequal.
        dropout: Mean and concentration of the beta distribution of leaving after an order.
        order_value: Median of a customer's usual order.
        sale_share: Orders placed with a sale code.
        price_lift: Factor on the response to price arms.
        service_lift: Factor on the response to arms without a price.
    """

    name: str
    share: float
    orders_per_year: float
    rate_shape: float
    dropout: tuple[float, float]
    order_value: float
    sale_share: float
    price_lift: float
    service_lift: float


@dataclass(frozen=True, slots=True)
class Category:
    """A category of products; all numbers assumed.

    Args:
        name: As the products carry it.
        share: Of customers whose favourite it is.
        rate: Factor on the purchase rate.
        regularity: Erlang shape of the gaps between orders: 1 is chance, 3 is replenishment (after CNBD-k, SCIENCE.md 2).
        price: Median price of a product.
        margin: Mean margin rate.
        returns: Share of orders of which something goes back.
        products: Names of its products.
    """

    name: str
    share: float
    rate: float
    regularity: int
    price: float
    margin: float
    returns: float
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Friction:
    """Something that goes wrong with an order; shares by the project's brief, factors assumed.

    Args:
        kind: late_delivery, stockout, return, bad_review or ticket.
        share: Of orders; late deliveries vary by seller and returns by category around it.
        dropout: Factor on the chance that the customer leaves after this order.
        after_late: Factor on the share where the delivery was late.
    """

    kind: str
    share: float
    dropout: float
    after_late: float = 1.0


@dataclass(frozen=True, slots=True)
class Arm:
    """What an arm of a program does; lifts are assumed, in the realm of published reactivation tests.

    With these a customer slipping away gains 0 to 4 points on a base of some 10 % in eight weeks. For scale: Hillstrom's mails added
    0.7 and 0.3 points to a base of 0.6 % in two weeks (conversion of 64,000 customers, randomised).

    Args:
        name: As in the program.
        lift: Chance of one extra order in the eight weeks after a touch, for an average customer two rhythms late.
        delay: Scale of the exponential delay from touch to extra order, days.
        persona: price or service: which of the persona's factors applies.
        mends: Frictions of the last order after which the lift is `mending` times as large.
        percent: Taken off the goods of an order that redeems.
        amount: Taken off the goods of an order that redeems, units.
        cap: Most that a percentage takes off, units.
        ships_free: Whether an order that redeems pays no shipping.
        valid_days: How long an order can redeem.
        service: Whether it is a message about the customer's own order: it wins no order and nobody opts out or tires of it.
        asks: Whether it asks how it was, on a scale from 0 to 10.
        service_cost: What an order within the validity costs the shop besides a lower price, units: unit cost times use of `offers.yaml`.
    """

    name: str
    lift: float
    delay: float
    persona: str = "service"
    mends: tuple[str, ...] = ()
    percent: float = 0.0
    amount: float = 0.0
    cap: float = 0.0
    ships_free: bool = False
    valid_days: int = 14
    service: bool = False
    asks: bool = False
    service_cost: float = 0.0

    @property
    def redeemable(self) -> bool:
        """Whether an order can show that the arm's offer was used."""
        return self.percent > 0 or self.amount > 0 or self.ships_free


PERSONAS = (
    Persona("price_sensitive", 0.30, 2.4, 1.6, (0.12, 6.0), 33.0, 0.22, 1.5, 0.7),
    Persona("premium", 0.15, 2.6, 2.0, (0.065, 8.0), 68.0, 0.03, 0.5, 1.3),
    Persona("quick_solution", 0.25, 1.85, 1.4, (0.13, 6.0), 42.0, 0.06, 0.8, 0.8),
    Persona("steady", 0.30, 3.1, 2.4, (0.06, 8.0), 40.0, 0.08, 1.0, 1.1),
)

CATEGORIES = (
    Category("Coffee & Tea", 0.18, 1.40, 3, 14.0, 0.38, 0.02, ("Espresso beans", "Filter roast", "Green tea", "Oolong", "Cold brew kit")),
    Category("Pet Supplies", 0.14, 1.35, 3, 19.0, 0.34, 0.03, ("Dry food", "Wet food", "Dental chews", "Cat litter", "Dog toy")),
    Category("Skin Care", 0.15, 1.10, 2, 22.0, 0.50, 0.05, ("Face cream", "Serum", "Sun lotion", "Cleansing oil", "Hand balm")),
    Category("Home & Living", 0.16, 0.75, 1, 31.0, 0.42, 0.06, ("Linen cushion", "Wool throw", "Candle", "Vase", "Storage basket")),
    Category("Garden", 0.10, 0.80, 1, 25.0, 0.40, 0.04, ("Herb set", "Pruning shears", "Planter", "Watering can", "Seed box")),
    Category("Fashion", 0.14, 0.90, 1, 39.0, 0.46, 0.14, ("Merino jumper", "Linen shirt", "Scarf", "Leather belt", "Socks, 3 pairs")),
    Category("Books & Paper", 0.08, 0.85, 1, 16.0, 0.32, 0.03, ("Notebook", "Art print", "Cookbook", "Desk calendar", "Fountain pen")),
    Category("Toys", 0.05, 0.70, 1, 24.0, 0.36, 0.06, ("Wooden train", "Puzzle", "Plush bear", "Board game", "Building blocks")),
)

FRICTIONS = (
    Friction("late_delivery", 0.08, 1.8),
    Friction("stockout", 0.03, 1.5),
    Friction("return", 0.06, 1.4, after_late=1.5),
    Friction("bad_review", 0.02, 2.0, after_late=3.0),
    Friction("ticket", 0.03, 1.6, after_late=3.0),
)

_SERVICE_FAILED = ("late_delivery", "stockout", "bad_review", "ticket")
ARMS = (
    Arm("reminder", 0.019, 7.0),
    Arm("preview", 0.024, 9.0),
    Arm("how_to", 0.008, 14.0),
    Arm("light", 0.032, 6.0, "price", ships_free=True),
    Arm("make_good", 0.027, 8.0, mends=("return", *_SERVICE_FAILED), valid_days=60, service_cost=0.60),
    Arm("unspent", 0.030, 8.0, "price"),
    Arm("concierge", 0.016, 12.0, mends=_SERVICE_FAILED, valid_days=30, service_cost=0.40),
    Arm("limited", 0.021, 6.0),
    Arm("bundle", 0.024, 8.0, "price", service_cost=0.20),
    Arm("credit", 0.048, 7.0, "price", amount=5.0),
    Arm("percent", 0.054, 6.0, "price", percent=0.10, cap=20.0),
    Arm("content_only", 0.0, 10.0),
    Arm("free_returns", 0.019, 9.0, mends=("return",), valid_days=30, service_cost=0.75),
    Arm("express", 0.013, 8.0, mends=("late_delivery",), valid_days=30, service_cost=2.00),
    Arm("proof", 0.0, 10.0),
    Arm("last_word", 0.013, 7.0),
    Arm("order_confirmed", 0.0, 10.0, service=True),
    Arm("late_notice", 0.0, 10.0, service=True),
    Arm("arrived_notice", 0.0, 10.0, service=True),
    Arm("thanks_by_name", 0.004, 14.0),
    Arm("thanks_how_to", 0.006, 14.0),
    Arm("first_thanks", 0.006, 14.0),
    Arm("care_advice", 0.006, 14.0),
    Arm("returns_explained", 0.003, 14.0, mends=("return",)),
    Arm("who_helps", 0.003, 14.0, mends=_SERVICE_FAILED),
    Arm("second_idea", 0.010, 10.0),
    Arm("second_shipping", 0.018, 7.0, "price", ships_free=True),
    Arm("second_preview", 0.012, 9.0),
    Arm("second_credit", 0.028, 7.0, "price", amount=5.0),
    Arm("ask_plainly", 0.001, 10.0),
    Arm("ask_with_thanks", 0.010, 8.0, "price", ships_free=True),
    Arm("ask_score", 0.0, 10.0, asks=True),
    Arm("refill_plain", 0.016, 6.0),
    Arm("refill_shipping", 0.022, 5.0, "price", ships_free=True),
    Arm("anniversary_thanks", 0.008, 9.0),
    Arm("anniversary_preview", 0.014, 9.0),
    Arm("anniversary_shipping", 0.018, 7.0, "price", ships_free=True),
    Arm("birthday_wish", 0.008, 9.0),
    Arm("birthday_preview", 0.012, 9.0),
    Arm("birthday_shipping", 0.020, 7.0, "price", ships_free=True),
    Arm("birthday_credit", 0.030, 7.0, "price", amount=5.0),
    Arm("credit_left", 0.030, 8.0, "price"),
    Arm("welcome_note", 0.010, 9.0),
    Arm("welcome_credit", 0.026, 8.0, "price", amount=5.0, valid_days=21),
    Arm("welcome_badge", 0.012, 9.0),
)

UNKNOWN = Arm("", 0.0, 10.0)
"""An arm of a shop's own making: what it would do is not known, so it does nothing."""

USUAL = Arm("usual", 0.066, 6.0, "price", percent=0.15, cap=1_000.0)
"""What many shops send by rule, 15 % off everything; no program that ships has it. Lift assumed: that of `percent` times the square root
of how much more it takes off."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The marketplace's parameters.

    Args:
        personas: Kinds of customers.
        categories: What is sold.
        frictions: What goes wrong.
        arms: What touches do.
        sellers: Number of sellers. Assumed.
        products_per_category: Assumed.
        season: Height of the yearly wave of demand, peaking at day `season_peak` of the year. Assumed, mild.
        season_peak: Day of the year; 335 is the first of December.
        order_spread: Sigma of the log-normal customer level and of an order around it. Assumed.
        favourite: Share of lines from the customer's favourite category. Assumed.
        dropout_most: No order makes a customer leave with a higher chance than this. Assumed.
        no_email_consent: Share of customers. By the project's brief.
        sms_consent: Share of customers. Assumed.
        shipping: Fee of an order below `shipping_free_from`, units. Assumed.
        shipping_free_from: Goods of an order that ships free, units. Assumed.
        sale_percent: What a sale code takes off. Assumed.
        response_spread: Sigma of the log-normal responsiveness of customers, mean 1. Assumed.
        response_days: An extra order comes within these days of its touch. By the project's brief, eight weeks.
        lift_by_lapse: (silence over the customer's own mean gap, factor on the lift): small before a lapse, best
            shortly after. Assumed; that the freshly lapsed respond best is the common finding of reactivation tests.
        mending: Factor on the lift of an arm that mends what went wrong. Assumed.
        unmended: Factor on the lift of any other arm where something went wrong with the last order. Assumed.
        value_lift: Exponent of (customer's order value over the median) in the lift. Assumed.
        fatigue: Factor on the lift per earlier touch within `fatigue_days`. Assumed.
        fatigue_days: See `fatigue`.
        lift_most: No touch adds a higher chance than this. Assumed.
        redeem_organic: Chance that an order which comes anyway uses a valid offer. Assumed.
        redeem_extra: Chance that an extra order uses it. Assumed.
        amount_most: A credit takes off at most this share of the goods. Assumed.
        visit: Chance that a touch makes the customer look at a product. Assumed.
        unsubscribe: Chance of an opt-out per touch. By the project's brief.
        review: Share of orders with a review that is not bad. Assumed.
        viewed: Share of orders with a product view before. Assumed.
        clicked: Share of those whom an e-mail makes look at a product who followed its link. Assumed.
        saved: Share of orders after which a product is saved. Assumed.
        answered: Share of orders after which a customer says unasked how it was. Assumed.
        replies: Chance that a customer who is asked how it was answers. Assumed.
        credited: Share of orders after which a credit is given, where nothing went wrong and where something did. Assumed.
        credit: What a credit is worth, units; every fourth is twice as much. Assumed.
        credit_days: How long it holds. Assumed.
        credit_spent: Share of credits spent on an order that comes in time. Assumed.
        promotion_days: Each seller may have one promotion in so many days. Assumed.
        promoted: Chance that it has. Assumed.
        promotion_pull: Relative increase of a lift where sellers promote all products of the customer's favourite category; in proportion
            to the share that is promoted. Assumed.
        season_pull: Exponent of the day's pace of demand in a lift. Assumed: who is won back is won more easily when others buy.
        unsubscribe_growth: Factor on the chance of an opt-out per earlier touch within `fatigue_days`. Assumed, as in `decide.fatigue`.
        opt_out_loss: Share of the margin that was to come by itself within a year which a customer who opts out no longer brings. Assumed.
        opened: Share of e-mail touches that a person opens. Assumed.
        machine_openers: Share of mailboxes of which a proxy opens every e-mail. Assumed; providers of mail report about half.
        machine_clickers: Share of mailboxes of which a scanner follows every link. Assumed, so that about a third of all clicks are
            machines'; published shares are 5 to 60 % (SCIENCE.md 3).
    """

    personas: tuple[Persona, ...] = PERSONAS
    categories: tuple[Category, ...] = CATEGORIES
    frictions: tuple[Friction, ...] = FRICTIONS
    arms: tuple[Arm, ...] = ARMS
    sellers: int = 40
    products_per_category: int = 60
    season: float = 0.20
    season_peak: int = 335
    order_spread: tuple[float, float] = (0.35, 0.40)
    favourite: float = 0.65
    dropout_most: float = 0.90
    no_email_consent: float = 0.35
    sms_consent: float = 0.15
    shipping: float = 4.90
    shipping_free_from: float = 50.0
    sale_percent: float = 0.10
    response_spread: float = 0.5
    response_days: int = 56
    lift_by_lapse: tuple[tuple[float, float], ...] = ((0.5, 0.3), (1.0, 0.6), (2.0, 1.0), (3.0, 1.0), (6.0, 0.6), (12.0, 0.25))
    mending: float = 1.8
    unmended: float = 0.7
    value_lift: float = 0.25
    fatigue: float = 0.8
    fatigue_days: int = 60
    lift_most: float = 0.20
    redeem_organic: float = 0.55
    redeem_extra: float = 0.85
    amount_most: float = 0.30
    visit: float = 0.06
    unsubscribe: float = 0.002
    review: float = 0.12
    viewed: float = 0.5
    clicked: float = 0.6
    saved: float = 0.10
    answered: float = 0.06
    replies: float = 0.25
    credited: tuple[float, float] = (0.01, 0.15)
    credit: float = 5.0
    credit_days: int = 90
    credit_spent: float = 0.6
    promotion_days: int = 120
    promoted: float = 0.5
    promotion_pull: float = 0.5
    season_pull: float = 1.0
    unsubscribe_growth: float = 1.25
    opt_out_loss: float = 0.5
    opened: float = 0.20
    machine_openers: float = 0.5
    machine_clickers: float = 0.02

    @property
    def every_arm(self) -> tuple[Arm, ...]:
        """The arms, and the unknown one last."""
        return (*self.arms, UNKNOWN)
