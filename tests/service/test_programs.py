from datetime import UTC, datetime, timedelta

import pytest

from rekindle.errors import BadData
from rekindle.service.programs import actions, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.models import Document
from rekindle.settings import Settings

LEDGERS = ("sqlite", "postgresql")

AT = datetime(2026, 11, 20, tzinfo=UTC)


def test_a_version_never_changes_and_the_last_approval_counts(store: Settings) -> None:
    first, second = actions.submit([Submission("win-back", "program", "one", "Ada"), Submission("win-back", "program", "two", "Ada")], AT)
    assert actions.submit([Submission("win-back", "program", "one", "Eve")], AT) == (first,)
    assert Document.objects.get(pk=first).owner == "Ada"
    assert queries.approved(store) == {}
    actions.approve(first[:8], "Ada", AT)
    actions.approve(second, "Ada", AT + timedelta(hours=1))
    assert queries.approved(store) == {"win-back": second}
    assert queries.approved(store, channel="smtp") == {}
    assert queries.text_of(first) == "one"


def test_a_digest_given_is_kept(store: Settings) -> None:
    assert actions.submit([Submission("offers", "offers", "text", digest="d1g3st")], AT) == ("d1g3st",)


@pytest.mark.parametrize("digest", ["", "abc", "0" * 64])
def test_what_names_no_version_is_refused(store: Settings, digest: str) -> None:
    with pytest.raises(BadData, match="no version"):
        actions.approve(digest, "Ada", AT)


def test_the_last_approval_holds_whatever_its_clock_says(store: Settings) -> None:
    """The clock of a simulated store lies behind that of its making."""
    old, new = actions.submit([Submission("offers", "offers", "one"), Submission("offers", "offers", "two")], AT)
    actions.approve(old, "Ada", AT)
    actions.approve(new, "Ada", AT - timedelta(days=4))
    assert queries.approved(store) == {"offers": new}


def test_a_table_of_chances_is_no_program(store: Settings) -> None:
    table = Submission("policy", queries.POLICY, "{}", digest="tried-1a2b3c4d")
    actions.submit([Submission("win-back", "program", "one", "Ada"), table], AT)
    actions.hold("tried-1a2b3c4d", "Ada", AT, AT - timedelta(days=30))
    assert queries.approved(store) == {}
    with pytest.raises(BadData, match="is a version of the table of chances") as raised:
        actions.approve("tried-1a2b", "Ada", AT)
    assert raised.value.remedy == "Approve it with: rekindle policy approve"
    (kept,) = queries.policy_approvals()
    assert (kept.name, kept.by, kept.at, kept.since) == ("tried-1a2b3c4d", "Ada", AT, AT - timedelta(days=30))


def test_a_version_of_the_table_is_found_by_its_name_its_beginning_and_its_hash(store: Settings) -> None:
    names = ("tried-1a2b3c4d", "tried-2a2b3c4d", "tried")
    actions.submit([Submission("policy", queries.POLICY, "{}", digest=name) for name in names], AT)
    found = {asked: [one.name for one in queries.policies(asked)] for asked in ("tried", "tried-1", "2a2b3c4d", "other")}
    assert found == {"tried": ["tried"], "tried-1": ["tried-1a2b3c4d"], "2a2b3c4d": ["tried-2a2b3c4d"], "other": []}
    assert len(queries.policies()) == 3


def test_a_program_is_paused_once_and_its_pauses_stay_on_record(store: Settings) -> None:
    assert actions.pause("win-back", "too many complaints", "win-back", AT)
    assert not actions.pause("win-back", "again", "Ada", AT + timedelta(hours=1))
    assert queries.paused() == {"win-back"}
    assert actions.resume("win-back", "Ada", AT + timedelta(days=1))
    assert not actions.resume("win-back", "Ada", AT + timedelta(days=2))
    assert queries.paused() == frozenset()
    assert actions.pause("win-back", "stock ran out", "Ada", AT + timedelta(days=3))
    assert actions.pause("birthday", "wrong text", "Ada", AT + timedelta(days=3))
    told = [(one.program, one.reason, one.by, one.resumed_by, one.resumed_at) for one in queries.pauses()]
    assert told == [
        ("win-back", "too many complaints", "win-back", "Ada", AT + timedelta(days=1)), ("win-back", "stock ran out", "Ada", "", None),
        ("birthday", "wrong text", "Ada", "", None),
    ]
    assert [one.reason for one in queries.pauses("birthday")] == ["wrong text"]
