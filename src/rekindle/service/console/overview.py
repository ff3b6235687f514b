"""The first page: what is going on, in a sentence, and what waits for whoever looks.

Knows nothing of how anything is worked out.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from rekindle.service.config.web import store_in_use
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import show
from rekindle.service.console.standing import standing
from rekindle.service.console.todo import todo
from rekindle.service.flow import worlds

REASONS_SHOWN = 2
"""Reasons to be left alone that the tile names."""

UNTOLD = "cannot tell"
"""The status of a target of which nothing is known yet."""


@may(Role.VIEWER)
def overview(request: HttpRequest) -> HttpResponse:
    """The overview; of a store without any orders, the way to begin for who may."""
    found, operator = standing(), operator_of(request)
    if found is None:
        return HttpResponseRedirect(reverse("start")) if operator.role >= Role.EDITOR else show(request, "overview.html", {"found": None})
    waits = [one for one in todo(found) if operator.role >= one.role and operator.privacy >= one.privacy]
    reasons = list(found.left_alone.items())[:REASONS_SHOWN]
    told = [one for one in found.targets if one["status"] != UNTOLD]
    said = {
        "found": found, "todo": waits, "left_alone": sum(found.left_alone.values()), "reasons": reasons,
        "other_reasons": sum(found.left_alone.values()) - sum(count for _, count in reasons),
        "simulated": worlds.is_simulated(store_in_use()),
        "told": told, "untold": len(found.targets) - len(told),
    }  # fmt: skip
    return show(request, "overview.html", said)


@may(Role.VIEWER)
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """An address that is no page."""
    return show(request, "absent.html", {"what": "page"}, status=404)


@require_safe
def first(request: HttpRequest) -> HttpResponse:
    """What stands at the address itself: the way to the console."""
    return HttpResponseRedirect(reverse("overview"))
