"""Documents written beside the approved ones: what is wrong with a draft, its submission, its versions, and the way back to the folder."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from rekindle.errors import BadData, Refused
from rekindle.program.catalogue import scaffold
from rekindle.service.config import use_ledger
from rekindle.service.flow import documents, drafts, linting
from rekindle.service.flow.document_versions import compared, versions, waiting
from rekindle.service.programs import actions, queries
from rekindle.service.programs.models import Document
from rekindle.settings import Settings
from tests.decide.shop import MONDAY
from tests.service.copies import store as store

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
NAME = "programs/win-back.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the win-back alone, approved."""
    root = tmp_path_factory.mktemp("made")
    use_ledger(Settings(root=root))
    scaffold(root, "Ada", "EUR", MONDAY.date())
    for path in (root / "programs").glob("*.yaml"):
        if path.stem != "win-back":
            path.unlink()
    documents.approve_all(Settings(root=root), "Ada", NOW)
    connection.close()
    return root


def edited(store: Settings, old: str, new: str) -> str:
    text = drafts.base(store, NAME).text
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_looking_at_a_draft_changes_nothing(store: Settings) -> None:
    before = Document.objects.count(), (store.root / NAME).read_text()
    good = drafts.examine(store, NAME, edited(store, "control: 0.10", "control: 0.20"), TODAY)
    assert (good.errors, good.others) == ((), ())
    bad = drafts.examine(store, NAME, edited(store, "control: 0.10", "control: 0.70\nsurprise: 1"), TODAY)
    assert [(one.line, one.rule) for one in bad.errors] == [(13, "value-bad"), (14, "key-unknown")]
    nobody = drafts.examine(store, NAME, edited(store, 'owner: "Ada"', 'owner: ""'), TODAY)
    assert [one.rule for one in nobody.errors] == ["owner-empty"], "what would keep it from approval is said while it is written"
    assert [one.rule for one in drafts.examine(store, NAME, "a: [", TODAY).errors] == ["unreadable"]
    assert (Document.objects.count(), (store.root / NAME).read_text()) == before


def test_what_a_draft_breaks_elsewhere_is_named_apart(store: Settings) -> None:
    offers = drafts.base(store, "offers.yaml").text
    found = drafts.examine(store, "offers.yaml", offers.replace("  early_access:", "  early_bird:"), TODAY)
    assert found.mine == ()
    assert {(one.file, one.rule) for one in found.others} == {(NAME, "offer-unknown")}


def test_a_draft_is_submitted_and_waits_until_somebody_says_yes(store: Settings) -> None:
    began = drafts.base(store, NAME)
    assert began.approved
    text = edited(store, "control: 0.10", "control: 0.20")
    digest = drafts.submit(store, NAME, text, began.digest, "bea@marigold.example", NOW)
    assert [(one.digest, one.by) for one in waiting()] == [(digest, "bea@marigold.example")]
    newest, first = versions(NAME)
    assert (newest.digest, newest.waits, newest.in_force, newest.approvals) == (digest, True, False, ())
    assert (first.digest, first.waits, first.in_force, [yes.by for yes in first.approvals]) == (began.digest, False, True, ["Ada"])
    assert newest.at > first.at, "though the clock stands still"
    assert drafts.base(store, NAME) == drafts.Base(digest, text, approved=False)
    assert documents.approved(store).program("win-back").control == 0.1
    actions.approve(digest, "Cy", NOW)
    assert waiting() == ()
    assert documents.approved(store).program("win-back").control == 0.2


def test_a_newer_submission_takes_the_place_of_one_that_waits(store: Settings) -> None:
    began = drafts.base(store, NAME)
    first = drafts.submit(store, NAME, edited(store, "control: 0.10", "control: 0.20"), began.digest, "Bea", NOW)
    second = drafts.submit(store, NAME, edited(store, "control: 0.20", "control: 0.30"), first, "Bea", NOW)
    assert [one.digest for one in waiting()] == [second]


def test_who_began_from_an_older_version_overwrites_nothing(store: Settings) -> None:
    began = drafts.base(store, NAME)
    text = edited(store, "control: 0.10", "control: 0.20")
    drafts.submit(store, NAME, text, began.digest, "Bea", NOW)
    with pytest.raises(Refused, match="another version of programs/win-back.yaml was submitted while this one was written, by Bea"):
        drafts.submit(store, NAME, began.text + "# later\n", began.digest, "Cy", NOW)


def test_what_cannot_be_used_or_says_nothing_new_is_not_submitted(store: Settings) -> None:
    began = drafts.base(store, NAME)
    with pytest.raises(BadData, match=r"programs/win-back.yaml, line 13: .*0\.5"):
        drafts.submit(store, NAME, edited(store, "control: 0.10", "control: 0.70"), began.digest, "Bea", NOW)
    with pytest.raises(Refused, match="the text is that of the version that it began from"):
        drafts.submit(store, NAME, began.text, began.digest, "Bea", NOW)
    newer = drafts.submit(store, NAME, began.text + "# more\n", began.digest, "Bea", NOW)
    with pytest.raises(Refused, match="an earlier version says the very same"):
        drafts.submit(store, NAME, began.text, newer, "Bea", NOW)
    with pytest.raises(BadData, match="there is no document programs/none.yaml"):
        drafts.base(store, "programs/none.yaml")


def test_a_new_program_can_be_written(store: Settings) -> None:
    text = drafts.base(store, NAME).text.replace("program: win-back", "program: win-back-two")
    digest = drafts.submit(store, "programs/win-back-two.yaml", text, "", "Bea", NOW)
    assert [one.digest for one in waiting()] == [digest]


def test_the_folder_follows_what_was_approved_but_for_files_with_changes_of_their_own(store: Settings) -> None:
    text = edited(store, "control: 0.10", "control: 0.20")
    digest = drafts.submit(store, NAME, text, drafts.base(store, NAME).digest, "Bea", NOW)
    assert drafts.pull(store) == ((), ())
    actions.approve(digest, "Cy", NOW)
    assert drafts.pull(store, "offers.yaml") == ((), ())
    (store.root / NAME).write_text(text.replace("control: 0.20", "control: 0.25"))
    assert drafts.pull(store) == ((), (NAME,))
    assert "control: 0.25" in (store.root / NAME).read_text()
    (store.root / NAME).write_text(text.replace("control: 0.20", "control: 0.10"))
    assert drafts.pull(store, NAME, dry_run=True) == ((NAME,), ())
    assert "control: 0.10" in (store.root / NAME).read_text()
    assert drafts.pull(store, NAME) == ((NAME,), ())
    assert (store.root / NAME).read_text() == text
    (store.root / NAME).unlink()
    assert drafts.pull(store) == ((NAME,), ())
    assert documents.unsubmitted(store) == ()


def test_two_texts_are_compared_line_by_line() -> None:
    old = "\n".join(str(number) for number in range(1, 31))
    new = old.replace("\n10\n", "\nten\n").replace("\n30", "\n30\n31")
    said = [(one.way, one.old, one.new, one.text) for one in compared(old, new)]
    assert said == [
        ("skipped", None, None, "6"), ("same", 7, 7, "7"), ("same", 8, 8, "8"), ("same", 9, 9, "9"), ("gone", 10, None, "10"),
        ("new", None, 10, "ten"), ("same", 11, 11, "11"), ("same", 12, 12, "12"), ("same", 13, 13, "13"), ("skipped", None, None, "14"),
        ("same", 28, 28, "28"), ("same", 29, 29, "29"), ("same", 30, 30, "30"), ("new", None, 31, "31"),
    ]  # fmt: skip
    assert compared(old, old) == ()
    assert [one.way for one in compared("", "a\nb")] == ["new", "new"]


def test_a_yes_to_an_earlier_version_goes_back_to_it(store: Settings) -> None:
    began = drafts.base(store, NAME)
    digest = drafts.submit(store, NAME, edited(store, "control: 0.10", "control: 0.20"), began.digest, "Bea", NOW)
    actions.approve(digest, "Cy", NOW + timedelta(hours=1))
    actions.approve(began.digest, "Cy", NOW + timedelta(hours=2))
    assert [(one.digest, one.in_force, one.waits) for one in versions(NAME)] == [(digest, False, False), (began.digest, True, False)]
    assert queries.approved(store)[NAME] == began.digest


def test_a_version_whose_words_the_linter_refuses_gets_no_yes_though_the_folder_is_clean(store: Settings) -> None:
    linting.refuse_errors(store)
    text = drafts.base(store, "offers.yaml").text
    pushing = text.replace('label: "Free standard delivery on your next order"', 'label: "Last chance: free delivery"')
    assert pushing != text
    with pytest.raises(Refused, match="the content has"):
        linting.refuse_errors(store, {"offers.yaml": pushing})
