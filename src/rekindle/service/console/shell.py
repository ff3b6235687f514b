"""What is around every page: the navigation, who is signed in, what was just done, and the answers to who may not come.

Knows nothing of what stands on a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rekindle.service.config.web import store_in_use
from rekindle.service.console.doorway import private
from rekindle.service.console.roles import Role


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of the console.

    Args:
        name: Its page's, in `urls.py`; pages below it are named `NAME-...`.
        words: What people read.
        role: Who sees it, at least.
        group: Under which heading it stands.
    """

    name: str
    words: str
    role: Role
    group: str


NAVIGATION = (
    Entry("overview", "Overview", Role.VIEWER, ""),
    Entry("customers", "Customers", Role.EDITOR, "People"),
    Entry("segments", "Segments", Role.VIEWER, "People"),
    Entry("causes", "Why they leave", Role.VIEWER, "People"),
    Entry("programs", "Programs", Role.VIEWER, "Plans"),
    Entry("offers", "Offers", Role.VIEWER, "Plans"),
    Entry("policy", "Policy", Role.VIEWER, "Plans"),
    Entry("experiments", "Experiments", Role.VIEWER, "Plans"),
    Entry("messages", "Messages", Role.VIEWER, "Work"),
    Entry("reviews", "Reviews and targets", Role.VIEWER, "Work"),
    Entry("governance", "Governance", Role.VIEWER, "Work"),
    Entry("start", "Import", Role.EDITOR, "Set-up"),
    Entry("jobs", "Jobs", Role.EDITOR, "Set-up"),
    Entry("shop", "Shop", Role.ADMIN, "Set-up"),
    Entry("operators", "Operators", Role.ADMIN, "Set-up"),
)  # fmt: skip
"""In the order of the page: Overview; People: Customers, Segments, Why they leave; Plans: Programs, Offers, Policy, Experiments; Work:
Messages, Reviews, Governance.
"""


def show(request: HttpRequest, template: str, said: Mapping[str, object] | None = None, status: int = 200) -> HttpResponse:
    """A page for whoever is signed in.

    Args:
        request: What is answered.
        template: Its name below `console/`; a piece of a page where htmx asks for one.
        said: What it is filled with; `around` says what is there besides.
        status: HTTP's.
    """
    return render(request, f"console/{template}", said, status=status)


def around(request: HttpRequest) -> dict[str, object]:
    """What every template of the console knows: who is signed in, the store, the roles, the navigation and which part of it this is."""
    operator = getattr(request, "user", None)
    if operator is None:
        return {}  # a customer's page
    here = request.resolver_match.url_name if request.resolver_match else ""
    signed_in = operator.is_authenticated
    return {
        "operator": operator, "store": store_in_use(), "role": {name: role.value for name, role in Role.__members__.items()},
        "section": (here or "").partition("-")[0], "bare": not private(request), "notes": messages.get_messages(request),
        "navigation": [entry for entry in NAVIGATION if signed_in and operator.role >= entry.role],
    }  # fmt: skip


def note(request: HttpRequest, text: str) -> None:
    """Says on the next page what was done."""
    messages.success(request, text)


def refused(request: HttpRequest, wanted: Role, privacy: bool) -> HttpResponse:
    """The answer to an operator whose role, or right, is too small for a page."""
    return show(request, "refused.html", {"wanted": wanted.name.lower(), "privacy": privacy}, status=403)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form that was not sent from our own page, or long after it was opened."""
    return render(request, "console/stale.html", status=403)


@cache
def edition() -> str:
    """Changes when a stylesheet does, so that a browser asks for it anew."""
    import hashlib

    sheets = sorted((files("rekindle.service.console") / "assets").iterdir(), key=lambda path: path.name)
    return hashlib.sha256(b"".join(path.read_bytes() for path in sheets)).hexdigest()[:10]
