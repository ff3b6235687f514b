"""Following a link of a message: on to the shop at once, or to a page about it, with one line of what happened in a file.

Knows nothing of messages, and of who is a machine: that is judged later, from the lines. Nothing in the ledger changes.
"""

import hmac
import json
import os
import secrets
from datetime import datetime
from pathlib import Path

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from rekindle import moment
from rekindle.deliver.links import Ring
from rekindle.deliver.short_links import TRAP, Link, expand
from rekindle.errors import Refused
from rekindle.service.config import load_ring
from rekindle.service.config.often import network_of
from rekindle.service.config.web import store_in_use
from rekindle.service.flow.linking import CLICKS
from rekindle.service.flow.visits import FOLDER
from rekindle.service.links.queries import url_of
from rekindle.service.public.answers import not_ours

_AGENT_AT_MOST = 300


@require_safe
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Sends a visitor on to where the link leads; whoever follows the hidden link, to the shop's first page."""
    store = store_in_use()
    var = store.var
    ring = load_ring(var, CLICKS)
    try:
        link = expand(ring, token)
    except Refused:
        return not_ours(request)
    url = store.brand.url if link.destination == TRAP else url_of(str(connection.settings_dict["NAME"]), link.destination)
    if url is None:
        return not_ours(request)
    _followed(request, link, var, ring)
    return HttpResponseRedirect(url)


def followed(request: HttpRequest, link: Link) -> None:
    """Leaves the line of a link that was followed; none of a question for the head alone, and none of an answer."""
    var = store_in_use().var
    _followed(request, link, var, load_ring(var, CLICKS))


def _followed(request: HttpRequest, link: Link, var: Path, ring: Ring) -> None:
    if request.method == "GET":
        now = moment.now()
        note(var, line(request, ring, link, now), now)


def line(request: HttpRequest, ring: Ring, link: Link, at: datetime) -> str:
    """One visit as a line of JSON: which message, where to, when, what the program calls itself, and a keyed hash of its network."""
    network = hmac.digest(ring.keys[ring.current], network_of(request).encode(), "sha256").hex()[:16]
    agent = request.META.get("HTTP_USER_AGENT", "")[:_AGENT_AT_MOST]
    visit = {"visit": secrets.token_hex(8), "touch": link.touch, "destination": link.destination, "visited_at": at.isoformat(),
             "agent": agent, "network": network}  # fmt: skip
    return json.dumps(visit) + "\n"


def note(var: Path, text: str, at: datetime) -> None:
    """Adds a line to the day's file, whole: several processes may write at once."""
    folder = f"{var}/{FOLDER}"
    path, how = f"{folder}/{at:%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT
    try:
        file = os.open(path, how, 0o600)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        file = os.open(path, how, 0o600)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
