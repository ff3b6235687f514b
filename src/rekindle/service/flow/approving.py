"""Whether documents may be approved as far as fairness goes: a dry plan by them, judged by the rules that they hold themselves.

Knows nothing of how approvals are kept. Where nothing has been published yet there is nothing to judge by.
"""

from collections.abc import Mapping

from rekindle.decide import fairness, planner
from rekindle.decide.policy import Policy
from rekindle.history.warehouse import Warehouse
from rekindle.program import checking
from rekindle.program.documents import Documents
from rekindle.program.reading import OFFERS, PROGRAMS, RULES
from rekindle.service.flow import policies
from rekindle.service.flow.documents import texts
from rekindle.service.flow.last_profile import last_profile
from rekindle.service.flow.planning import shop_of
from rekindle.service.people.queries import has_contacts
from rekindle.service.programs import queries
from rekindle.settings import Settings


def proposed(settings: Settings, digest: str | None) -> Documents | None:
    """The documents as they would hold after an approval: the folder's, or the approved ones with one version in its document's place.

    Args:
        settings: The store's.
        digest: The version; None for all of the folder's.

    Returns:
        None where the approval still leaves no whole set to plan by: offers, rules and a program.

    Raises:
        BadData: They cannot be used together, or there is no such version.
    """
    if digest is None:
        found: Mapping[str, str] = texts(settings.root)
    else:
        wanted = queries.version(digest)
        held = {name: queries.text_of(one) for name, one in queries.approved(settings).items()}
        found = {**held, wanted.name: wanted.text}
        if not {OFFERS, RULES} <= set(found) or not any(name.startswith(PROGRAMS) for name in found):
            return None
    return checking.assemble({name: text.encode() for name, text in found.items()}, float(settings.margin))


def refuse_unfair(
    settings: Settings, warehouse: Warehouse, documents: Documents | None, table: Policy | None = None
) -> tuple[fairness.Verdict, ...]:
    """Judges a plan that these documents would make of the customers of the last published profiles; nothing is written.

    Args:
        settings: The store's.
        warehouse: Its open history.
        documents: What the plan would go by.
        table: The table of chances that it would go by; the one in force where not given.

    Returns:
        The verdicts; none where the rules name no groups, or no profile of this version of Rekindle has been published.

    Raises:
        Refused: A group fares worse or better than the rules allow.
    """
    published = None if documents is None or documents.rules.fairness is None else last_profile(settings, warehouse)
    if documents is None or published is None:
        return ()
    profile, as_of = published.table, published.as_of
    shop = shop_of(settings, not has_contacts(), documents.rules, as_of.day)
    chances = table or policies.in_force(settings, documents)
    plan = planner.plan(warehouse, planner.Inputs(profile, documents, chances, shop, as_of))
    found = fairness.verdicts(warehouse, plan.rows, profile, documents.rules)
    fairness.require(found)
    return found
