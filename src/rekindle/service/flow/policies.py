"""Which version of the table of chances is in force, which were before it, and who said yes to each.

Knows nothing of how a version is chosen. Versions and approvals are only ever added: going back to an earlier version is one more approval,
and every version that a decision names can be read by its name for good.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis

from rekindle.decide.policy import EQUAL, EXPERIMENT, Policy, equal_chance, fixed
from rekindle.errors import BadData, CannotTell
from rekindle.history.warehouse import Warehouse
from rekindle.learn import versions
from rekindle.learn.versions import Version
from rekindle.moment import AsOf
from rekindle.program.documents import Documents
from rekindle.service.config import use_ledger
from rekindle.service.experiments.queries import as_written, running
from rekindle.service.programs import actions, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.queries import POLICY, Yes
from rekindle.settings import Settings

SEE_ALL = "See all versions with: rekindle policy show"

BY_RULE, BY_EXPERIMENT = "equal chance", "a running experiment"
"""How the tables came about that no one proposed: they follow from the programs, and from what is being tried in them."""

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A version as a list of them shows it.

    Args:
        name: Its version.
        way: How it came about.
        proposed_at: When.
        approvals: Every yes to it, the first first.
    """

    name: str
    way: str
    proposed_at: datetime
    approvals: tuple[Yes, ...]


def reign(approvals: Iterable[Yes]) -> tuple[str, ...]:
    """The versions that were in force one after another, as far as nobody went back behind them: equal chance first, the last in force.

    A yes to a version that the list holds goes back to it; what came after it is no longer there to go back to.
    """
    found = [EQUAL]
    for one in approvals:
        if one.name in found:
            del found[found.index(one.name) + 1 :]
        else:
            found.append(one.name)
    return tuple(found)


def reigning(settings: Settings, as_of: AsOf | None = None) -> tuple[str, ...]:
    """`reign` of a store, as of an instant or of all approvals.

    Args:
        settings: The store's.
        as_of: Approvals that hold from a later instant are not seen.
    """
    use_ledger(settings)
    given = queries.policy_approvals()
    return reign(one for one in given if as_of is None or one.since <= as_of.instant)


def in_force(settings: Settings, documents: Documents, as_of: AsOf | None = None) -> Policy:
    """The table that plans go by: that of the last approval, equal chances before the first.

    Args:
        settings: The store's.
        documents: Approved documents; equal chances follow from them.
        as_of: Approvals that hold from a later instant are not seen; all are where not given.

    Raises:
        BadData: It was changed after it was kept.
    """
    name = reigning(settings, as_of)[-1]
    return equal_chance(documents.programs) if name == EQUAL else read(settings, name).policy


def of_plan(settings: Settings, warehouse: Warehouse, documents: Documents, as_of: AsOf) -> Policy:
    """The table that a plan of an instant goes by: that of a plan which was committed for this very instant, else the one in force then.

    So a plan that was committed comes out again as it was, whatever has been approved since.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: Approved documents.
        as_of: The instant.
    """
    at, plans, journal = ibis.literal(as_of.naive), warehouse.table("plans"), warehouse.table("journal")
    if warehouse.scalar(plans.filter(plans.as_of == at).count()):
        rows = journal.filter(journal.as_of == at).semi_join(plans, "plan").select("policy").distinct().order_by("policy")
        names = [name for name in warehouse.arrow(rows)["policy"].to_pylist() if not name.startswith(f"{EQUAL}-")]
        return read(settings, names[-1]).policy if names else equal_chance(documents.programs)
    return tried(in_force(settings, documents, as_of), documents, as_of)


def tried(policy: Policy, documents: Documents, as_of: AsOf) -> Policy:
    """A table as plans of an instant go by it: with equal chances in every stage in which an experiment runs then.

    Args:
        policy: The table in force.
        documents: Approved documents.
        as_of: The instant.
    """
    for run in running(as_of.instant):
        stages = {(program.name, stage.name): stage for program in documents.programs for stage in program.stages}
        stage = stages.get((run.program, run.stage))
        compared = as_written(run).compared
        if stage is not None and {arm.name for arm in stage.arms}.issuperset(compared):
            policy = fixed(policy, run.program, stage, compared)
    return policy


def keep(settings: Settings, version: Version, at: datetime) -> str:
    """Keeps a version for good and returns its name; one that is kept already stays as it is.

    The clock of a simulated store stands still between two commands: a version is noted after all earlier ones all the same.

    Raises:
        BadData: Another table is kept under the name.
    """
    use_ledger(settings)
    after = max((one.at for one in queries.policies()), default=at - TICK) + TICK
    actions.submit([Submission(POLICY, POLICY, versions.write(version), version.way, version.name)], max(at, after))
    if sorted(read(settings, version.name).policy.rows) != sorted(version.policy.rows):
        raise BadData(f"another table is kept as {version.name}", "Give the table another name.")
    return version.name


def keep_rule(settings: Settings, policy: Policy, as_of: AsOf) -> None:
    """Keeps a table that nobody proposed and the decisions of an instant name, so that it can be read when the programs have changed."""
    use_ledger(settings)
    if policy.name in (EQUAL, EXPERIMENT) and not queries.policies(policy.version):
        keep(settings, bare(policy, as_of), as_of.instant)


def bare(policy: Policy, as_of: AsOf) -> Version:
    """A table that nobody proposed, as a version."""
    way = BY_EXPERIMENT if policy.name == EXPERIMENT else BY_RULE
    return Version(policy, way, as_of.instant, policy.version, (), {}, CannotTell("it was not proposed"), {})


def read(settings: Settings, name: str) -> Version:
    """A version by its name, how that begins, or the hash that it ends with.

    Raises:
        BadData: None or several are named so, or it was changed after it was kept.
    """
    use_ledger(settings)
    found = queries.policies(name) if name else ()
    if len(found) != 1:
        what = f"names {len(found)} versions" if found else "names no version"
        raise BadData(f"'{name}' {what} of the table of chances", SEE_ALL)
    return versions.read(found[0].text)


def entries(settings: Settings) -> tuple[Entry, ...]:
    """Every version with its approvals, in the order of their proposal."""
    use_ledger(settings)
    approvals = queries.policy_approvals()
    return tuple(
        Entry(one.name, one.way, one.at, tuple(yes for yes in approvals if yes.name == one.name))
        for one in queries.policies()
    )


def proposed(settings: Settings) -> str | None:
    """The version that was proposed last and never approved; None where there is none."""
    waiting = [one for one in entries(settings) if not one.approvals and one.way not in (BY_RULE, BY_EXPERIMENT)]
    return waiting[-1].name if waiting else None
