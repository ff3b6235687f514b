"""The worker: it hands over what falls due, again and again, until it is told to stop.

Knows nothing of pages. A round opens history only while something is due or somebody followed a link, and closes it again, so that jobs
between rounds find it free.
"""

from collections.abc import Callable
from threading import Event

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.history.warehouse import open_history
from rekindle.service.flow import visits
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.flow.dispatching import dispatch, waiting
from rekindle.service.flow.sending import Sent
from rekindle.settings import Settings

PAUSE = 10.0
"""Seconds between two looks."""


def work(settings: Settings, stop: Event, say: Callable[[str], None], pause: float = PAUSE) -> None:
    """Hands over what is due until `stop` is set; what goes wrong in one round is said, and the next tries again.

    Args:
        settings: The store's.
        stop: Set by whoever ends the worker; the round under way is finished.
        say: Takes a line of talk.
        pause: Seconds between two looks.
    """
    told = ""
    while not stop.is_set():
        try:
            done = one_round(settings, say)
            line = f"Handed over: {dict(done.by_status)}" if done and done.by_status else ""
        except RekindleError as error:
            line = str(error)
        if line and line != told:
            say(line)
        told = line
        stop.wait(pause)


def one_round(settings: Settings, say: Callable[[str], None]) -> Sent | None:
    """What is due goes out, and history learns what happened; None where there is nothing to do."""
    now = moment.now()
    due, clicked = waiting(settings, now)[0], visits.grown(settings.var)
    if not due and not clicked:
        return None
    with open_history(settings.history, settings.root, on_wait=say) as warehouse:
        if due:
            return dispatch(settings, warehouse, now)
        close_cycle(settings, warehouse, now)
    return None
