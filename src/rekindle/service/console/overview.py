"""The first page: what is going on, in a sentence, and what waits for whoever looks.

Knows nothing of how anything is worked out.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from rekindle.service.console.roles import Role, may
from rekindle.service.console.shell import show


@may(Role.VIEWER)
def overview(request: HttpRequest) -> HttpResponse:
    """The overview."""
    return show(request, "overview.html")


@require_safe
def first(request: HttpRequest) -> HttpResponse:
    """What stands at the address itself: the way to the console."""
    return HttpResponseRedirect(reverse("overview"))
