"""Facts of a made-up marketplace, as large and as worded as the simulated one."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa

from rekindle.errors import CannotTell
from rekindle.learn.report.facts import (
    MAP,
    MAP_ROWS,
    ArmCount,
    Assumption,
    Cause,
    Cohort,
    CohortWorth,
    Interval,
    LeftAlone,
    LifecycleCount,
    MessageView,
    Money,
    Notable,
    ReportFacts,
    Slipping,
    StageView,
    Worth,
)
from rekindle.moment import parse_as_of

MAIL = """<!doctype html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title>
<link href="https://fonts.example/css" rel="stylesheet"><style type="text/css">@import url(https://fonts.example/css);
body{{background:#f3f1ec}} .c{{max-width:560px;margin:0 auto;background:#fff}} p{{line-height:1.5}}</style>
<script>document.title="run"</script></head><body style="background:#f3f1ec;padding:20px 8px;font-family:Helvetica,Arial,sans-serif">
<!--[if mso]><table><tr><td><![endif]-->
<table role="presentation" width="100%" class="c" cellpadding="0" cellspacing="0"><tr>
<td style="padding:22px 26px;border-bottom:3px solid #1f5f5b">
<b style="font-size:18px;color:#1f5f5b">Marigold</b></td></tr><tr><td style="padding:22px 26px;color:#222">
<h1 style="font-size:22px;margin:0 0 12px">{title}</h1><p>Hello Noor,</p>{body}
<p style="margin:24px 0"><a href="https://shop.example/back?t=abc" onclick="steal()"
style="background:#1f5f5b;color:#fff;padding:12px 20px;border-radius:6px;text-decoration:none">{action}</a></p>
<img src="https://shop.example/open.gif" alt="" width="1" height="1">
<p style="font-size:12px;color:#777">You get this because you ordered at Marigold and agreed to e-mail.
<a href="https://shop.example/preferences">Preferences, pause or stop</a><br>
Marigold BV, Herengracht 1, Amsterdam</p>
</td></tr></table></body></html>"""


def _mail(title: str, body: str, action: str) -> str:
    return MAIL.format(title=title, body="".join(f"<p>{part}</p>" for part in body.split("|")), action=action)


def _map() -> pa.Table:
    chance = np.random.default_rng(7)
    names = ["first_time", "repeat", "mid_tenure", "advocate", "cooling", "lapsing", "lapsed", "probation", "prospect"]
    stage = chance.choice(len(names), MAP_ROWS, p=[0.28, 0.2, 0.1, 0.08, 0.1, 0.08, 0.12, 0.02, 0.02])
    centre = np.array([-60, -40, -30, -15, 25, 80, 260, -20, 0])[stage]
    spread = np.array([45, 30, 22, 12, 15, 35, 110, 12, 1])[stage]
    worth = np.exp(chance.normal(np.array([6.8, 7.9, 8.5, 9.3, 7.7, 7.2, 5.6, 8.2, 1])[stage], 0.8))
    overdue = (centre + spread * chance.normal(size=MAP_ROWS)).astype(int)
    return pa.table([overdue, worth.astype(int), [names[at] for at in stage]], schema=MAP)


def _stage(name: str, goal: str, delay: str, offers: str, *arms: tuple[str, str, int]) -> StageView:
    return StageView(name, goal, delay, offers, tuple(ArmCount(*arm) for arm in arms))


SEQUENCE = (
    _stage(
        "reconnect",
        "signs in, looks at a product or answers within 14 days",
        "as soon as the silence is long for this customer",
        "no price offer; worth at most EUR 3.00",
        ("reminder", "reminders", 1020),
        ("preview", "previews", 410),
        ("light", "free shipping", 440),
        ("how_to", "how-tos", 0),
    ),
    _stage(
        "tailor",
        "orders within 21 days",
        "a quarter of the customer's own rhythm later, 7 to 28 days",
        "one price offer, never below a margin of 15 %, valid 14 days",
        ("bundle", "bundles", 0),
        ("credit", "credits", 0),
        ("percent", "discounts", 0),
        ("concierge", "priority support", 0),
    ),
    _stage(
        "reassure",
        "orders within 21 days",
        "a third of the customer's own rhythm later, 10 to 35 days",
        "no new price offer",
        ("free_returns", "free returns", 0),
        ("express", "faster shipping", 0),
        ("proof", "proof", 0),
    ),
    _stage(
        "closing",
        "orders or keeps a preference within 30 days",
        "half of the customer's own rhythm later, 14 to 45 days",
        "no price offer; an expired one is never renewed",
        ("last_word", "last words", 0),
    ),
)
MESSAGES = (
    MessageView(
        "one_bad_experience",
        "bad experience",
        "reconnect",
        "Your lamp came nine days late. We are sorry.",
        _mail(
            "Your order came late",
            "Your Reading Lamp was promised for 3 August and came on 12 August. We are sorry.|"
            "Since September we ship lamps with a second carrier, and 97 % arrive on the promised day.|"
            "Thirty days of free returns and an answer within the day are yours until 31 December.",
            "See what is new in lamps",
        ),
        "Hello Noor,\n\nYour Reading Lamp came nine days late ...",
    ),
    MessageView(
        "paused_high_potential",
        "paused high potential",
        "reconnect",
        "New in ceramics, two days before everyone",
        _mail(
            "A first look, for you",
            "You have ordered ceramics from three of our makers, most recently the Stoneware Bowl.|"
            "Four new collections open on Thursday. You may look from Tuesday on.",
            "Look at the collections",
        ),
        "Hello Noor,\n\nA first look ...",
    ),
    MessageView(
        "long_inactive",
        "long inactive",
        "reconnect",
        "It has been a while, Noor",
        _mail(
            "It has been a while",
            "Thank you for the two orders you placed with us, last the Linen Throw in March.|"
            "Delivery now takes two days instead of four, and returns are free for sixty.",
            "See what changed",
        ),
        "Hello Noor,\n\nIt has been a while ...",
    ),
    MessageView(
        "other",
        "other",
        "reconnect",
        "Coffee for the next weeks?",
        _mail(
            "Running low?",
            "You usually order coffee every five weeks; the last order was eleven weeks ago.|"
            "Shipping is on us until 5 December, with no minimum.",
            "Order coffee",
        ),
        "Hello Noor,\n\nRunning low? ...",
    ),
)


def about(minor: int) -> Interval:
    """An estimate with an interval that is wider above than below."""
    return Interval(0.85 * minor, minor, 1.2 * minor)


COHORTS = (
    Cohort(
        "one_bad_experience", "bad experience", "Something went wrong in or after their last order, with evidence.", 610, 421,
        about(1_870_000),
    ),
    Cohort(
        "paused_high_potential",
        "paused high potential",
        "Among the most valuable, and silent for not much longer than usual.",
        420,
        318,
        about(4_410_000),
    ),
    Cohort("long_inactive", "long inactive", "Silent for several times their own rhythm.", 1_790, 1_130, about(2_260_000)),
    Cohort("other", "other", "Slipping away, and none of the above.", 360, 251, about(1_090_000)),
)
WORTH = Worth(
    Interval(30, 240, 450),
    210,
    8,
    2_912,
    338,
    260,
    date(2027, 2, 14),
    "",
    (
        CohortWorth(
            "bad experience",
            561,
            62,
            Interval(0.02, 0.081, 0.142),
            Interval(-0.01, 0.034, 0.078),
            Interval(-120, 940, 2000),
            Interval(-40, 390, 820),
            350,
        ),
        CohortWorth(
            "paused high potential",
            377,
            41,
            Interval(0.03, 0.102, 0.174),
            Interval(0.002, 0.055, 0.108),
            Interval(60, 1510, 2960),
            Interval(20, 610, 1200),
            480,
        ),
        CohortWorth(
            "long inactive",
            1_640,
            195,
            Interval(-0.004, 0.021, 0.046),
            Interval(-0.012, 0.009, 0.03),
            Interval(-300, 210, 720),
            Interval(-130, 80, 290),
            110,
        ),
        CohortWorth("other", 334, 40, None, None, None, None, 190),
    ),
)
ASSUMPTIONS = (
    Assumption("Gross margin where a product's cost is not known", "40 %", "rekindle.toml", 7),
    Assumption("Horizon of expected margin", "26 weeks", "rekindle.toml", 8),
    Assumption("Cost of one e-mail", "EUR 0.001", "rekindle.toml", 24),
    Assumption("Extra orders a customer from a reminder", "0.010, give or take 0.010", "programs/win-back.yaml", 28),
    Assumption("Extra orders a customer from free shipping", "0.014, give or take 0.014", "programs/win-back.yaml", 31),
    Assumption("Of those who order, how many use free shipping", "60 %", "offers.yaml", 42),
    Assumption("Held out from all marketing", "5 %", "rules.yaml", 12),
    Assumption("Time zone of customers who never said", "the store's", "rekindle.toml", 0),
)
NOTABLE = tuple(
    Notable(name, why, margin, overdue, f"rekindle explain {name}")
    for name, why, margin, overdue in (
        ("q9Xb2LmZ0aTk", "highest margin at risk", 48_200, 61),
        ("Zr4_TpVn81cE", "late delivery, then silence", 31_650, 48),
        ("aLw0.kQe7RtY", "used to order every nine days", 29_900, 33),
        ("P3mYx6HsJd2u", "first order in a year would be due", 24_410, 12),
        ("Bv8NcT5oWq1f", "drawn for the control", 22_380, 75),
        ("m2Gh_Zk9sXe4", "no consent, high value", 21_040, 90),
        ("uT7Rj1LpAa0y", "open complaint", 18_600, 22),
        ("dK5.Wn3QbVx8", "two returns in a row", 12_150, 40),
        ("e6FyM9tCzOi2", "back after a year", 9_800, -14),
        ("H0sLq4PvUr7j", "one order, high value", 8_730, 130),
    )
)


LIFECYCLE = tuple(
    LifecycleCount(*row)
    for row in (
        ("first_time", 5_900),
        ("repeat", 4_210),
        ("mid_tenure", 2_050),
        ("advocate", 1_620),
        ("cooling", 2_110),
        ("lapsing", 1_390),
        ("lapsed", 1_790),
        ("probation", 510),
        ("prospect", 420),
    )
)
CAUSES = (
    Cause(
        "late_delivery",
        "late delivery",
        572,
        0.18,
        about(3_120_000),
        ("shipment 48213: promised 3 August, came 12 August", "shipment 47120: promised 9 July, came 18 July"),
    ),
    Cause("stockout", "stockout", 286, 0.09, about(1_410_000), ("product 771 out of stock from 2 to 30 June",)),
    Cause("return", "return or bad review", 223, 0.07, about(1_005_000), ("return 2231, review 871 (2 of 5)", "return 2308")),
    Cause("unknown", "no evidence", 2_099, 0.66, about(8_668_000)),
)
LEFT_ALONE = tuple(
    LeftAlone(*row)
    for row in (
        ("no_consent", "no consent", 940),
        ("held_out", "held out", 112),
        ("control", "control", 213),
        ("open_complaint", "open complaint", 45),
    )
)


def facts() -> ReportFacts:
    """The simulated marketplace with everything known."""
    return ReportFacts(
        shop="Marigold",
        currency="EUR",
        locale="en",
        as_of=parse_as_of("2026-11-22", "Europe/Amsterdam"),
        horizon_weeks=26,
        simulated=True,
        rehearsal=False,
        kept_here=True,
        customers=20_000,
        orders=61_402,
        months=24,
        slipping=Slipping(3_180, Interval(13_101_200, 14_203_311, 15_402_950)),
        lifecycle=LIFECYCLE,
        map=_map(),
        causes=CAUSES,
        cohorts=COHORTS,
        sequence=SEQUENCE,
        messages=MESSAGES,
        money=Money(62_000, 21_400, Interval(41_000, 188_000, 335_000), True, 112.4),
        left_alone=LEFT_ALONE,
        worth=WORTH,
        notable=NOTABLE,
        assumptions=ASSUMPTIONS,
        next_steps=("open reports/index.html", "make run ORDERS=orders.csv PRESET=..."),
    )


def rehearsal() -> ReportFacts:
    """A real shop without contacts: nothing is measured yet."""
    unmeasured = Worth(CannotTell("nobody has been written to yet"), None, 8, 0, 0, 310, date(2027, 2, 14))
    unreached = tuple(replace(row, reachable=None) for row in COHORTS)
    return replace(facts(), shop="Lamp & Co", simulated=False, rehearsal=True, cohorts=unreached, worth=unmeasured)


def empty() -> ReportFacts:
    """A store on its first day."""
    return replace(
        facts(),
        shop="New",
        simulated=False,
        kept_here=False,
        customers=0,
        orders=0,
        months=0,
        slipping=Slipping(0, Interval(0, 0, 0)),
        lifecycle=(),
        map=MAP.empty_table(),
        causes=(),
        cohorts=(),
        sequence=tuple(replace(stage, arms=tuple(replace(arm, count=0) for arm in stage.arms)) for stage in SEQUENCE),
        messages=(),
        money=Money(0, 0, Interval(0, 0, 0), True, 0),
        left_alone=(),
        worth=Worth(CannotTell("there are no orders"), None, 8, 0, 0, None, None),
        notable=(),
        assumptions=(),
    )
