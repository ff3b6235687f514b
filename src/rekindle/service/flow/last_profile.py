"""The last published profiles, for what is judged by how things stand rather than computed anew.

Knows nothing of how a profile is made.
"""

import json
from dataclasses import dataclass
from datetime import datetime

import ibis.expr.types as ir

from rekindle.history.warehouse import Warehouse
from rekindle.insight.profile import COLUMNS
from rekindle.moment import AsOf
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Published:
    """Profiles as they were published.

    Args:
        as_of: Their instant.
        table: One row per customer.
    """

    as_of: AsOf
    table: ir.Table


def last_profile(settings: Settings, warehouse: Warehouse) -> Published | None:
    """The profiles that were published last; None where none were, or another version of Rekindle did it.

    Args:
        settings: The store's.
        warehouse: Its open history.
    """
    folders = sorted((settings.var / "insight").glob("*/insight.json"))
    if not folders:
        return None
    at = datetime.fromisoformat(json.loads(folders[-1].read_text(encoding="utf-8"))["as_of"])
    table = warehouse.read_parquet(folders[-1].with_name("profile.parquet"))
    return Published(AsOf(at, settings.timezone, shifted=True), table) if set(COLUMNS) <= set(table.columns) else None
