"""A diagnosis as one JSON object.

Knows nothing of where it goes.
"""

from dataclasses import asdict

from rekindle.errors import CannotTell
from rekindle.insight.audit import Audit, Row
from rekindle.insight.friction_effect import Effect
from rekindle.insight.models import Interval
from rekindle.insight.reactivation import Curve
from rekindle.learn.diagnosis.facts import Diagnosis, Friction, Opportunities

_DIGITS = 6


def to_json(found: Diagnosis) -> dict[str, object]:
    """The whole of it: money in minor units, shares of 1, days."""
    return {
        "as_of": found.as_of.instant.isoformat(), "purchases": found.purchases, "lapsed": found.lapsed, "customers": found.customers,
        "slipping": found.slipping, "horizon_weeks": found.horizon_weeks,
        "frictions": [_friction(one) for one in found.frictions],
        "causes": [asdict(one) for one in found.causes],
        "dropoffs": [asdict(one) for one in found.dropoffs],
        "time_to_return": {
            "by_category": {name: curve(one) for name, one in found.by_category.items()},
            "by_offer": {name: curve(one) for name, one in found.by_offer.items()},
        },
        "audit": {by: _audit(one) for by, one in found.audits.items()},
        "opportunity": _opportunities(found.opportunities),
    }


def interval(found: Interval | CannotTell) -> dict[str, object]:
    """An estimate with its ends, or why there is none; what has no end is null."""
    if isinstance(found, CannotTell):
        return {"cannot_tell": found.reason}
    parts = {"estimate": found.estimate, "low": found.low, "high": found.high}
    return {name: round(value, _DIGITS) if value != float("inf") else None for name, value in parts.items()}


def _friction(one: Friction) -> dict[str, object]:
    return {
        "kind": one.kind, "customers": one.customers, "effect": _effect(one.effect), "placebo": _effect(one.placebo),
        "misled": one.misled, "placebo_as_large": one.matched,
        "margin_at_stake": interval(one.at_stake),
    }


def _effect(found: Effect | CannotTell) -> dict[str, object]:
    if isinstance(found, CannotTell):
        return {"cannot_tell": found.reason}
    return {
        "purchases": found.purchases, "lapsed": found.lapsed, "expected_without": round(found.expected, _DIGITS),
        "ratio": interval(found.ratio), "difference": interval(found.difference),
    }


def curve(found: Curve | CannotTell) -> dict[str, object]:
    """A curve by the days on which somebody came back, or why there is none."""
    if isinstance(found, CannotTell):
        return {"cannot_tell": found.reason}
    columns = {"days": found.days, "staying": found.staying, "low": found.low, "high": found.high}
    return {
        "spells": found.spells, "returned": found.returned, "followed_days": found.followed, "median_days": interval(found.median),
        **{name: [round(float(value), _DIGITS) for value in column] for name, column in columns.items()},
    }


def _audit(found: Audit) -> dict[str, object]:
    return {
        "segments": [_row(row) for row in found.segments], "total": _row(found.total), "orders": found.ledger,
        "differences": found.differences, "orders_unlike_their_lines": found.unlike,
    }


def _row(row: Row) -> dict[str, object]:
    shares = {"discount_share": row.discount_share, "full_price_share": row.full_price_share, "average_order": row.average_order}
    gaps: dict[str, object] = {"cannot_tell": row.gaps.reason} if isinstance(row.gaps, CannotTell) else _quartiles(row.gaps)
    return {
        "segment": row.name, "customers": row.customers, "orders": row.orders, "net": row.net, "discount": row.discount,
        "lines_amount": row.lines_amount, "gap_days": gaps, **{name: round(value, _DIGITS) for name, value in shares.items()},
        "promotions_seen": row.seen, "promotions_redeemed": row.redeemed,
        "categories": [{"category": name, "share": round(share, _DIGITS)} for name, share in row.mix],
    }


def _quartiles(gaps: tuple[float, float, float]) -> dict[str, object]:
    return dict(zip(("q1", "median", "q3"), gaps, strict=True))


def _opportunities(found: Opportunities) -> dict[str, object]:
    return {
        "as_of": found.ranking.as_of, "assumed": found.ranking.source, "digest": found.ranking.digest, "frozen": found.frozen,
        "differs": found.differs, "rows": [asdict(row) for row in found.ranking.rows],
        "earlier": found.earlier or None, "earlier_is_after_launch": found.launched, "damaged": list(found.damaged),
        "came": [{"cohort": one.cohort, "assumed": round(one.assumed, 2), "measured": interval(one.measured)} for one in found.came],
    }
