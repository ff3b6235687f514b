"""The world's facts as they come about with the touches it felt: extra orders, offers used, visits and opt-outs.

Knows nothing of periods. Always made anew from the baseline and all touches, so that a later touch changes nothing earlier.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.simulate import habits, machines
from rekindle.simulate.chance import Flags, Ints
from rekindle.simulate.facts import HOUR, shipments
from rekindle.simulate.outcome import Outcome, Stakes, happen, stakes
from rekindle.simulate.purchases import DAY
from rekindle.simulate.response import NONE, Potential, potential
from rekindle.simulate.touches import numbered
from rekindle.simulate.world import Scenery

_DELIVERY, _PACKED = 2 * DAY, DAY // 2


@dataclass(frozen=True, slots=True)
class Consequences:
    """When touches had consequences, seconds since 1970-01-01 UTC.

    Args:
        extra_at: Of extra orders.
        redeemed_at: Of orders that used an offer.
        unsubscribed_at: Of opt-outs.
    """

    extra_at: Ints
    redeemed_at: Ints
    unsubscribed_at: Ints


@dataclass(frozen=True, slots=True)
class _Told:
    """All that is needed to write down what touches did."""

    scene: Scenery
    could: Potential
    at_stake: Stakes
    done: Outcome
    by_mail: Flags


def consequences(scene: Scenery, facts: dict[str, pa.Table], touches: pa.Table) -> tuple[dict[str, pa.Table], Consequences]:
    """The facts with everything that the touches changed in them.

    Args:
        scene: The world's.
        facts: The baseline's by kind.
        touches: All that the world felt, in the sequence of their recording.
    """
    none = np.zeros(0, dtype=np.int64)
    if touches.num_rows == 0:
        return facts, Consequences(none, none, none)
    felt = numbered(touches, scene.parameters, scene.population.size)
    could = potential(scene, facts["orders"], felt)
    at_stake = stakes(scene, facts["orders"], could)
    by_mail = np.asarray(pc.equal(touches["channel"], "email"))
    told = _Told(scene, could, at_stake, happen(scene, could, scene.chance), by_mail)
    changed = {**facts, **_with_offers_used(told, facts)}
    for kind, table in _added(told, facts).items():
        changed[kind] = pa.concat_tables([changed[kind], table], promote_options="default")
    done = told.done
    redeemed = np.concatenate((at_stake.organic_at[done.organic_redeemed], done.at[done.extra_redeemed]))
    return changed, Consequences(done.at[done.extra], redeemed, felt.felt[_first_opt_outs(told)] + HOUR)


def _first_opt_outs(told: _Told) -> Flags:
    """Each customer opts out once."""
    touches, asked = told.could.touches, np.flatnonzero(told.done.unsubscribed)
    earliest = asked[np.lexsort((touches.felt[asked], touches.customer[asked]))]
    first = np.zeros(touches.felt.size, dtype=bool)
    first[earliest[np.unique(touches.customer[earliest], return_index=True)[1]]] = True
    return first


def _with_offers_used(told: _Told, facts: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Orders that came anyway, with what an offer took off them, their lines and what goes back of them."""
    used = told.done.organic_redeemed
    order, orders = told.could.next_order[used], facts["orders"]
    off, fee = np.zeros((2, orders.num_rows), dtype=np.int64)
    off[order], fee[order] = told.at_stake.organic_off[used], told.at_stake.organic_fee[used]
    codes = np.full(orders.num_rows, None, dtype=object)
    codes[order] = np.asarray(told.could.touches.code)[used]
    lines = facts["lines"]
    lowered = _shared(lines, np.asarray(orders["total"]), off)
    by_order = np.zeros(orders.num_rows, dtype=np.int64)
    first = np.asarray(lines["line_no"]) == 1
    by_order[np.asarray(lines["order"])[first]] = lowered[first]
    back = by_order[np.asarray(facts["returns"]["order"])]
    paid = _changed(orders, {"total": -off, "discount": off, "shipping": -fee})
    coded = pc.coalesce(pa.array(codes, pa.string()), orders["code"])
    return {
        "orders": paid.set_column(paid.column_names.index("code"), "code", coded),
        "lines": _changed(lines, {"amount": -lowered, "discount": lowered}),
        "returns": _changed(facts["returns"], {"amount": -back}),
    }


def _shared(lines: pa.Table, total: Ints, off: Ints) -> Ints:
    """What each line bears of its order's discount; the first bears what does not divide."""
    order, amount = np.asarray(lines["order"]), np.asarray(lines["amount"])
    share = off[order] * amount // np.maximum(total[order], 1)
    rest = off.copy()
    np.subtract.at(rest, order, share)
    borne: Ints = share + np.where(np.asarray(lines["line_no"]) == 1, rest[order], 0)
    return borne


def _changed(table: pa.Table, by: dict[str, Ints | int]) -> pa.Table:
    for name, difference in by.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(np.asarray(table[name]) + difference))
    return table


def _added(told: _Told, facts: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """What would not be there without the touches; an order's number is the touch's, after those of the baseline."""
    touches, done, known = told.could.touches, told.done, facts["orders"].num_rows
    row = np.flatnonzero(done.extra)
    opted_out = np.flatnonzero(_first_opt_outs(told))
    orders, lines = _extra_orders(told, row, known)
    return {
        "orders": orders,
        "lines": lines,
        "shipments": shipments(known + row, touches.customer[row], done.at[row], done.at[row] + _DELIVERY, done.at[row] + _PACKED),
        "events": _events(told, facts["orders"]),
        "contacts": _opted_out(facts["contacts"].take(touches.customer[opted_out]), touches.felt[opted_out] + HOUR),
    }


def _events(told: _Told, orders: pa.Table) -> pa.Table:
    """Looks at a product, by the link of an e-mail or not, and answers to who asked how it was."""
    touches, done, known = told.could.touches, told.done, orders.num_rows
    visits, clicks = np.flatnonzero(done.visit), np.flatnonzero(done.followed & told.by_mail)
    replies = np.flatnonzero(done.replied & (told.could.last_order != NONE))
    seen = np.concatenate((visits, clicks))
    looks = pa.table(
        {
            "event": np.concatenate((2 * known + visits, habits.CLICKED + clicks)),
            "customer": touches.customer[seen],
            "name": pa.array(("Product Viewed", "Email Link Clicked")).take(np.repeat((0, 1), (visits.size, clicks.size))),
            "occurred_at": touches.felt[seen] + HOUR - np.repeat((0, 20), (visits.size, clicks.size)),
            "product": told.could.last_product[seen],
            "value": pa.nulls(seen.size, pa.string()),
        }
    )
    kinds = [one.kind for one in told.scene.parameters.frictions]
    befell: Flags = np.asarray(np.column_stack([np.asarray(orders[kind]) for kind in kinds]).any(axis=1))
    luck = told.scene.chance.stream("reply").random(touches.felt.size)[replies]
    said = habits.told(
        habits.TOLD + replies, touches.customer[replies], touches.felt[replies] + 5 * HOUR, told.could.last_product[replies],
        habits.score(befell[told.could.last_order[replies]], luck),
    )
    opened, scanned = machines.of_mails(told.scene.parameters, told.scene.population.size, touches, told.by_mail, told.scene.chance)
    seen_to = machines.events(touches, told.could.last_product, opened | (done.opened & told.by_mail), opened, scanned)
    return pa.concat_tables([looks, said, seen_to])


def _extra_orders(told: _Told, row: Ints, known: int) -> tuple[pa.Table, pa.Table]:
    touches, done, stake = told.could.touches, told.done, told.at_stake
    off, fee = stake.extra_off * done.extra_redeemed, stake.extra_fee * done.extra_redeemed
    total = np.asarray(stake.per_order["total"])
    code = pc.if_else(pa.array(done.extra_redeemed), touches.code, pa.scalar(None, pa.string()))
    orders = _changed(stake.per_order, {"total": -off, "discount": off, "shipping": -fee, "order": known}).take(row)
    for name, column in (("customer", touches.customer), ("ordered_at", done.at), ("code", code)):
        orders = orders.append_column(name, pa.array(column).take(row))
    lowered = _shared(stake.per_line, total, off)
    of_row = np.asarray(stake.per_line["order"])
    lines = _changed(stake.per_line, {"amount": -lowered, "discount": lowered, "order": known})
    for name, column in (("customer", touches.customer), ("ordered_at", done.at)):
        lines = lines.append_column(name, pa.array(column[of_row]))
    return orders, lines.filter(pa.array(done.extra[of_row]))


def _opted_out(contacts: pa.Table, at: Ints) -> pa.Table:
    size = contacts.num_rows
    said = {"email_consent": pa.repeat(False, size), "consent_at": pa.array(at), "consent_source": pa.repeat("unsubscribed", size)}
    for name, column in said.items():
        contacts = contacts.set_column(contacts.column_names.index(name), name, column)
    return contacts
