"""Who pays for an offer, and what becomes of it where a seller's own promotion runs on the same goods.

Knows nothing of variants and chances. Before a decision it answers by expressions over the profile; afterwards, by what orders say.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.insight import purchases
from rekindle.moment import AsOf
from rekindle.program.documents import Documents, Offer
from rekindle.program.rules import SellerRules

_LINE = ("order_id", "line_no", "seller_id", "product_id", "category", "quantity", "amount", "discount")
PROMOTED = ("promotion_id", "seller_id", "product_id", "category", "percent", "amount", "starts_at", "ends_at")


@dataclass(frozen=True, slots=True)
class Split:
    """Who pays for an offer, for every candidate.

    Args:
        allowed: Whether the offer may be made beside what the seller does.
        part: The seller's part of its cost, 0 to 1; None where nothing is the seller's for anyone.
        seller: Whose goods the offer is for, null where many's.
    """

    allowed: ir.BooleanValue
    part: ir.FloatingValue | None
    seller: ir.StringValue


def column(profile: ir.Table, name: str, kind: str) -> ir.Value:
    """A column that candidates of an older insight, or of a plan that needs it not, may be without: null there."""
    return profile[name] if name in profile.columns else ibis.null(kind)


def split(profile: ir.Table, offer: Offer, rules: SellerRules) -> Split:
    """Who pays, where a seller's own promotion may run.

    A price offer of ours on what a seller has on promotion is left out (`exclude`), made as it is (`stack`), or made at the cost of
    both (`share`); of goods whose seller is not known nothing can be shared, so there it is left out too.

    Args:
        profile: seller_id, seller_promotion, where known.
        offer: The offer.
        rules: What holds between the shop and its sellers.
    """
    null = ibis.null("string")
    seller = column(profile, "seller_id", "string") if offer.scope == "product" else null
    allowed: ir.BooleanValue = seller.notnull() if offer.seller_part else ibis.literal(True)
    part = ibis.literal(offer.seller_part) if offer.seller_part else None
    if not offer.price or rules.collision == "stack":
        return Split(allowed, part, seller)
    promoted = column(profile, "seller_promotion", "boolean").fill_null(False)
    if rules.collision == "exclude" or offer.scope != "product":
        return Split(allowed & ~promoted, part, seller)
    shared = promoted.ifelse(max(rules.share, offer.seller_part), offer.seller_part)
    return Split(allowed & (~promoted | seller.notnull()), shared, seller)


def with_promotions(lines: ir.Table, promotions: ir.Table) -> ir.Table:
    """Adds to order lines the seller's own promotion that applied, the largest where several did, and what it took off.

    Args:
        lines: order_id, line_no, seller_id, product_id, category, ordered_at, quantity, amount (after its discount) and discount.
        promotions: Current promotions.

    Returns:
        The lines, with promotion_id (null where none ran) and seller_own: what the promotion took off, no more than the line's discount;
        minor units.
    """
    key = ["order_id", "line_no"]
    stated = promotions.select(**{f"of_{name}": promotions[name] for name in PROMOTED})
    joined = lines.filter(lines.discount > 0).join(stated, [("seller_id", "of_seller_id")])
    running = (joined.ordered_at >= joined.of_starts_at) & (joined.of_ends_at.isnull() | (joined.ordered_at < joined.of_ends_at))
    of_product = joined.of_product_id.isnull() | (joined.of_product_id == joined.product_id)
    of_category = joined.of_category.isnull() | (joined.of_category == joined.category)
    met = joined.filter(running, of_product.fill_null(False), of_category.fill_null(False))
    by_percent = ((met.amount + met.discount) * met.of_percent).round().cast("int64")
    taken = ibis.coalesce(by_percent, met.of_amount * met.quantity, ibis.literal(0))
    met = met.mutate(seller_own=ibis.least(taken, met.discount))
    place = ibis.row_number().over(group_by=key, order_by=[ibis.desc("seller_own"), "of_promotion_id"])
    largest = met.mutate(place=place).filter(lambda t: t.place == 0).select(*key, "seller_own", promotion_id="of_promotion_id")
    found = lines.left_join(largest, key).drop("order_id_right", "line_no_right")
    return found.mutate(seller_own=found.seller_own.fill_null(0))


def redeemed_lines(orders: ir.Table, lines: ir.Table, given: ir.Table) -> ir.Table:
    """Lines of orders that redeemed a code of ours: by its holder, and the first such order alone, for a code is used once.

    Args:
        orders: order_id, customer_id, ordered_at, code, net; those that stand.
        lines: order_id, line_no, seller_id, product_id, category, quantity, amount, discount.
        given: customer_id, code, of price offers of ours; share: the seller's part of their cost by the offer itself.

    Returns:
        The lines with ordered_at, code, share and rest: the part of the order's discount that no line carries, spread by amount
        (whole minor units, the remainder on the first line).
    """
    used = orders.join(given, ["customer_id", "code"])
    first = ibis.row_number().over(group_by="code", order_by=["ordered_at", "order_id"])
    used = used.mutate(place=first).filter(lambda t: t.place == 0).select("order_id", "ordered_at", "code", "net", "share")
    ours = lines.join(used, "order_id").select(*lines.columns, "ordered_at", "code", "net", "share")
    whole = ibis.window(group_by="order_id")
    total = ours.amount.sum().over(whole)
    uncarried = ibis.greatest(total - ours.net, ibis.literal(0))
    spread = (uncarried * ours.amount / total.nullif(0)).floor().cast("int64").fill_null(0)
    ours = ours.mutate(uncarried=uncarried, spread=spread)
    remainder = ours.uncarried - ours.spread.sum().over(whole)
    leading = ours.line_no == ours.line_no.min().over(whole)
    return ours.mutate(rest=ours.spread + leading.ifelse(remainder, 0)).drop("uncarried", "spread", "net")


def given(touches: ir.Table, documents: Documents) -> ir.Table:
    """Codes of price offers that customers were sent: customer_id, code, share (the seller's part of their cost by the offer itself).

    Args:
        touches: Current touches.
        documents: Whose variants they were.
    """
    shares = {
        f"{program.name}:{stage.name}:{arm.name}": documents.offers[arm.offer].seller_part
        for program in documents.programs for stage in program.stages for arm in stage.arms if documents.offers[arm.offer].price
    }
    variant = touches.program + ":" + touches.stage + ":" + touches.arm
    share = variant.cases(*shares.items(), else_=ibis.null("float64")) if shares else ibis.null("float64")
    found = touches.select("customer_id", "code", share=share)
    return found.filter(found.share.notnull(), found.code != "")


def subsidies(warehouse: Warehouse, documents: Documents, as_of: AsOf) -> ir.Table:
    """What redemptions so far took off every order line, and who bore it: as `borne`, kept.

    Args:
        warehouse: An open history.
        documents: Whose offers, and the rules between shop and sellers.
        as_of: Later orders are not seen.
    """
    categories = warehouse.current("products").select("product_id", "category")
    lines = warehouse.current("order_lines").left_join(categories, "product_id").drop("product_id_right")
    ours = redeemed_lines(purchases.sales(warehouse, as_of), lines, given(warehouse.current("touches"), documents))
    known = warehouse.keep(ours.select(*_LINE, "ordered_at", "code", "share", "rest"))
    return warehouse.keep(borne(with_promotions(known, warehouse.current("promotions")), documents.rules.sellers))


def borne(lines: ir.Table, rules: SellerRules) -> ir.Table:
    """Who bore what of every line that redeemed an offer of ours, with the seller's own promotion where one ran beside it.

    Args:
        lines: From `redeemed_lines`, then `with_promotions`.
        rules: What holds where both applied: shared, the seller bears at least `share` of ours.

    Returns:
        order_id, line_no, code, seller_id, promotion_id (null where none ran: otherwise both applied), seller_own (its promotion), ours
        (what our offer took off), by_seller and by_shop (of ours); minor units.
    """
    ours = lines.discount - lines.seller_own + lines.rest
    share = lines.share.fill_null(0.0)
    if rules.collision == "share":
        share = lines.promotion_id.notnull().ifelse(ibis.greatest(share, ibis.literal(rules.share)), share)
    told = lines.mutate(ours=ours, by_seller=(ours * share).round().cast("int64"))
    return told.select(
        "order_id", "line_no", "code", "seller_id", "promotion_id", "seller_own", "ours", "by_seller", by_shop=told.ours - told.by_seller
    )


def planned(rows: ir.Table) -> ir.Table:
    """What a plan is expected to spend on goods of each seller, its messages among it: seller_id, touches, by_shop, by_seller, thousandths.

    Args:
        rows: Of a plan: seller_id, reason, expected_cost, seller_cost.
    """
    sent = rows.filter(rows.reason.isnull(), rows.seller_id.notnull(), rows.expected_cost > 0)
    by_seller = sent.seller_cost.fill_null(0)
    sent = sent.select("seller_id", by_seller=by_seller, by_shop=sent.expected_cost - by_seller)
    return _by_seller(sent)


def redeemed(lines: ir.Table) -> ir.Table:
    """What redemptions cost by seller: seller_id, touches (lines), by_shop, by_seller, minor units.

    Args:
        lines: From `borne`.
    """
    return _by_seller(lines.filter(lines.seller_id.notnull()).select("seller_id", "by_seller", "by_shop"))


def _by_seller(spent: ir.Table) -> ir.Table:
    sums = spent.group_by("seller_id").aggregate(
        touches=spent.count(), by_shop=spent.by_shop.sum().cast("int64"), by_seller=spent.by_seller.sum().cast("int64")
    )
    return sums.order_by(ibis.desc("by_shop"), "seller_id")


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of what the shop spends on goods of sellers goes to one of them.

    Args:
        seller: Who gets the most.
        share: Of the whole, 0 to 1.
        limit: The most that the rules allow.
    """

    seller: str
    share: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether it is within the limit."""
        return self.share <= self.limit


def concentration(spent: list[tuple[str, int]], rules: SellerRules) -> Concentration | CannotTell:
    """The share of the seller on whose goods the shop spends most; of two alike the first by id.

    Args:
        spent: Seller and what the shop spends, any unit.
        rules: With the limit.

    >>> concentration([("A", 30), ("B", 10)], SellerRules())
    Concentration(seller='A', share=0.75, limit=0.5)
    """
    total = sum(amount for _, amount in spent)
    if total <= 0:
        return CannotTell("the shop spends nothing on goods of one seller")
    seller, most = min(spent, key=lambda one: (-one[1], one[0]))
    return Concentration(seller, most / total, rules.concentration_at_most)
