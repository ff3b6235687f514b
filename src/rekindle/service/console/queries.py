"""Questions about operators, for commands and pages.

Knows nothing of pages.
"""

from datetime import datetime
from hashlib import sha256

from rekindle.service.console.actions import BROUGHT, FIRST_YES
from rekindle.service.console.models import Deed, Invitation, Operator
from rekindle.service.console.roles import Role


def operators() -> list[Operator]:
    """All of them, in the order in which they came."""
    return list(Operator.objects.all())


def role_named(name: str) -> Role:
    """The role of a name.

    Raises:
        KeyError: There is none.
    """
    return Role[name.upper()]


def invitation(token: str, at: datetime) -> Invitation | None:
    """The open invitation of a link; None where it is spent, too old, or never was."""
    found = Invitation.objects.filter(digest=sha256(token.encode()).hexdigest(), spent_at=None, expires_at__gt=at)
    return found.select_related("operator").first()


def approvers() -> int:
    """How many operators can let something go: who has not set up a second factor yet cannot."""
    from allauth.mfa.models import Authenticator  # commands ask other questions of this module before all apps are there

    found = Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__role__gte=Role.APPROVER, user__is_active=True)
    return int(found.values("user").distinct().count())


def brought(key: str, email: str) -> bool:
    """Whether an operator brought the upload of a key."""
    return Deed.objects.filter(what=BROUGHT, by=email, about__startswith=f"{key}/").exists()


def yes_to(plan: str) -> Deed | None:
    """The first of two yeses to a plan; None where nobody has said it."""
    return Deed.objects.filter(what=FIRST_YES, about=plan).first()
