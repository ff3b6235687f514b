"""The JSON API, version 1: every path below /v1.

Knows nothing of what stands behind a path.
"""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from django.http import Http404, HttpRequest
from django.urls import URLPattern, URLResolver
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Router
from ninja.openapi.schema import OpenAPISchema

from rekindle.service.api import answers, browsers, coupons, customers, decisions, handover, inapp, landing, preferences, privacy
from rekindle.service.api.access import Often
from rekindle.service.api.errors import Refusal, answer_by, shaped

OFTEN = Often()
_OTHERS: Mapping[str | None, Callable[..., Any]] = {"openapi-json": require_safe, "validate": lambda view: coupons.at_once(view, OFTEN)}
"""What stands before a path of ninja's, by the path's name."""


class _Api(NinjaAPI):
    """Ninja's own answer to a method that a path does not have is no JSON, and nothing is raised that a handler could take."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """What Django mounts."""
        found, application, namespace = super().urls
        for one in found:
            if isinstance(one, URLPattern):
                one.callback = shaped(_OTHERS[one.name](one.callback) if one.name in _OTHERS else one.callback)
        return found, application, namespace

    def get_openapi_schema(self, **named: Any) -> OpenAPISchema:  # noqa: ANN401  as ninja has it
        """The document: paths as they are below the pages' own, and what every path answers where it refuses."""
        document = super().get_openapi_schema(**{**named, "path_prefix": "/v1/"})
        document["components"]["schemas"]["Refusal"] = Refusal.model_json_schema()
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"] |= {status: {"description": words, "content": content} for status, words in _REFUSED.items()}
        return document


_REFUSED = {"4XX": "Refused: what is asked for cannot be done.", "5XX": "Failed: ask again later."}

api = _Api(
    title="Rekindle", version="1", description="What systems of the shop may ask and say.", docs_url=None, urls_namespace="v1",
    throttle=[OFTEN],
)  # fmt: skip
answer_by(api)
nowhere = Router()


@nowhere.api_operation(["GET", "POST", "PUT", "PATCH", "DELETE"], "{path:rest}", include_in_schema=False, throttle=[])
def elsewhere(request: HttpRequest, rest: str) -> NoReturn:
    """Every other path: nothing stands there."""
    raise Http404


api.add_router("/coupons", coupons.router)  # what is asked most stands first: Django tries one after another
api.add_router("/answers", answers.router)
api.add_router("/customers", customers.router)
api.add_router("/decisions", decisions.router)
api.add_router("/handover", handover.router)
api.add_router("/inapp", inapp.router)
api.add_router("/landing", landing.router)
api.add_router("/preferences", preferences.router)
api.add_router("/privacy", privacy.router)
api.add_router("/webpush", browsers.router)
api.add_router("/", nowhere)
