"""Customers: which there are, and one of them with everything that happened and was decided.

Knows nothing of how anything was found. Who may not see personal data sees opaque ids, and no names, addresses and numbers of orders.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from rekindle import moment
from rekindle.errors import BadData, CannotTell, Refused, UsageError
from rekindle.insight.lifecycle import SLIPPING
from rekindle.insight.profile import CHANNELS
from rekindle.program.segments import definitions
from rekindle.program.triggers import TOPICS
from rekindle.service.config.web import store_in_use
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import show
from rekindle.service.console.stages import CAUSE, COLOUR, GROUPS, QUALITY, STAGE, TIER
from rekindle.service.console.templatetags.figures import on_page
from rekindle.service.flow import customer_lists, documents, snapshots
from rekindle.service.flow.customer_lists import Listed, Wanted
from rekindle.service.flow.explained import known
from rekindle.service.flow.previewing import NAME, as_example, of_touch
from rekindle.service.flow.timeline import WAYS, timeline
from rekindle.service.outbox.models import OPEN, Touch
from rekindle.service.people.models import ExternalId, Person
from rekindle.service.people.queries import find
from rekindle.service.programs import queries
from rekindle.service.wishes.queries import wishes_of

_SHORTEST = 6
_ELSEWHERE = ("Consent", "Outlook", "Stage", "Why")
"""Lines of what is known that the page says in another place."""


@dataclass(frozen=True, slots=True)
class Line:
    """A customer in the list, in words."""

    customer: str
    stage: str
    colour: str
    row: Mapping[str, Any]
    cause: str
    tier: str
    unsure: str


@may(Role.EDITOR, post=Role.EDITOR)
def customers(request: HttpRequest) -> HttpResponse:
    """The list, narrowed as asked; a post looks for one of them, so that no address stands in the browser's own address line."""
    if request.method == "POST":
        return _looked_for(request)
    return show(request, "customers.html", _list(request))


def _looked_for(request: HttpRequest) -> HttpResponse:
    text = request.POST.get("who", "").strip()
    try:
        customer = find(text) if operator_of(request).privacy else _by_id(text)
    except (BadData, UsageError) as error:
        return show(request, "customers.html", {**_list(request), "missed": error, "who": text}, status=400)
    return HttpResponseRedirect(reverse("customers-one", args=[customer]))


def _by_id(text: str) -> str:
    """The customer of an opaque id or its beginning: all that somebody without the right to personal data looks by."""
    begun = Person.objects.filter(pk__gte=text, pk__lt=f"{text}\uffff").values_list("pk", flat=True)
    found = list(begun[:2]) if len(text) >= _SHORTEST else []
    if text and snapshots.known_of(store_in_use().var, text) is not None:
        return text
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"several customers begin with '{text}'", "Enter more of it.")
    raise BadData(f"no customer has the id '{text}'", "To look by e-mail or by the shop's own id takes the right to personal data.")


def _list(request: HttpRequest) -> dict[str, object]:
    store, asked = store_in_use(), request.GET
    path, as_of = snapshots.profiles(store.var), snapshots.as_of(store)
    if path is None or as_of is None:
        return {"nothing_yet": True}
    group = asked.get("standing", "slipping")
    words, stages = GROUPS.get(group, GROUPS["slipping"])
    rules = definitions(documents.approved(store).segments) if queries.approved(store) else {}
    segment = asked.get("segment", "")
    page = int(asked["page"]) if asked.get("page", "").isdigit() and len(asked["page"]) <= 4 else 1
    wanted = Wanted(
        stages, asked.get("cause", "") if asked.get("cause") in CAUSE else "", asked.get("tier", "") if asked.get("tier") in TIER else "",
        *((segment, tuple(rules.items())) if segment in rules else ("", ())), page,
    )  # fmt: skip
    counts = snapshots.summary(store.var)["lifecycle"]
    found = customer_lists.listed(path, as_of, wanted, counts)
    return {
        "as_of": as_of.last_day, "words": words, "groups": _groups(group, counts), "group": group,
        "causes": CAUSE, "cause": wanted.cause, "tiers": TIER, "tier": wanted.tier, "segment": wanted.segment,
        "segments": [name for name in rules if not customer_lists.asks_for_events(name, rules)],
        "found": None if isinstance(found, CannotTell) else found, "cannot": found.reason if isinstance(found, CannotTell) else "",
        "lines": [] if isinstance(found, CannotTell) else list(_lines(found)), "turned": _turned(asked.dict()),
    }  # fmt: skip


def _groups(group: str, counts: Mapping[str, int]) -> list[tuple[str, str, int, bool]]:
    return [
        (name, words, sum(counts.get(stage, 0) for stage in stages) if stages else sum(counts.values()), name == group)
        for name, (words, stages) in GROUPS.items()
    ]


def _turned(asked: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if name != "page" and value})


def _lines(found: Listed) -> Iterator[Line]:
    for row in found.rows:
        yield Line(
            row["customer_id"], STAGE[row["lifecycle"]], COLOUR[row["lifecycle"]], row, CAUSE.get(row["cause"] or "", ""),
            TIER.get(row["value_tier"] or "", ""), _unsure(row),
        )  # fmt: skip


def _unsure(row: Mapping[str, Any]) -> str:
    quality = row["prediction_quality"]
    return "" if quality in (None, "good") else QUALITY[quality]


@may(Role.EDITOR)
def customer(request: HttpRequest, customer: str) -> HttpResponse:
    """Everything about one."""
    store, personal = store_in_use(), operator_of(request).privacy
    profile = snapshots.known_of(store.var, customer)
    person = Person.objects.filter(pk=customer).first()
    if profile is None and person is None:
        return show(request, "customers-none.html", {"customer": customer}, status=404)
    person = person or Person(customer_id=customer)
    row = profile.row if profile else None
    went, as_of = snapshots.went(store.var, customer), snapshots.as_of(store)
    waiting = Touch.objects.filter(customer_id=customer, plan__ready=True, status__in=OPEN).order_by("send_at", "id").first()
    wishes, moments = wishes_of(person, moment.now()), timeline(store, customer, went, personal)
    said: dict[str, object] = {
        "as_of": as_of.last_day if as_of else None, "customer": customer, "personal": personal, "person": person,
        "row": row,
        "moments": moments, **(_standing(row) if row else {}),
        "wishes": wishes, "agreed": [WAYS.get(one, one) for one in CHANNELS if one in wishes.channels],
        "refused": [TOPICS.get(one, one) for one in sorted(wishes.refused)],
        "causes": [(CAUSE[one["cause"]], one["evidence"]) for one in went.causes] if went else [],
        "ids": ExternalId.objects.filter(customer_id=customer).order_by("source") if personal else [],
        **_next(waiting, person, personal),
    }  # fmt: skip
    return show(request, "customers-one.html", said)


def _standing(row: Mapping[str, Any]) -> dict[str, object]:
    """Where a customer stands, in words."""
    return {
        "facts": _facts(row), "stage": STAGE[row["lifecycle"]], "colour": COLOUR[row["lifecycle"]],
        "tier": TIER.get(row["value_tier"] or "", ""), "cause": CAUSE.get(row["cause"] or "", ""),
        "slipping": row["lifecycle"] in SLIPPING, "quality": QUALITY.get(row["prediction_quality"] or "", ""),
    }  # fmt: skip


def _facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = (line.partition(" ") for line in known(dict(row), store_in_use()))
    return [(about, on_page(words.strip())) for about, _, words in told if about not in _ELSEWHERE]


def _next(waiting: Touch | None, person: Person, personal: bool) -> dict[str, object]:
    """The message that waits, written out."""
    if waiting is None:
        return {"waiting": None}
    store, at = store_in_use(), waiting.send_at
    day = moment.local_day(at, store.timezone)
    try:
        found = of_touch(store, waiting, person.first_name, day) if personal else of_touch(store, as_example(waiting), NAME, day)
    except (BadData, Refused) as error:
        return {"waiting": waiting, "preview": None, "mistake": error}
    return {"waiting": waiting, "preview": found}
