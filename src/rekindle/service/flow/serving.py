"""The worker: it hands over what falls due, again and again, until it is told to stop.

Knows nothing of pages. A round opens history only where there is something to ask or to tell, and not while it hands over, so that other
workers and jobs find it free.
"""

from collections.abc import Callable
from datetime import date
from threading import Event

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.history.warehouse import open_history
from rekindle.service.config import ledger_named, use_ledger
from rekindle.service.config.talk import once
from rekindle.service.config.watched import Watched
from rekindle.service.flow import rhythm, visits, worlds
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.dispatching import make_ready, waiting
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox.actions import recover
from rekindle.settings import Settings

PAUSE = 10.0
"""Seconds between two looks."""


def work(settings: Settings, stop: Event, say: Callable[[str], None], pause: float = PAUSE) -> None:
    """Hands over what is due until `stop` is set; what goes wrong in one round is said, and the next tries again.

    Args:
        settings: The store's, as they were just read; what is saved in their file later counts from the next round on.
        stop: Set by whoever ends the worker; what is in the air is waited for.
        say: Takes a line of talk.
        pause: Seconds between two looks.
    """
    looked, watched, tell = date.min, Watched(settings, say), once(say)
    while not stop.is_set():
        try:
            settings = watched.now()
            use_ledger(settings)
            with ledger_named(settings):
                looked = _look_at_reviews(settings, say, looked)
                done = one_round(settings, say, stop)
            line = f"Handed over: {dict(done.by_status)}" if done and done.by_status else ""
        except RekindleError as error:
            line = str(error)
        tell(line)
        stop.wait(pause)


def _look_at_reviews(settings: Settings, say: Callable[[str], None], looked: date) -> date:
    """Holds programs back that nobody reviews, once a day; returns today."""
    at = worlds.clock(settings) or moment.now()
    if (today := moment.local_day(at, settings.timezone)) != looked:
        for line in rhythm.pause_overdue(settings, at):
            say(line)
    return today


def one_round(settings: Settings, say: Callable[[str], None], stop: Event) -> Sent | None:
    """Settles what a dead worker held, hands over what is due, and lets history learn what happened; None where nothing was due."""
    now = moment.now()
    left, _ = recover(now)
    if left:
        say(f"A worker stopped while it was handing over: {left} unknown")
    due, clicked, done = waiting(settings, now)[0], visits.grown(settings.var), None
    if due:
        with open_history(settings.history, settings.root, on_wait=say) as warehouse:
            quiet = make_ready(settings, warehouse, now)
        done = send_due(settings, quiet=quiet, stop=stop)
    if due or clicked or left:
        with open_history(settings.history, settings.root, on_wait=say) as warehouse:
            close_cycle(settings, warehouse, moment.now())
    return done
