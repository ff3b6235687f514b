"""The page that a mail asking for a confirmation leads to: one button, and nothing is agreed to before it is pressed.

Knows nothing of messages. Looking changes nothing: programs that follow every link of a mail confirm nothing.
"""

from django.http import HttpRequest, HttpResponse

from rekindle import moment
from rekindle.deliver.links import verify
from rekindle.errors import Refused
from rekindle.service.config import load_ring
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.confirming import CONFIRM
from rekindle.service.flow.linking import open_linker
from rekindle.service.flow.wordings import wording
from rekindle.service.people.actions import confirm
from rekindle.service.people.models import OptIn, Person
from rekindle.service.people.queries import can_confirm
from rekindle.service.public.answers import not_ours, page
from rekindle.service.public.forms import form


@form()
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The page with its button, and what the button posts to."""
    store, now = store_in_use(), moment.now()
    try:
        number = verify(load_ring(store.var, CONFIRM), token).subject
    except Refused:
        return not_ours(request)
    asked = OptIn.objects.filter(pk=number).first()
    person = Person.objects.filter(pk=asked.customer_id).first() if asked else None
    if asked is None or person is None:
        return not_ours(request)
    good = confirm(number, now) if request.method == "POST" else can_confirm(asked, person, now)
    _, choose = open_linker(store).own(person.customer_id, asked.channel)
    said = {
        "wording": wording(store.root, asked.wording_version, store.name, person.locale, store.locale), "choose": choose,
        "state": "over" if not good else "done" if request.method == "POST" else "asked",
    }
    return page(request, "confirm.html", said, locale=person.locale)
