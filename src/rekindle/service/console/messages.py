"""Messages: what waits, what was sent, what could not be, and one of them as its reader sees it.

Knows nothing of sending. Who may not see personal data sees a message with an invented name, code and number of an order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from rekindle import moment
from rekindle.errors import BadData, Refused
from rekindle.service.config.web import store_in_use
from rekindle.service.console.plans import offer_labels
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import show
from rekindle.service.flow import plan_approving
from rekindle.service.flow.previewing import NAME, Preview, as_example, of_touch
from rekindle.service.flow.timeline import WAYS, masked
from rekindle.service.outbox import board
from rekindle.service.outbox.models import EXPIRED, FAILED, OPEN, PLANNED, SENT, SUPPRESSED, UNKNOWN, Touch
from rekindle.service.people.models import Person
from rekindle.service.programs.queries import paused

AS_READ = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox"
)
"""A mail carries its styles within itself: its frame may, and may nothing else."""


@dataclass(frozen=True, slots=True)
class State:
    """What messages can be in.

    Args:
        name: In addresses.
        words: What people read.
        statuses: Of the outbox.
        about: What it means, a sentence.
        tone: good, warn, bad or none.
    """

    name: str
    words: str
    statuses: tuple[str, ...]
    about: str
    tone: str = ""


WINDOW = timedelta(days=7)
"""How far back what is settled is counted."""

DAYS = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of `pieces/bars.html`."""

    label: str
    share: float
    words: str


NEVER_AGAIN = "None of them is tried again, so that nobody gets one twice; a receipt or a bounce settles it."

STATES = (
    State("waiting", "Waiting", OPEN, "Decided, and not yet handed over: each goes at its hour, if nothing has come up by then."),
    State("sent", "Sent", (SENT,), "Handed over to whoever delivers them.", "good"),
    State("withheld", "Withheld", (SUPPRESSED,), "Not sent because something came up after they were decided, such as an order or a stop."),
    State("unknown", "Unknown", (UNKNOWN,), f"Broken off in the middle of handing over. {NEVER_AGAIN}", "warn"),
    State("failed", "Failed", (FAILED,), "Refused by whoever was to deliver them, or not to be written.", "bad"),
    State("late", "Too late", (EXPIRED,), "Their time had passed before they could go."),
)
"""Every status of the outbox is in one of them."""


@may(Role.VIEWER)
def messages(request: HttpRequest) -> HttpResponse:
    """The outbox by state."""
    since, operator = moment.now() - WINDOW, operator_of(request)
    counts = board.counts(since)
    usual = STATES[0] if any(counts[status] for status in OPEN) else STATES[1]
    state = next((one for one in STATES if one.name == request.GET.get("state")), usual)
    listed = [(one, sum(counts[status] for status in one.statuses), one is state) for one in STATES]
    waits, people = state is STATES[0], operator.role >= Role.EDITOR
    found = board.page(state.statuses, _begin(request.GET), ascending=waits) if people else []
    rows, more, said_to = found[: board.PAGE], len(found) > board.PAGE, str if operator.privacy else masked
    said: dict[str, object] = {
        "states": listed, "state": state, "total": next(n for one, n, here in listed if here), "people": people,
        "days": WINDOW.days, "latest": board.LATEST,
        "reasons": () if waits or state.name == "sent" else board.reasons(state.statuses, since, said_to),
        "rows": [(one, WAYS.get(one.channel, one.channel), said_to(one.reason)) for one in rows],
        "after": f"{rows[-1].send_at.astimezone(UTC).isoformat()}~{rows[-1].pk}" if more else "", "none": not sum(counts.values()),
        **(_ahead(counts[PLANNED]) if waits else {}),
    }  # fmt: skip
    return show(request, "messages.html", said)


def _ahead(planned: int) -> dict[str, object]:
    """When those that wait are to go, and what holds them back."""
    store, now = store_in_use(), moment.now()
    today = moment.local_day(now, store.timezone)
    starts = [moment.start_of_day(today + timedelta(days=days), store.timezone) for days in range(1, DAYS + 1)]
    due, rest, *later, beyond = board.ahead([now, *starts])
    words = ["due now", "later today", *(f"{start:%A}" for start in starts[:-1]), "after that"]
    most = max(due, rest, *later, beyond, 1)
    bars = [Bar(name, n / most, f"{n:,}") for name, n in zip(words, (due, rest, *later, beyond), strict=True) if n]
    awaiting = [one for one in plan_approving.awaiting_lately(store) if one.messages]
    return {"bars": bars if planned else [], "awaiting": awaiting, "paused": sorted(paused())}


def _begin(asked: Mapping[str, str]) -> tuple[datetime, int] | None:
    """Where a page begins; at the latest where the address says nothing that can be read."""
    at, _, number = asked.get("after", "").partition("~")
    try:
        begin = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (begin, int(number)) if begin.tzinfo and number.isdigit() and len(number) < 19 else None


@may(Role.EDITOR)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One message, and what became of it."""
    touch = get_object_or_404(Touch, pk=number, plan__ready=True)
    try:
        found, mistake = _written(request, touch), None
    except (BadData, Refused) as error:
        found, mistake = None, error
    reason = touch.reason if operator_of(request).privacy else masked(touch.reason)
    state = next(one for one in STATES if touch.status in one.statuses)
    said = {
        "touch": touch, "found": found, "mistake": mistake, "reason": reason, "state": state, "personal": operator_of(request).privacy,
        "way": WAYS.get(touch.channel, touch.channel), "offer": offer_labels().get(touch.offer, touch.offer.replace("_", " ")),
    }  # fmt: skip
    return show(request, "messages-one.html", said)


@may(Role.EDITOR)
def mail(request: HttpRequest, number: int) -> HttpResponse:
    """An e-mail by itself, for the frame on its page."""
    touch = get_object_or_404(Touch, pk=number, plan__ready=True, channel="email")
    try:
        html = _written(request, touch).html
    except (BadData, Refused) as error:
        html = f"<p>{error.cause}</p>"
    return HttpResponse(html, headers={"Content-Security-Policy": AS_READ})


def _written(request: HttpRequest, touch: Touch) -> Preview:
    personal, store = operator_of(request).privacy, store_in_use()
    person = Person.objects.filter(pk=touch.customer_id).first() if personal else None
    name = NAME if not personal else person.first_name if person else None
    today = moment.local_day(touch.settled_at or touch.send_at, store.timezone)
    return of_touch(store, touch if personal else as_example(touch), name, today)


