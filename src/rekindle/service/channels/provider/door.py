"""How Anymail posts: through the same poster as every other channel, so that what failed is known by type.

Knows nothing of mail. No redirect is followed, no address of the own network is reached, and the whole exchange has an end.
"""

from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from rekindle.deliver.channel import Message
from rekindle.deliver.delivery_events import reason
from rekindle.errors import OutcomeUnknown
from rekindle.service.channels.posting import Answer, Poster, judge
from rekindle.service.people.addresses import masked

_OURS = frozenset({"content-length", "connection", "accept-encoding", "host", "transfer-encoding"})
_BUSY = 503
_SHOWN = 160


class Door(BaseAdapter):
    """The way out for one session of requests.

    Args:
        poster: What posts.
    """

    message: Message | None = None
    """What the next request is about."""

    posted: bool = False
    """Whether the last request was answered, so that what fails after that does not say that it was not taken."""

    def __init__(self, poster: Poster) -> None:
        super().__init__()
        self._poster = poster

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:  # noqa: ANN401  what requests passes has no use here
        """Posts a request.

        Raises:
            TemporaryFailure: Certainly not taken; it may be tried again.
            PermanentFailure: Certainly not taken; it must not be tried again.
            OutcomeUnknown: It was given away, and no answer says whether it was taken.
        """
        url, body = str(request.url), request.body
        headers = {str(name): str(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        answer = self._poster.post(url, body if isinstance(body, bytes) else str(body or "").encode(), headers, self.message)
        self.posted = True
        _judge(answer, url.split("/")[2])
        return _response(request, url, answer)

    def close(self) -> None:
        """Keeps the connections: other threads use them."""


def _judge(answer: Answer, host: str) -> None:
    """As everywhere, but of an error of the provider's own nobody can say whether it had the message by then."""
    if answer.status >= 500 and answer.status != _BUSY:
        raise OutcomeUnknown(f"{host} answered {answer.status}", "The provider's webhook settles it.")
    judge(answer, host, masked(reason(answer.body[:1_000].decode("utf-8", "replace")))[:_SHOWN])


def _response(request: PreparedRequest, url: str, answer: Answer) -> Response:
    response = Response()
    response.status_code, response.url, response.request, response.encoding = answer.status, url, request, "utf-8"
    response._content = answer.body
    return response
