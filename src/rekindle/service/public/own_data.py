"""A customer's own data: asking for a copy of it, or that all of it goes.

Knows nothing of how that is done. The copy itself is never shown here, for whoever has the link sees the page: the shop sends it to the
customer. What cannot be undone is asked twice.
"""

from django.http import HttpRequest, HttpResponse

from rekindle import moment
from rekindle.service.privacy.actions import ask
from rekindle.service.privacy.models import ACCESS, ERASURE
from rekindle.service.public.answers import filled, not_ours, page
from rekindle.service.public.forms import form
from rekindle.service.public.visitors import visitor_of

SOURCE = "page"
_SURE = "yes"


@form()
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """The page, and what its buttons post to."""
    visitor = visitor_of("preferences", token)
    if visitor is None:
        return not_ours(request)
    locale, form = visitor.person.locale, request.POST
    said: dict[str, object] = {"token": token, "sure": "erase" in form and form["erase"] != _SURE}
    kind = ACCESS if "copy" in form else ERASURE if form.get("erase") == _SURE else None
    if kind is not None:
        receipt = ask(kind, visitor.person.customer_id, SOURCE, moment.now())
        said["done"] = filled(locale, f"data_{kind}_asked", number=receipt.number)
    return page(request, "own_data.html", said, locale=locale)
