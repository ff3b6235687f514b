"""The JSON API, version 1: every path below /v1.

Knows nothing of what stands behind a path.
"""

from typing import NoReturn

from django.http import Http404, HttpRequest
from ninja import NinjaAPI

from rekindle.service.api import browsers, inapp
from rekindle.service.api.access import Often
from rekindle.service.api.errors import answer_by

api = NinjaAPI(
    title="Rekindle", version="1", description="What systems of the shop may ask and say.", docs_url=None, urls_namespace="v1",
    throttle=[Often()],
)  # fmt: skip
answer_by(api)
api.add_router("/inapp", inapp.router)
api.add_router("/webpush", browsers.router)


@api.api_operation(["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", include_in_schema=False, throttle=[])
def elsewhere(request: HttpRequest, rest: str) -> NoReturn:  # noqa: ARG001  ninja's way of calling
    """Every other path: nothing stands there."""
    raise Http404
