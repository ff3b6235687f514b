"""Rhythms, personas, thresholds, spikes and cohorts a second time, in plain Python and from docs/insight.md.

Takes the rows that `tests.insight.by_hand` makes of every buyer and completes them.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from tests.insight.histories import Fact

Row = dict[str, object]


def nearest(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def rhythms(rows: Iterable[Row]) -> None:
    """Own where regular, the category's where only one order was made."""
    rows = list(rows)
    days, gaps = sum(row["recency_days"] for row in rows), sum(row["repeats"] for row in rows)
    usual = days / gaps if gaps else 1.0
    of_category: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row["category"] is not None and row["repeats"]:
            of_category[row["category"]][0] += row["recency_days"]
            of_category[row["category"]][1] += row["repeats"]
    for row in rows:
        between = [(later - earlier).days for earlier, later in zip(row["days"], row["days"][1:], strict=False)]
        source = "model"
        if len(between) >= 4 and statistics.stdev(between) < statistics.mean(between) / 2:
            source, row["average_days_between_orders"] = "own", statistics.mean(between)
        elif not between and row["category"] in of_category:
            total, count = of_category[row["category"]]
            source = "category"
            row["average_days_between_orders"] *= (total + 20 * usual) / (count + 20) / usual
        elif not between:
            source = "store"
        row["rhythm_source"] = source
        rhythm = nearest(row["average_days_between_orders"])
        row["expected_next_order_at"] = row["expected_date_of_next_order"] = row["last_day"] + timedelta(days=rhythm)
        row["overdue"] = row["silence_days"] - rhythm


def price_ranks(products: list[Fact], lines: Iterable[Fact]) -> dict[str, int]:
    """Thousandths within the category, by the price or what a piece was sold for."""
    sold: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        if line["quantity"] > 0:
            sold[line["product_id"]][0] += line["amount"]
            sold[line["product_id"]][1] += line["quantity"]
    by_category: dict[str | None, dict[str, int]] = defaultdict(dict)
    for product in products:
        name, price = product["product_id"], product.get("price")
        if price is None and name in sold:
            price = nearest(sold[name][0] / sold[name][1])
        if price is not None:
            by_category[product["category"]][name] = price
    return {
        name: nearest(sum(other < price for other in priced.values()) * 1000 / (len(priced) - 1))
        for priced in by_category.values() if len(priced) > 1 for name, price in priced.items()
    }


def personas(rows: Iterable[Row]) -> None:
    """Scores against the store's habit, with four orders at it added."""
    rows = list(rows)

    def habit(part: str, whole: str) -> float:
        total = sum(row[whole] for row in rows)
        return sum(row[part] for row in rows) / total if total else 0.0

    usual = (habit("discounted_orders", "orders"), habit("rank_sum", "ranked") / 1000, habit("single_item_orders", "lined"))
    for row in rows:
        rank = row["rank_sum"] / 1000 / row["ranked"] if row["ranked"] else None
        shown = (
            (row["discounted_orders"], row["orders"]), ((rank or 0.0) * row["lined"], row["lined"]),
            (row["single_item_orders"], row["lined"]),
        )
        signs, tags = (row["discounted_orders"], row["lined"], row["single_item_orders"]), []
        for tag, (part, whole), habit_of, seen in zip(("price_sensitive", "premium", "quick_solution"), shown, usual, signs, strict=True):
            own = (part + 4 * habit_of) / (whole + 4)
            odds, usual_odds = (own / (1 - own), habit_of / (1 - habit_of)) if 0 < habit_of < 1 else (1.0, 1.0)
            row[tag] = odds / (odds + usual_odds)
            tags += [tag] if row[tag] >= 2 / 3 and seen >= 2 else []
        row["price_rank"], row["personas"] = rank, ", ".join(tags)


def thresholds(row: Row, high: int, mid: int, milestones: tuple[int, ...], shipping: int) -> None:
    """The nearest one ahead: a tier, a number of orders, free shipping."""
    ahead = []
    for name, reached, options in (
        ("tier:", row["tier_margin"], {"mid": mid, "high": high}), ("orders:", row["orders"], {str(n): n for n in milestones}),
        ("free_shipping", row["average_order_value"], {"": shipping}),
    ):
        following = next(((label, limit) for label, limit in options.items() if limit > 0 and reached < limit), None)
        ahead += [(min((following[1] - reached) / following[1], 1.0), name + following[0])] if following else []
    row["threshold_distance"] = min((one for one, _ in ahead), default=None)
    row["next_threshold"] = next((name for one, name in ahead if one == row["threshold_distance"]), None)


def store_spikes(days: Iterable[date]) -> list[date]:
    """Last days of weeks far above the eight before, from every order's day."""
    counts: dict[date, int] = defaultdict(int)
    for day in days:
        counts[day] += 1
    first, last, found = min(counts), max(counts), []
    day = first + timedelta(days=62)
    while day <= last:
        week = sum(counts.get(day - timedelta(days=back), 0) for back in range(7))
        usual = sum(counts.get(day - timedelta(days=back), 0) for back in range(7, 63)) / 8
        found += [day] if week >= 1.5 * usual and week > usual + 3 * math.sqrt(max(usual, 1.0)) else []
        day += timedelta(days=1)
    return found


def cohort(row: Row, potential: int, spikes: list[date]) -> tuple[str, str]:
    """The lapsed cohort, first rule that holds, and the facts that decided."""
    if row["cause"] not in ("unknown", "price_rise", "need_ended"):
        return "one_bad_experience", row["cause_evidence"]
    quiet = f"{row['silence_days']} days silent at a rhythm of {nearest(row['average_days_between_orders'])}"
    recent = sum(day > row["last_day"] - timedelta(days=30) for day in row["days"])
    own = recent >= 2 and recent * row["recency_days"] >= 60 * row["repeats"]
    near = [day for day in spikes if day <= row["last_day"] <= day + timedelta(days=30)]
    if row["potential"] >= potential and (own or near) and not row["open_ticket"]:
        spike = f"{recent} purchase days in the last 30 before it" if own else f"after the store's spike of {near[-1]}"
        return "paused_high_potential", f"{quiet}; {spike}"
    return ("long_inactive" if row["lifecycle"] == "lapsed" or row["silence_days"] >= 365 else "other"), quiet
