"""Questions of messages, answered with one press: what kept you away, a number from 0 to 10, a review.

Knows nothing of what follows from an answer. Looking changes nothing; only a POST does, and a better answer may be given later.
"""

from django.http import HttpRequest, HttpResponse

from rekindle import moment
from rekindle.deliver import short_links
from rekindle.deliver.words import readable
from rekindle.respond.questions import RATE, REVIEW, VALUES, WHY, answered, written
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import open_linker
from rekindle.service.flow.showing import decided
from rekindle.service.public.answers import filled, not_ours, page
from rekindle.service.public.clicks import followed
from rekindle.service.public.forms import form
from rekindle.service.public.visitors import Reader, reader_of
from rekindle.service.trust.actions import Given, answer

_PAGES = {WHY: short_links.ANSWER, RATE: short_links.RATE, REVIEW: short_links.REVIEW}
"""The destination of each question's link."""


@form()
def ask(request: HttpRequest, token: str, question: str) -> HttpResponse:
    """The page of a question, and what its button posts to.

    Args:
        request: With the answer; the address may hold one that a mail's button stood for, `?score=7`, which the page then shows chosen.
        token: Of a message.
        question: Of `respond.questions`.
    """
    reader = reader_of(token)
    if reader is None:
        return not_ours(request)
    followed(request, short_links.Link(reader.touch.id, _PAGES[question]))
    order = decided(store_in_use(), reader.touch).order_number or ""
    given = answered(question, (request.POST if request.method == "POST" else request.GET).get("score", ""))
    said = _said(reader, question, given)
    if request.method != "POST":
        return page(request, "question.html", said, locale=reader.person.locale)
    if given is None:
        return page(request, "question.html", {**said, "missing": True}, status=400, locale=reader.person.locale)
    answer(reader.touch, order, Given(question, given, written(request.POST.get("text", "")), moment.now()))
    return page(request, "thanks.html", said, locale=reader.person.locale)


def _said(reader: Reader, question: str, given: str | None) -> dict[str, object]:
    """What the page says of its question."""
    store, locale = store_in_use(), reader.person.locale
    _, choose = open_linker(store).own(reader.touch.customer_id, reader.touch.channel)
    labels = {value: filled(locale, f"ask_{question}_{value}") if question != RATE else value for value in VALUES[question]}
    about = ", ".join(filter(None, map(readable, decided(store, reader.touch).products))) if question == REVIEW else ""
    texts = {name: filled(locale, f"ask_{question}_{name}", shop=store.name) for name in ("title", "text", "more", "thanks")}
    return {
        "texts": texts, "values": [(value, label, value == given) for value, label in labels.items()], "about": about, "choose": choose,
        "browse": filled(locale, "for_browse", shop=store.name),
        "across": question == RATE,
    }  # fmt: skip
