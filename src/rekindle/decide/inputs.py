"""Everything that a plan depends on.

Knows nothing of how it is made.
"""

from dataclasses import dataclass, replace

import ibis.expr.types as ir

from rekindle.decide.arms import Shop
from rekindle.decide.due import Past
from rekindle.decide.policy import Policy
from rekindle.moment import AsOf
from rekindle.program.documents import Documents, Program


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a plan depends on.

    Args:
        profile: From `insight.profile.build`, kept.
        documents: Approved programs, offers and rules.
        policy: The table of chances.
        shop: The store's costs and channels.
        as_of: The instant.
        inclusive: Whether plans already made for this instant are seen, so that only what is new is decided.
        past: What earlier plans decided; the stored journal of ready plans where not given.
    """

    profile: ir.Table
    documents: Documents
    policy: Policy
    shop: Shop
    as_of: AsOf
    inclusive: bool = False
    past: Past | None = None

    @property
    def service(self) -> frozenset[str]:
        """The names of the programs whose messages are about the customer's own order."""
        return frozenset(program.name for program in self.documents.programs if program.service)

    def shop_of(self, program: Program) -> Shop:
        """The store as a program uses it: its channels in the program's order; service messages need no consent."""
        shop = replace(self.shop.within(program.channels), sellers=self.documents.rules.sellers, day=self.as_of.day)
        return replace(shop, rehearsal=True) if program.service else shop
