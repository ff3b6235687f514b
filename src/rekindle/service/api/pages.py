"""Long answers in pages: so many rows, and where the next ones begin.

Knows nothing of the rows.
"""

from typing import Annotated, Generic, TypeVar

from django.db.models import Model, QuerySet
from ninja import Schema
from pydantic import Field

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)

Limit = Annotated[int, Field(ge=1, le=100, description="At most so many.")]
After = Annotated[int, Field(ge=0, le=2**63 - 1, description="What the page before gave as `next`.")]


class Page(Schema, Generic[Row]):
    """Some rows; `next` is null where there are no more."""

    items: list[Row]
    next: int | None


def page(rows: QuerySet[Stored], after: int, limit: int) -> tuple[list[Stored], int | None]:
    """The rows of one page, by id, and what asks for the next.

    Args:
        rows: All of them.
        after: The id before the first.
        limit: How many.
    """
    found = list(rows.filter(pk__gt=after).order_by("pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
