"""A person's yes to a version of the table of chances, and the way back to an earlier one.

Knows nothing of how a version came about. A version that treats groups of customers unequally gets no yes, as a program does not.
"""

from dataclasses import dataclass
from datetime import datetime

from rekindle.decide.fairness import Verdict
from rekindle.decide.policy import EQUAL, equal_chance
from rekindle.errors import BadData
from rekindle.history.warehouse import Warehouse
from rekindle.learn.versions import write
from rekindle.moment import AsOf, local_day
from rekindle.service.flow import approving, documents, policies
from rekindle.service.flow.policies import SEE_ALL
from rekindle.service.programs import actions, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.queries import POLICY
from rekindle.settings import Settings


@dataclass(frozen=True, slots=True)
class Yes:
    """Who says yes, and when.

    Args:
        by: Who.
        at: When, by the clock.
        since: The store's present: from which instant on plans go by it.
    """

    by: str
    at: datetime
    since: AsOf


@dataclass(frozen=True, slots=True)
class Held:
    """What is in force after an approval or a way back.

    Args:
        name: The version.
        before: What was in force until then.
        verdicts: How groups of customers fare by it, where the rules name any.
    """

    name: str
    before: str
    verdicts: tuple[Verdict, ...] = ()


def approve(settings: Settings, warehouse: Warehouse, name: str, yes: Yes, dry_run: bool = False) -> Held:
    """Makes a version the one in force.

    Args:
        settings: The store's.
        warehouse: Its open history: a dry plan by the version is judged by the rules' fairness.
        name: The version, in full.
        yes: Whose.
        dry_run: Whether nothing is written.

    Raises:
        BadData: There is no such version, or it was approved before.
        Refused: A group of customers fares worse or better by it than the rules allow.
    """
    version, reign = policies.read(settings, name), policies.reigning(settings)
    if given := [one for one in queries.policy_approvals() if one.name == version.name]:
        said = f"{version.name} was approved by {given[0].by} on {local_day(given[0].at, settings.timezone)}"
        if version.name == reign[-1]:
            raise BadData(f"{said} and is in force", SEE_ALL)
        raise BadData(f"{said} and is no longer in force", f"Go back to it with: rekindle policy rollback {version.name}")
    if version.policy.name == EQUAL:
        raise BadData(f"{version.name} is a table of equal chances", f"Go back to those with: rekindle policy rollback {EQUAL}")
    held = documents.approved(settings)
    verdicts = approving.refuse_unfair(settings, warehouse, held, version.policy)
    if not dry_run:
        actions.hold(version.name, yes.by, yes.at, yes.since.instant)
    return Held(version.name, reign[-1], verdicts)


def rollback(settings: Settings, yes: Yes, name: str | None = None, dry_run: bool = False) -> Held:
    """Goes back to the version that was in force before, to a named one, or to equal chances.

    Args:
        settings: The store's.
        yes: Whose.
        name: A version that was approved once, or `equal-chance`; the one before where not given.
        dry_run: Whether nothing is written.

    Raises:
        BadData: None was in force before, or the named one is in force, was never approved, or is not there.
    """
    reign = policies.reigning(settings)
    wanted = _wanted(settings, name, reign)
    if wanted == reign[-1]:
        raise BadData(f"{wanted} is in force already", SEE_ALL)
    if not dry_run:
        if wanted == EQUAL:
            _keep_equal(settings, yes)
        actions.hold(wanted, yes.by, yes.at, yes.since.instant)
    return Held(wanted, reign[-1])


def _wanted(settings: Settings, name: str | None, reign: tuple[str, ...]) -> str:
    if name is None:
        if len(reign) < 2:
            remedy = "Propose one with: rekindle policy propose"
            raise BadData("no version of the table of chances was in force before: plans go by equal chances", remedy)
        return reign[-2]
    if name == EQUAL:
        return EQUAL
    wanted = policies.read(settings, name).name
    if wanted not in {one.name for one in queries.policy_approvals()}:
        raise BadData(f"{wanted} was never in force", f"Approve it with: rekindle policy approve {wanted}")
    return wanted


def _keep_equal(settings: Settings, yes: Yes) -> None:
    """The name under which going back to equal chances is written down; what they are follows from the programs of each plan."""
    if any(one.name == EQUAL for one in queries.policies(EQUAL)):
        return
    table = equal_chance(documents.approved(settings).programs)
    text = write(policies.bare(table, yes.since))
    actions.submit([Submission(POLICY, POLICY, text, policies.BY_RULE, EQUAL)], yes.at)
