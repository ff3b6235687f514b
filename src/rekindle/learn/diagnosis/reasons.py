"""The first half of a diagnosis: what friction does, what is known of each cause, and where customers stopped.

Knows nothing of what could be gained.
"""

from rekindle.errors import CannotTell
from rekindle.insight.friction_effect import Effect
from rekindle.insight.models import Interval
from rekindle.learn.diagnosis.facts import Cause, Diagnosis, Dropoff, Friction
from rekindle.learn.diagnosis.pictures import Ratio, forest
from rekindle.learn.report.charts import Bar, bars
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, listing, table
from rekindle.learn.report.section import section

READING = (
    "Thick: lapses after purchases with the friction, over the lapses expected of the same purchases without it; the line is the 95 % "
    "interval. A line that crosses 1 may be no effect at all. Thin and hollow, the placebo: the same sum with the friction of the next "
    "purchase, which cannot have caused the silence before it. A placebo away from 1 says that the shop's data mislead here."
)
STAKE = (
    "At stake is the margin that the extra lapses would have brought in {weeks}, at the customers' own pace. It is of all purchases "
    "looked at, past ones; not what a message can win back."
)
NOT_PROOF = (
    "These are the events before a silence. That something came before does not prove that it is why; the section above measures that."
)
LAST = (
    "The last thing that is known of each customer who slips away, from the last order on. Messages of the shop do not count. Who stopped "
    "at an order was never seen to receive it: the shop's data has no delivery for it."
)
METHOD = (
    "A purchase is a day on which a customer bought. A lapse after it is a silence of twice the customer's own rhythm as known on that "
    "day, 28 to 365 days. Purchases are looked at once that time and 45 days are over, whatever came then.",
    "A logistic regression on purchases without the friction says how many of those with it would have lapsed anyway. It knows the number "
    "of the purchase, the customer's tenure, the order's value, its two main categories, the quarter, and the frictions that come "
    "earlier: a late parcel is held against a bad review's effect, but a bad review is part of what a late parcel does.",
    "The interval counts customers, not purchases. It does not cover what the data does not hold: a cause that brings both the friction "
    "and the lapse and is none of these. The placebo is there to show the worst of that.",
    "An unanswered ticket is compared with no ticket. A price rise is one of a tenth or more, paid by all who bought the product "
    "in the month after. A refund is money back without goods.",
)


def friction_section(found: Diagnosis, figures: Figures) -> Html:
    """Effects with their placebos, customers and margin at stake."""
    told = [one for one in found.frictions if isinstance(one.effect, Effect)]
    untold = [one for one in found.frictions if isinstance(one.effect, CannotTell)]
    if not told:
        return section("friction", "Friction", "Of no friction can the effect be told yet", _untold(untold))
    weeks = figures.many(found.horizon_weeks, "week", "weeks")
    return section(
        "friction",
        "Friction",
        _finding(told),
        forest([_ratio(one) for one in told], "Lapses with each friction over lapses without it, and placebos", figures),
        el("p", READING, class_="small"),
        table(
            f"What each friction costs, over {weeks}",
            ("Friction", "Customers", "Purchases", "Lapsed", "Without it", "Margin at stake", "95 % interval"),
            (_stake(one, figures) for one in told),
            frozenset({1, 2, 3, 4, 5, 6}),
        ),
        el("p", STAKE.format(weeks=weeks), class_="small"),
        _untold(untold),
    )


def _finding(told: list[Friction]) -> str:
    """The friction to be credited first; of one that would have come before it, why not."""
    seen = sorted((one for one in told if _low(one) > 1), key=_low, reverse=True)
    worst = next((one for one in seen if not _doubt(one)), None)
    aside = f". {capital(seen[0].label)} looks worse, but {_doubt(seen[0])}" if seen and seen[0] is not worst else ""
    if worst is None:
        return f"No friction is shown to make customers leave more often{aside.replace('looks worse', 'looks so')}"
    more = worst.effect.ratio.estimate - 1 if isinstance(worst.effect, Effect) else 0.0
    said = f"{capital(worst.label)} is followed by {round(100 * more)} % more lapses than the same purchases would have had without it"
    return said + aside


def _doubt(one: Friction) -> str:
    """Why an effect is not to be credited; nothing where it is."""
    if one.matched:
        return "its placebo is as large"
    return "its placebo is not 1" if one.misled else ""


def _low(one: Friction) -> float:
    return one.effect.ratio.low if isinstance(one.effect, Effect) else 0.0


def _ratio(one: Friction) -> Ratio:
    ratio = one.effect.ratio if isinstance(one.effect, Effect) else None
    words = f"{ratio.estimate:.2f} ({ratio.low:.2f} to {ratio.high:.2f})" if ratio else ""
    if one.misled:
        words += " · placebo is not 1: do not believe it"
    elif one.matched:
        words += " · its placebo is as large"
    return Ratio(capital(one.label), words, ratio, one.placebo.ratio if isinstance(one.placebo, Effect) else None)


def _stake(one: Friction, figures: Figures) -> tuple[str, ...]:
    effect = one.effect
    if isinstance(effect, CannotTell):
        return (capital(one.label), *[""] * 6)
    return (
        capital(one.label), figures.count(one.customers), figures.count(effect.purchases), figures.count(effect.lapsed),
        figures.count(effect.expected), *_amount(one.at_stake, figures),
    )


def _amount(stake: Interval | CannotTell, figures: Figures) -> tuple[str, str]:
    if isinstance(stake, CannotTell):
        return "cannot tell", ""
    return figures.rough(stake.estimate), figures.rough_range(stake, " to ")


def _untold(frictions: list[Friction]) -> Html:
    if not frictions:
        return Html("")
    reasons = (f"{capital(one.label)}: {one.effect.reason}" for one in frictions if isinstance(one.effect, CannotTell))
    return el("div", el("p", "Of these nothing can be told yet.", class_="small"), listing(reasons, class_="small"))


def causes_section(found: Diagnosis, figures: Figures) -> Html:
    """What is known of those who slip away."""
    if not found.causes:
        return section("causes", "Causes", "Nobody slips away, so there is nothing to explain")
    rows = [
        Bar(capital(one.label), one.customers, _risk(one, figures), 0 if one.kind == "unknown" else None) for one in found.causes
    ]
    unknown = sum(one.customers for one in found.causes if one.kind == "unknown")
    return section(
        "causes",
        "Causes",
        f"For {figures.share(unknown / max(1, found.slipping))} nothing that went wrong is on record",
        bars(rows, "Customers who slip away by their first cause", figures),
        el("p", NOT_PROOF, class_="small"),
    )


def _risk(one: Cause, figures: Figures) -> str:
    return f"{figures.many(one.customers, 'customer', 'customers')} · {figures.rough(one.margin_at_risk)} at risk"


def dropoff_section(found: Diagnosis, figures: Figures) -> Html:
    """The last step of those who slip away, all and by cohort."""
    if not found.dropoffs:
        return section("dropoff", "Last step", "Nobody slips away, so nobody stopped anywhere")
    whole = sum(one.customers for one in found.dropoffs)
    first = found.dropoffs[0]
    cohorts = sorted({name for one in found.dropoffs for name in one.cohorts})
    rows = [
        Bar(capital(one.label), one.customers, _share(one, whole, figures)) for one in found.dropoffs
    ]
    return section(
        "dropoff",
        "Last step",
        f"The last that is known of {figures.share(first.customers / whole)}: the customer {first.label}",
        bars(rows, "Customers who slip away by their last step", figures),
        el("p", LAST, class_="small"),
        table(
            "By lapsed cohort",
            ("Last step", *(capital(name.replace("_", " ")) for name in cohorts)),
            ((capital(one.label), *(figures.count(one.cohorts.get(name, 0)) for name in cohorts)) for one in found.dropoffs),
            frozenset(range(1, len(cohorts) + 1)),
        ),
    )


def _share(one: Dropoff, whole: int, figures: Figures) -> str:
    return f"{figures.share(one.customers / whole)} · {figures.many(one.customers, 'customer', 'customers')}"


def method_section() -> Html:
    """How it was found, for who wants to check."""
    return section("method", "How it was found", "What is compared with what", *(el("p", words) for words in METHOD))
