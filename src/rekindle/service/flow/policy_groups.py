"""Which share of each context's customers belongs to the groups that the rules compare.

Knows nothing of chances. Groups are looked at here and decide nothing by themselves: a table is kept from treating them unequally.
"""

from rekindle.decide import policy
from rekindle.decide.fairness import UNKNOWN
from rekindle.history.warehouse import Warehouse
from rekindle.insight.profile import COLUMNS
from rekindle.learn.policy_terms import Group
from rekindle.program.rules import Fairness
from rekindle.settings import Settings


def groups(settings: Settings, warehouse: Warehouse, fairness: Fairness) -> tuple[Group, ...]:
    """The groups among the customers of the last published profiles, those of fewer than the rules' least left out.

    Args:
        settings: The store's.
        warehouse: Counts.
        fairness: The rules' groups.

    Returns:
        None where nothing has been published yet, or by a Rekindle of other profiles.
    """
    folders = sorted((settings.var / "insight").glob("*/insight.json"))
    if not folders:
        return ()
    profile = warehouse.read_parquet(folders[-1].with_name("profile.parquet"))
    if not set(COLUMNS) <= set(profile.columns):
        return ()
    placed = profile.mutate(context=policy.context(profile))
    found: list[Group] = []
    for column in fairness.groups:
        named = placed.mutate(group=placed[column].cast("string").fill_null(UNKNOWN))
        rows = warehouse.arrow(named.group_by("context", "group").aggregate(customers=named.count())).to_pylist()
        found += _shares(column, rows, fairness.least)
    return tuple(found)


def _shares(column: str, rows: list[dict[str, int | str]], least: int) -> list[Group]:
    whole: dict[str, int] = {}
    mine: dict[str, dict[str, int]] = {}
    for row in rows:
        where, group, customers = str(row["context"]), str(row["group"]), int(row["customers"])
        whole[where] = whole.get(where, 0) + customers
        mine.setdefault(group, {})[where] = customers
    large = {name: counts for name, counts in sorted(mine.items()) if sum(counts.values()) >= least}
    return [Group(f"{column} {name}", {where: count / whole[where] for where, count in counts.items()}) for name, counts in large.items()]
