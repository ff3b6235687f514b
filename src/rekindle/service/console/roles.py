"""Who may do what: the roles of operators, the right to personal data apart from them, and the one decorator that every page carries.

Knows nothing of pages. A role may do all that the ones before it may.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import TYPE_CHECKING, Protocol, cast

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

if TYPE_CHECKING:
    from rekindle.service.console.models import Operator

SECOND_FACTOR = "mfa"
"""The method of allauth's records of how a session signed in."""

LOOKING = ("GET", "HEAD", "OPTIONS")


class Role(IntEnum):
    """What an operator may do; the numbers order them and are what the ledger holds."""

    VIEWER = 1
    """Looks at sums and plans, never at a person."""

    EDITOR = 2
    """Sees customers by their opaque ids, and writes documents and submits them."""

    APPROVER = 3
    """Says yes to documents and plans, pauses programs."""

    ADMIN = 4
    """Invites operators, and sees raw records."""


class View(Protocol):
    """What answers a request."""

    def __call__(self, request: HttpRequest, *parts: str, **named: str) -> HttpResponse:
        """The answer."""


def operator_of(request: HttpRequest) -> "Operator":
    """Who is signed in; only within a view that says who may come."""
    return cast("Operator", request.user)


def may(role: Role, *, post: Role | None = None, privacy: bool = False) -> Callable[[Callable[..., HttpResponseBase]], View]:
    """Says who may look at a page, and who may post to it; everybody else is sent to sign in, or told who may.

    Args:
        role: Who may look, at least.
        post: Who may post, at least; not given: nothing is posted here.
        privacy: Whether the right to personal data is asked as well.
    """

    def guard(view: Callable[..., HttpResponseBase]) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *parts: str, **named: str) -> HttpResponseBase:
            return refusal(request, role, post, privacy) or view(request, *parts, **named)

        answer.guarded = (role, post, privacy)  # type: ignore[attr-defined]  # what doorway.Forms and the test of all addresses read
        return cast(View, answer)

    return guard


def refusal(request: HttpRequest, role: Role, post: Role | None, privacy: bool) -> HttpResponse | None:
    """The answer to who may not do what is asked of a page, or not so; None to who may. Of a form nothing is read.

    Args:
        request: What is asked.
        role: Who may look at the page, as `may` says.
        post: Who may post to it.
        privacy: Whether the right to personal data is asked as well.
    """
    wanted = role if request.method in LOOKING else post if request.method == "POST" else None
    if wanted is None:
        return HttpResponseNotAllowed([*LOOKING, *(["POST"] if post else [])])
    return _stopped(request, wanted, privacy)


def _stopped(request: HttpRequest, wanted: Role, privacy: bool) -> HttpResponse | None:
    """The answer to who may not, or not yet; None to who may."""
    from rekindle.service.console.shell import refused  # it asks here who may see what: a circle otherwise

    if not request.user.is_authenticated:
        return _elsewhere(request, HttpResponseRedirect(reverse("account_login", query={"next": request.get_full_path()})))
    operator = operator_of(request)
    if operator.needs_second_factor and not operator.has_second_factor:
        return _elsewhere(request, HttpResponseRedirect(reverse("mfa_activate_totp")))
    if operator.needs_second_factor and not _gave_second_factor(request):
        return _elsewhere(request, HttpResponseRedirect(reverse("mfa_reauthenticate", query={"next": request.get_full_path()})))
    if operator.role < wanted or (privacy and not operator.privacy):
        return refused(request, wanted, privacy)
    return None


def _gave_second_factor(request: HttpRequest) -> bool:
    """Whether this session did: one that a password opened before the factor was set up has not."""
    from allauth.account.authentication import get_authentication_records  # the models of all apps are not there yet otherwise

    return any(one.get("method") == SECOND_FACTOR for one in get_authentication_records(request, operator_of(request)))


def _elsewhere(request: HttpRequest, answer: HttpResponseRedirect) -> HttpResponse:
    """A piece of a page that is asked for alone is not replaced by another page: the whole window goes there."""
    if "HX-Request" not in request.headers:
        return answer
    return HttpResponse(status=204, headers={"HX-Redirect": answer.url})
