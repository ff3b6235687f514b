"""A plan as somebody says yes to it: what it would send, what that costs and brings, who is left alone, and the yes itself.

Knows nothing of how it was decided. A yes is typed as the number of messages; a large plan takes two people where there are two.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from rekindle import moment, money
from rekindle.errors import RekindleError
from rekindle.service.config.web import store_in_use
from rekindle.service.console import actions, queries
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.console.standing import left_alone_by, messages_of, plan_to_look_at
from rekindle.service.flow import documents, plan_approving, plan_counts, spreadsheets, worlds
from rekindle.service.flow.plan_counts import Cell, Counts
from rekindle.service.flow.timeline import WAYS
from rekindle.service.outbox.models import Touch
from rekindle.service.people.queries import external_ids, people_by_id
from rekindle.service.programs.queries import approved

_SAMPLES, _AT_ONCE = 6, 2_000
COLUMNS = ("customer", "email", "program", "stage", "variant", "channel", "code", "send_at", "valid_until", "touch_key")
"""Of the file of a plan's messages, as `rekindle plan --out` names them."""


@dataclass(frozen=True, slots=True)
class Part:
    """The messages of one stage of a program that give the same.

    Args:
        program, stage: Which.
        offer: What they give: the label of the offer.
        service: Whether they are about the customer's own order, so that no margin is expected of them.
        messages: How many.
        cost, margin: Expected, minor units.
        ceiling: The cost if every offer is taken.
    """

    program: str
    stage: str
    offer: str
    service: bool
    messages: int
    cost: float
    ceiling: float
    margin: float


@may(Role.VIEWER)
def latest(request: HttpRequest) -> HttpResponse:
    """The plan that waits for a yes, or the last one."""
    store = store_in_use()
    found = plan_to_look_at(store, plan_approving.awaiting_lately(store))
    if found is None:
        return show(request, "plan.html", {"plan": None})
    return HttpResponseRedirect(reverse("plan-one", args=[found.plan[:12]]))


@may(Role.VIEWER, post=Role.APPROVER)
def one(request: HttpRequest, digest: str) -> HttpResponse:
    """A plan, and a person's yes to it."""
    store = store_in_use()
    named = plan_approving.named(store, digest, lately=request.method != "POST")
    begins = named.plan if named else digest
    found = [counts for counts in plan_counts.counts(store.var) if len(begins) >= 6 and counts.plan.startswith(begins)]
    if named is None and not found:
        return show(request, "absent.html", {"what": "plan"}, status=404)
    plan, messages = (found[0] if found else None), (named.messages if named else 0)
    said: dict[str, object] = {
        "plan": plan, "digest": plan.plan if plan else digest, "waits": messages, "committed": named is not None,
        "senders": ", ".join(f"{WAYS[channel]} ({sender})" for channel, sender in sorted(plan_approving.leaving(store).items())),
        **(_sums(plan) if plan else {}), "samples": _samples(named.plan) if named else [],
    }  # fmt: skip
    two = needs_two(messages, float(str(said["ceiling"])) if plan else None)
    said |= {"two": two, "first_yes": queries.yes_to(named.plan) if named and two else None}
    if request.method != "POST":
        return show(request, "plan.html", said)
    try:
        done = _yes(request, digest, two)
    except RekindleError as error:
        return show(request, "plan.html", {**said, "error": error}, status=400)
    note(request, f"Yes: {messages:,} messages leave when they are due." if done else "Yours is the first yes. It takes a second person's.")
    return HttpResponseRedirect(reverse("overview") if done else reverse("plan-one", args=[digest]))


def _yes(request: HttpRequest, digest: str, two: bool) -> bool:
    """Takes a yes; whether the plan may go now."""
    store, by = store_in_use(), operator_of(request).email
    wanted = plan_approving.named(store, digest)
    text = request.POST.get("messages", "").replace(",", "").strip()
    typed = int(text) if text.isdecimal() and len(text) < 12 else None
    at = worlds.clock(store) or moment.now()
    if wanted and two and typed == wanted.messages and not actions.say_yes(wanted.plan, by, moment.now()):
        return False
    plan_approving.approve(store, wanted or plan_approving.Waiting(digest, 0), typed, by, at)
    actions.note_deed(by, "said yes to a plan", f"{digest}, {typed} messages", moment.now())
    return True


@may(Role.EDITOR, post=Role.EDITOR, privacy=True)
def export(request: HttpRequest, digest: str) -> HttpResponseBase:
    """A plan's messages with addresses, as CSV for any other sender; whoever takes them out is written down first."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("plan-one", args=[digest]))
    named = plan_approving.named(store_in_use(), digest)
    if named is None:
        return show(request, "absent.html", {"what": "plan"}, status=404)
    number = Touch.objects.filter(plan_id=named.plan).count()
    actions.note_deed(operator_of(request).email, "took messages out", f"{named.plan}, {number} with addresses", moment.now())
    headers = {"Content-Disposition": f'attachment; filename="messages-{named.plan[:12]}.csv"'}
    return StreamingHttpResponse(_lines(named.plan), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(plan: str) -> Iterator[str]:
    """The lines of the file, some thousand at a time."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(COLUMNS)
    touches = Touch.objects.filter(plan_id=plan).order_by("id").iterator(_AT_ONCE)
    while batch := list(islice(touches, _AT_ONCE)):
        who = sorted({one.customer_id for one in batch})
        people, own = people_by_id(who), external_ids(who)
        for one in batch:
            person = people.get(one.customer_id)
            row = (
                own.get(one.customer_id, one.customer_id), person.email if person else "", one.program, one.stage, one.arm, one.channel,
                one.code, one.send_at.isoformat(), one.valid_until or "", one.key,
            )  # fmt: skip
            writer.writerow([spreadsheets.cell(value) for value in row])
        yield held.getvalue()
        held.seek(0)
        held.truncate()


def needs_two(messages: int, ceiling: float | None) -> bool:
    """Whether a plan is so large that two people say yes to it; where one alone may, one does.

    Args:
        messages: How many leave this machine.
        ceiling: What they cost if every offer is taken, minor units; None where nobody knows, which may be any sum.
    """
    console, dear = store_in_use().console, money.to_minor(store_in_use().console.four_eyes_cost, store_in_use().currency)
    large = messages > console.four_eyes_messages or ceiling is None or ceiling > dear
    return large and queries.approvers() > 1


def _sums(plan: Counts) -> dict[str, object]:
    sent = [cell for cell in plan.cells if cell.channel]
    service = sum(cell.customers for cell in sent if cell.service)
    left = left_alone_by(plan)
    most = max(left.values(), default=1)
    return {
        "parts": _parts(sent), "messages": messages_of(plan), "cost": sum(cell.cost for cell in sent),
        "ceiling": sum(cell.ceiling for cell in sent), "margin": sum(cell.margin for cell in sent if not cell.service),
        "margin_words": _margin_words(messages_of(plan) - service, service),
        "left": sum(left.values()),
        "bars": [{"label": words, "share": count / most, "words": f"{count:,}"} for words, count in left.items()],
    }  # fmt: skip


def _parts(cells: Iterable[Cell]) -> list[Part]:
    labels = offer_labels()
    found: dict[tuple[str, str, str, bool], list[Cell]] = {}
    for cell in cells:
        label = labels.get(cell.offer, cell.offer.replace("_", " ")) if cell.offer not in (None, "none") else "nothing"
        found.setdefault((cell.program, cell.stage, label, cell.service), []).append(cell)
    parts = [
        Part(*key, sum(one.customers for one in mine), sum(one.cost for one in mine), sum(one.ceiling for one in mine),
             sum(one.margin for one in mine))
        for key, mine in found.items()
    ]  # fmt: skip
    return sorted(parts, key=lambda part: (part.service, part.program, -part.messages))


def _margin_words(marketing: int, service: int) -> str:
    """What the expected margin is of: of messages about a customer's own order nothing is expected."""
    of = f"of the {marketing:,} that are marketing ({service:,} are about an order), " if service else ""
    return f"{of}against doing nothing; assumed until outcomes speak"


def offer_labels() -> dict[str, str]:
    """Names of the approved offers to their labels."""
    store = store_in_use()
    return {name: offer.label for name, offer in documents.approved(store).offers.items()} if approved(store) else {}


def _samples(plan: str) -> list[Touch]:
    """A message of each stage and variant, the first ones."""
    found: dict[tuple[str, str, str], int] = {}
    for number, *kind in Touch.objects.filter(plan_id=plan).order_by("id").values_list("id", "program", "stage", "arm")[:_AT_ONCE]:
        found.setdefault((kind[0], kind[1], kind[2]), number)
    return list(Touch.objects.filter(pk__in=list(found.values())[:_SAMPLES]).order_by("pk"))
