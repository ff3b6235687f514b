"""The document log: whatever is changed, removed, added behind its back or cut off is found, and who writes at the same time waits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rekindle.errors import BadData
from rekindle.service.config import use_ledger
from rekindle.service.programs import actions, log, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.models import Approval, Blocker, Document, LogEntry, Review
from rekindle.settings import Settings

LEDGERS = ("sqlite", "postgresql")

AT = datetime(2026, 11, 20, 10, 30, 0, 123456, tzinfo=UTC)


def written(count: int = 3) -> tuple[str, ...]:
    """Documents, an approval of each, and a review."""
    digests = actions.submit([Submission(f"programs/{n}.yaml", "programs", f"text {n}", "Ada") for n in range(count)], AT)
    for digest in digests:
        actions.approve(digest, "Ada", AT)
    actions.review(Review(program="win-back", by="Ada", at=AT, was_due=date(2026, 11, 1), next_due=date(2026, 12, 20), note="fine"))
    return digests


def test_the_log_holds_and_covers_every_row(store: Settings) -> None:
    assert (log.verify(), log.head()) == ((), (0, ""))
    digests = written()
    actions.submit([Submission("programs/0.yaml", "programs", "text 0", "Eve")], AT)
    number, seal = log.head()
    assert (log.verify(), number, len(seal)) == ((), 7, 64)
    assert [one.what for one in LogEntry.objects.filter(number__gt=0)] == ["document"] * 3 + ["approval"] * 3 + ["review"]
    assert log.holds(number, seal)
    assert not log.holds(number, "0" * 64)
    assert queries.text_of(digests[0]) == "text 0"


SPOILERS: dict[str, Callable[[], object]] = {
    "the row was changed": lambda: Document.objects.filter(name="programs/1.yaml").update(text="another text"),
    "the row is gone": lambda: Review.objects.all().delete(),
    "the row was never written down": lambda: Approval.objects.create(
        document=Document.objects.get(name="programs/2.yaml"), channel="mailbox", by="Eve", at=AT
    ),
    "its seal is not what the log before it gives": lambda: LogEntry.objects.filter(number=4).delete(),
}


@pytest.mark.parametrize("why", list(SPOILERS))
def test_what_was_done_behind_its_back_is_found(store: Settings, why: str) -> None:
    written()
    SPOILERS[why]()
    assert why in {one.why for one in log.verify()}


def test_who_approved_and_when_cannot_be_rewritten(store: Settings) -> None:
    written()
    Approval.objects.filter(pk=Approval.objects.first().pk).update(by="Eve")  # type: ignore[union-attr]  three were made
    (broken,) = log.verify()
    assert (broken.what, broken.why) == ("approval", "the row was changed")


def test_a_log_cut_short_holds_but_not_what_was_once_its_end(store: Settings) -> None:
    written()
    end = log.head()
    Review.objects.all().delete()
    LogEntry.objects.filter(number=end[0]).delete()
    assert log.verify() == ()
    assert not log.holds(*end)


def test_several_write_at_the_same_time_one_after_another(store: Settings) -> None:
    def submit(who: int) -> None:
        try:
            use_ledger(store)
            for number in range(5):
                actions.submit([Submission("offers.yaml", "offers", f"{who} {number}")], AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crew:
        list(crew.map(submit, range(4)))
    assert (log.verify(), log.head()[0]) == ((), 20)


def test_an_audit_is_signed_off_once_and_is_no_document_to_plan_by(store: Settings) -> None:
    (digest,) = actions.submit([Submission("audit", queries.AUDIT, "{}")], AT)
    with pytest.raises(BadData, match="is an audit"):
        actions.approve(digest, "Ada", AT)
    actions.sign_off(digest, "Ada", AT)
    with pytest.raises(BadData, match="was signed off by Ada"):
        actions.sign_off(digest, "Eve", AT)
    assert (queries.approved(store), queries.sign_offs()[digest].by, log.verify()) == ({}, "Ada", ())


def test_a_blocker_is_there_until_it_is_gone(store: Settings) -> None:
    told = {"text": "no sender", "function": "operations", "owner": "Ada", "opened_by": "Eve", "opened_at": AT}
    due = ((date(2026, 12, 20), ""), (date(2026, 12, 1), "win-back"))
    late, soon = (actions.block(Blocker(due=day, program=program, **told)) for day, program in due)
    assert [one.pk for one in queries.blockers()] == [soon, late]
    assert [one.pk for one in queries.blockers("win-back")] == [soon]
    actions.unblock(soon, "Ada", AT, "found one")
    for number in (soon, 999):
        with pytest.raises(BadData, match="blocker"):
            actions.unblock(number, "Ada", AT, "again")
    assert [one.resolution for one in queries.blockers(resolved=True)] == ["found one", ""]


def test_what_was_there_before_the_log_is_its_beginning(store: Settings) -> None:
    written()
    executor = MigrationExecutor(connection)
    executor.migrate([("programs", "0003_pause")])
    executor.loader.build_graph()
    executor.migrate([("programs", "0004_rhythm")])
    assert (log.verify(), log.head()[0]) == ((), 6)
    actions.submit([Submission("rules.yaml", "rules", "later")], AT)
    assert (log.verify(), log.head()[0]) == ((), 7)
