"""The chain of plans: each seal covers the plan's decisions and the seal before it, so that no decision changes unnoticed.

Knows nothing of why anything was decided. An erased decision counts by the digest that stays of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa

from rekindle.history.erasing import row_digest
from rekindle.history.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Link:
    """One plan of the chain.

    Args:
        plan: Its hash.
        decisions: How many decisions it has now.
        erased: How many more it had, of customers who were erased.
        good: Whether its seal is what its decisions and the seal before it give.
    """

    plan: str
    decisions: int
    erased: int
    good: bool


def seal(warehouse: Warehouse, plan: str) -> None:
    """Seals a plan whose decisions are all in the journal; one that is sealed stays as it is.

    Args:
        warehouse: An open history, inside a transaction.
        plan: The plan's hash.
    """
    seals = warehouse.table("seals")
    if warehouse.scalar(seals.filter(seals.plan == plan).count()):
        return
    last = warehouse.arrow(seals.order_by(ibis.desc("number")).limit(1)).to_pylist()
    number, before = (last[0]["number"] + 1, last[0]["seal"]) if last else (1, "")
    made = sealed(before, plan, _digests(warehouse, plan))
    warehouse.insert("seals", pa.table({"number": [number], "plan": [plan], "seal": [made]}))


def verify(warehouse: Warehouse) -> tuple[Link, ...]:
    """Every sealed plan in its order, with whether its seal holds."""
    seals, erased = warehouse.table("seals"), warehouse.table("erased_decisions")
    before, links = "", []
    for row in warehouse.arrow(seals.order_by("number")).to_pylist():
        digests = _digests(warehouse, row["plan"])
        gone = warehouse.scalar(erased.filter(erased.plan == row["plan"]).count())
        links.append(Link(row["plan"], len(digests) - gone, gone, sealed(before, row["plan"], digests) == row["seal"]))
        before = row["seal"]
    return tuple(links)


def sealed(before: str, plan: str, digests: Sequence[str]) -> str:
    """A seal: over the one before, the plan's hash, and the digests of its decisions in the order of the alphabet.

    >>> sealed("", "p1", ["b", "a"]) == sealed("", "p1", ["a", "b"]) != sealed("", "p1", ["a"])
    True
    """
    return hashlib.sha256(f"{before}|{plan}|{''.join(np.sort(np.array(digests, dtype=str)))}".encode()).hexdigest()


def _digests(warehouse: Warehouse, plan: str) -> list[str]:
    journal, erased = warehouse.table("journal"), warehouse.table("erased_decisions")
    mine = journal.filter(journal.plan == plan)
    held = mine.select(digest=row_digest(mine)).union(erased.filter(erased.plan == plan).select("digest"))
    return [str(one) for one in warehouse.arrow(held)["digest"].to_pylist()]
