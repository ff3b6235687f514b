"""What redemptions have cost.

Knows nothing of budgets.
"""

from datetime import date

from django.db.models import Sum

from rekindle.service.redemptions.models import Spend


def spent(since: date) -> dict[tuple[str, str], int]:
    """What redemptions cost from a day on: by program and payer (`shop` or `seller`), minor units.

    Args:
        since: In the store's time zone; the day itself counts.
    """
    rows = Spend.objects.filter(spent_on__gte=since).order_by("program", "payer").values_list("program", "payer")
    return {(program, payer): cost for program, payer, cost in rows.annotate(cost=Sum("cost"))}
