from datetime import UTC, datetime, timedelta

import pytest

from rekindle.errors import BadData
from rekindle.service.programs import actions, queries
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.models import Document
from rekindle.settings import Settings

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
