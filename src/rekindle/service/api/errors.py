"""What an answer says that is a refusal: one object, as the command line's.

Knows nothing of what was asked. Nothing of a mistake in Rekindle itself is told to the outside.
"""

import json
import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, Throttled, ValidationError

from rekindle.errors import BadData, PermanentFailure, Refused, RekindleError, StoreUnavailable, UsageError
from rekindle.service.config.talk import address, mistake

log = logging.getLogger("rekindle.api")

STATUSES: dict[type[RekindleError], int] = {UsageError: 400, BadData: 422, PermanentFailure: 422, Refused: 403, StoreUnavailable: 503}
"""Error to HTTP status; every other is 500."""

_HTTP = {
    400: ("UsageError", "Send what /v1/openapi.json says."),
    401: ("NoKey", "Send Authorization: Bearer and a key of `rekindle keys create`."),
    403: ("Refused", "Make a key that opens it, with: rekindle keys create --scope"),
    404: ("NotFound", "Look at /v1/openapi.json."),
    405: ("UsageError", "Use a method that Allow names."),
    429: ("TooOften", "Wait as long as Retry-After says."),
}
_MISTAKE = "This is a mistake in Rekindle: please report it with what you sent."


class Error(Schema):
    """What was refused, why, and what helps; `reason` is there where programs are to tell refusals apart."""

    kind: str
    cause: str
    remedy: str
    status: int
    reason: str = ""


class Refusal(Schema):
    """The one shape of every refusal."""

    error: Error


def refusal(kind: str, cause: str, remedy: str, status: int) -> HttpResponse:
    """An answer of the one shape."""
    return HttpResponse(refusal_text(kind, cause, remedy, status), status=status, content_type="application/json")


def refusal_text(kind: str, cause: str, remedy: str, status: int, **more: str) -> str:
    """The one shape: `{"error": {kind, cause, remedy, status}}`, with what programs read besides."""
    return json.dumps({"error": {"kind": kind, "cause": cause, "remedy": remedy, "status": status, **more}})


def refused(error: RekindleError) -> HttpResponse:
    """The answer to one of Rekindle's own errors."""
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    return refusal(type(error).__name__, error.cause, error.remedy, status)


def unready(error: RekindleError) -> HttpResponse:
    """The answer to strangers where something is missing here: what and where it is, is for the log alone."""
    log.error("%s %s", error.cause, error.remedy)
    return refusal("StoreUnavailable", "this is not set up here", "Ask who runs this Rekindle: its log says what is missing.", 503)


def shaped(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A path that refuses in the one shape also what no handler sees: a method that it does not have, and an address that is none."""

    @wraps(view)
    def answer(request: HttpRequest, *given: object, **named: object) -> HttpResponse:
        try:
            response = view(request, *given, **named)
        except Http404 as error:
            return _nothing(request, error)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        kind, remedy = _HTTP[response.status_code]
        other = refusal(kind, f"the path has no {request.method}", remedy, response.status_code)
        other["Allow"] = response["Allow"]
        return other

    return answer


def answer_by(api: NinjaAPI) -> None:
    """Makes every error of an API answer in the one shape."""
    api.add_exception_handler(RekindleError, failed)
    api.add_exception_handler(HttpError, _http)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(Http404, _nothing)
    api.add_exception_handler(SuspiciousOperation, _suspicious)
    api.add_exception_handler(Exception, _mistake)


def failed(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The answer where something failed: one of Rekindle's own errors says what, anything else is a mistake."""
    return refused(error) if isinstance(error, RekindleError) else _mistake(request, error)


def _http(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    if not isinstance(error, HttpError):
        return _mistake(request, error)
    kind, remedy = _HTTP.get(error.status_code, _HTTP[400])
    answer = refusal(kind, str(error).rstrip("."), remedy, error.status_code)
    if isinstance(error, Throttled):
        answer["Retry-After"] = str(error.wait)
    return answer


def _invalid(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    if not isinstance(error, ValidationError):
        return _mistake(request, error)
    first = error.errors[0]
    where = ".".join(str(part) for part in first["loc"])
    return refusal("BadData", f"{where}: {first['msg']}", "Send what /v1/openapi.json says.", 422)


def _nothing(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    kind, remedy = _HTTP[404]
    return refusal(kind, "there is no such thing", remedy, 404)


def _suspicious(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    kind, remedy = _HTTP[400]
    return refusal(kind, "the request is too large, or not one", remedy, 400)


def _mistake(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    said = mistake(error) if isinstance(error, Exception) else error.__name__
    log.error("%s %s: %s", request.method, address(request), said)
    return refusal("RekindleError", "something failed", _MISTAKE, 500)
