"""Reviews: announced, overdue, past their grace; who pauses, who goes on, and what a yes of a person changes."""

from datetime import date, datetime, timedelta
from threading import Event

import pytest

from rekindle import moment
from rekindle.errors import UsageError
from rekindle.program import checking
from rekindle.program.documents import Documents
from rekindle.service.flow import documents, reviews, serving
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox import actions as outbox
from rekindle.service.programs import actions, queries
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.live import approve_shipped
from tests.service.touches import Recorder, meet, touches

DUE = NOON.date() + timedelta(days=30)
"""The shipped programs' first review; win-back has a grace of seven days."""


@pytest.fixture
def held(store: Settings) -> Documents:
    approve_shipped(store)
    return documents.approved(store)


def on(day: date) -> datetime:
    return datetime.combine(day, NOON.timetz())


@pytest.mark.parametrize(
    ("days", "state"), [(-8, "later"), (-7, "soon"), (0, "soon"), (1, "overdue"), (7, "overdue"), (8, "past its grace")]
)
def test_a_review_is_announced_then_overdue_and_then_past_its_grace(held: Documents, days: int, state: str) -> None:
    (found,) = [one for one in reviews.due(held) if one.program == "win-back"]
    assert (found.on, found.until, found.owner) == (DUE, DUE + timedelta(days=7), "Ada")
    assert found.state(DUE + timedelta(days=days)) == state


def test_past_its_grace_marketing_waits_until_the_review_is_held(store: Settings, held: Documents) -> None:
    meet(["c1", "c2"])
    outbox.insert_touches("ab12cd34", touches(["c1"]))
    outbox.insert_touches("ab12cd34", touches(["c2"], stage="tailor", service=True))
    outbox.ready("ab12cd34")
    late = DUE + timedelta(days=8)
    assert reviews.pause_overdue(held, on(late - timedelta(days=1)), late - timedelta(days=1)) == ()
    stopped = reviews.pause_overdue(held, on(late), late)
    assert "win-back" in stopped
    assert not {one.name for one in held.programs if one.service} & set(stopped), "news of orders goes on"
    assert reviews.pause_overdue(held, on(late), late) == (), "they are paused once"
    (pause,) = queries.pauses("win-back")
    assert (pause.by, pause.reason) == ("its review", f"its review was due on {DUE} and nobody has held it")
    assert send_due(store, NOON, senders={"email": Recorder()}) == Sent(2, {"sent": 1}, 0, held=1)
    found = reviews.hold(held, "win-back", "Ada", on(late), late, "all is well")
    assert (found.on, found.note, queries.paused() & {"win-back"}) == (late + timedelta(days=30), "all is well", set())
    assert reviews.pause_overdue(held, on(late), late) == ()
    assert send_due(store, NOON, senders={"email": Recorder()}).by_status == {"sent": 1}


def test_a_review_lets_nothing_go_that_somebody_else_stopped(held: Documents) -> None:
    actions.pause("win-back", "too many complaints", "win-back", NOON)
    reviews.hold(held, "win-back", "Ada", NOON, NOON.date(), "looked at it")
    assert queries.paused() == {"win-back"}
    with pytest.raises(UsageError, match="there is no approved program 'nope'"):
        reviews.hold(held, "nope", "Ada", NOON, NOON.date(), "")


def test_a_later_day_in_the_document_counts_and_an_earlier_one_does_not(held: Documents) -> None:
    reviews.hold(held, "win-back", "Ada", NOON, NOON.date(), "")
    assert reviews.dates(held)["win-back"] == NOON.date() + timedelta(days=30) == DUE
    reviews.hold(held, "win-back", "Ada", NOON - timedelta(days=3), NOON.date() - timedelta(days=3), "")
    assert reviews.dates(held)["win-back"] == DUE


def test_check_takes_the_ledger_s_word_that_a_review_was_held(store: Settings, held: Documents) -> None:
    late = DUE + timedelta(days=30)

    def overdue() -> set[str]:
        found = checking.check(store.root, today=late, held=reviews.next_days(store))
        return {one.file for one in found if one.rule == "review-overdue" and one.severity == "error"}

    assert "programs/win-back.yaml" in overdue()
    reviews.hold(held, "win-back", "Ada", on(late), late, "")
    assert "programs/win-back.yaml" not in overdue()
    assert "programs/thank-you.yaml" in overdue()


@pytest.fixture
def late_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: on(DUE + timedelta(days=8)))


@pytest.mark.usefixtures("held", "late_clock")
def test_a_worker_looks_once_a_day(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second round of the day does not look again, though a review's pause was lifted by hand meanwhile."""
    stop, said, rounds = Event(), list[str](), 0

    def one_round(*_: object) -> None:
        nonlocal rounds
        rounds += 1
        assert ("win-back" in queries.paused()) == (rounds == 1)
        actions.resume("win-back", "Ada", NOON)
        if rounds == 2:
            stop.set()

    monkeypatch.setattr(serving, "one_round", one_round)
    serving.work(store, stop, said.append, pause=0.0)
    assert rounds == 2
    assert "win-back is paused: its review is past its grace. Hold it: rekindle review win-back --done" in said
