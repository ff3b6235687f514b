"""Every address of the console that can be looked at.

Knows nothing of time. An address that nobody says how to ask for is an error, and never left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LOOKS = 30
"""So many different questions a page is asked, where it takes as many."""

ELSEWHERE = {
    "plan": 302, "plan-export": 302, "programs-pause": 302, "programs-walks": 302, "policy-propose": 302, "policy-approve": 302,
    "experiments-new": 302, "experiments-decide": 302, "reviews-blockers": 302, "reviews-freeze": 302, "reviews-hold": 302,
    "governance-sign": 302, "documents-approve": 302, "documents-check": 302, "segments-trial": 302, "start-week": 404, "nowhere": 404,
    "account_login": 302, "account_reauthenticate": 302, "mfa_authenticate": 302, "mfa_reauthenticate": 302, "mfa_activate_totp": 302,
    "admin:login": 302, "admin:logout": 405, "admin:autocomplete": 403, "admin:view_on_site": 404,
    "records: add": 403, "records: delete": 403, "records: of none": 302, "records: as before": 302, "records: no such": 404,
}
"""What answers with something else than a page to who only looks and is signed in: addresses that take forms, or lead on, or are none."""

OLD, REST = "admin:<path:object_id>/", "admin:(?P<url>.*)$"
"""Two addresses of Django's admin that have no name."""


@dataclass(frozen=True, slots=True)
class Look:
    """A question to a page.

    Args:
        address: With what follows the question mark.
        fields: Of a form that is posted; None: the page is only looked at.
        piece: Whether htmx asks, for a piece of the page.
    """

    address: str
    fields: dict[str, str] | None = None
    piece: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or one way to ask for it.

    Args:
        name: Its address's; behind a colon the way to ask.
        looks: One after another.
        status: The answer that is expected.
        masked: Whether an editor asks who may not see personal data.
    """

    name: str
    looks: tuple[Look, ...]
    status: int = 200
    masked: bool = False


def pages() -> list[Page]:
    """Every address of the console of the store in use.

    Raises:
        LookupError: It is not known how to ask for an address.
    """
    from rekindle.service.console.urls import urlpatterns

    known = {name: (name, looks) for name, looks in things().items()} | records()
    asked: dict[str, list[Look]] = {}
    for route, parts in routes(urlpatterns):
        if parts and route not in known:
            raise LookupError(f"nobody says how to ask for {route}")
        name, looks = known[route] if route in known else (route, [Look(at(route))])
        asked.setdefault(name, []).extend(looks)
    return [Page(name, tuple(looks), ELSEWHERE.get(name, 200)) for name, looks in asked.items()]


def routes(patterns: Any, space: str = "") -> Iterator[tuple[str, int]]:  # noqa: ANN401  Django's
    """The name of every address, or what it looks like, and how many parts of it vary."""
    for one in patterns:
        if hasattr(one, "url_patterns"):
            yield from routes(one.url_patterns, f"{one.namespace}:" if one.namespace else space)
        else:
            yield f"{space}{one.name or one.pattern}", one.pattern.regex.groups


def at(name: str, *parts: object) -> str:
    """An address."""
    from django.urls import reverse

    return reverse(name, args=parts)


def some(rows: Any, count: int = LOOKS) -> list[Any]:  # noqa: ANN401  Django's
    """Keys spread over a table."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    return keys[:: max(1, len(keys) // count)][:count]


def things() -> dict[str, list[Look]]:
    """The looks at addresses with parts that vary."""
    from rekindle import moment
    from rekindle.service.config.web import store_in_use
    from rekindle.service.console import actions
    from rekindle.service.console.models import Job, Operator
    from rekindle.service.flow import audits, documents, policies
    from rekindle.service.outbox.models import Plan, Touch
    from rekindle.service.people.models import Person
    from rekindle.service.programs.queries import approved

    store = store_in_use()
    held, looked = documents.approved(store), Job.objects.get(kind="look")
    programs, names = [one.name for one in held.programs], list(approved(store))
    arms = [(one.name, stage.name, arm.name) for one in held.programs for stage in one.stages for arm in stage.arms][:LOOKS]
    plan, touches = Plan.objects.exclude(pk="old").latest("pk").pk, some(Touch.objects.exclude(plan="old"))
    added = Operator.objects.latest("pk")
    one: dict[str, list[Any]] = {
        "plan-one": [plan], "plan-export": [plan], "start-columns": [looked.arguments[0].split("/")[-2]], "start-file": [looked.key],
        "jobs-job": some(Job.objects), "operators-change": some(Operator.objects), "customers-one": some(Person.objects),
        "segments-one": [one.name for one in held.segments], "programs-one": programs, "programs-pause": programs,
        "programs-walks": programs, "programs-sample": arms, "programs-mail": arms, "programs-walk": [Job.objects.get(kind="walk").key],
        "policy-version": [one.name for one in policies.entries(store)], "experiments-one": ["words-or-nothing"],
        "experiments-decide": ["words-or-nothing"], "reviews-hold": programs, "governance-audit": [audits.held()[-1].digest],
        "documents-edit": names, "documents-check": names, "documents-one": names, "messages-one": touches, "messages-mail": touches,
        "account_welcome": [actions.new_link(added.email, added.email, moment.now())], "nowhere": ["nothing/here"],
    }  # fmt: skip
    return {name: [Look(at(name, *(part if isinstance(part, tuple) else (part,)))) for part in parts] for name, parts in one.items()}


def records() -> dict[str, tuple[str, list[Look]]]:
    """The raw records' addresses, each with its page and the looks at it: one page for what is the same view for all tables."""
    from rekindle.service.console.records import records

    apps = sorted({one._meta.app_label for one in records._registry})
    found = {"admin:app_list": ("admin:app_list", [Look(at("admin:app_list", name)) for name in apps])}
    found["admin:view_on_site"] = "admin:view_on_site", [Look(at("admin:view_on_site", 1, 1))]
    found[REST] = "records: no such", [Look(f"{at('admin:index')}none")]
    found[OLD] = "records: as before", [Look(f"{at('admin:people_consent_changelist')}1/")]
    for model in records._registry:
        table, keys = f"{model._meta.app_label}_{model._meta.model_name}", some(model._default_manager.all())
        for view, page in (("change", table), ("history", "history"), ("delete", "delete")):
            looks = [Look(at(f"admin:{table}_{view}", key)) for key in keys or ["none"]]
            found[f"admin:{table}_{view}"] = f"records: {page if keys or view == 'delete' else 'of none'}", looks
        found[f"admin:{table}_add"] = "records: add", [Look(at(f"admin:{table}_add"))]
    return found
