"""The documents of a new store: they pass their own check and say what win-back is to be."""

import re
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from rekindle.errors import BadData
from rekindle.program import catalogue
from rekindle.program.catalogue import scaffold
from rekindle.program.catalogue.shipped import PROGRAMS, SHIPPED, shipped
from rekindle.program.checking import assemble, check, load
from rekindle.program.documents import Documents
from tests.program.store import TODAY, WIN_BACK, Store


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    Store(tmp_path)
    return load(tmp_path)


def test_a_new_store_has_no_finding(tmp_path: Path) -> None:
    written = scaffold(tmp_path, "Ada Example", "EUR", TODAY)
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {
        "offers.yaml", "rules.yaml", "segments.yaml", "targets.yaml", *(f"programs/{name}.yaml" for name in PROGRAMS),
    }
    assert WIN_BACK in SHIPPED
    assert check(tmp_path, approving=True, today=TODAY) == ()


def test_scaffolding_twice_writes_nothing(tmp_path: Path) -> None:
    scaffold(tmp_path, "Ada Example", "EUR", TODAY)
    assert scaffold(tmp_path, "Other", "USD", TODAY) == ()
    assert {program.owner for program in load(tmp_path).programs} == {"Ada Example"}


def test_owner_and_review_are_filled_in(documents: Documents) -> None:
    program = documents.program("win-back")
    assert (program.owner, program.review.due) == ("Ada Example", date(2026, 12, 22))
    assert (program.review.every_days, program.review.grace_days) == (30, 7)


@pytest.mark.parametrize("owner", ['Anna "A" Öz', "a: b # c", "{x}", "*x", "\\n", "日本 太郎", "  two\n lines ", "😀"])
def test_any_name_can_own(tmp_path: Path, owner: str) -> None:
    Store(tmp_path, owner=owner)
    assert load(tmp_path).programs[0].owner == " ".join(owner.split())


def test_a_name_that_cannot_be_printed_is_refused() -> None:
    with pytest.raises(BadData, match="cannot be printed"):
        shipped("a\x1bb", "EUR", TODAY)


@pytest.mark.parametrize(("currency", "cap"), [("EUR", Decimal("10")), ("JPY", Decimal("1000")), ("KWD", Decimal("10"))])
def test_amounts_fit_the_currency(tmp_path: Path, currency: str, cap: Decimal) -> None:
    Store(tmp_path, currency=currency)
    documents = load(tmp_path)
    assert documents.offers["credit_by_curve"].cap == cap
    curve = documents.offers["welcome_credit"].curve
    assert curve is not None
    assert (curve.margin[1], curve.orders) == ((5 * cap, cap / 2), ((1, 0), (10, cap / 5)))
    assert documents.rules.budget.amount == 100 * cap
    assert documents.program("win-back").stage("reconnect").offers.value_at_most == cap * Decimal("0.3")


def test_win_back_is_four_stages_in_order(documents: Documents) -> None:
    program = documents.program("win-back")
    rows = [(one.name, one.goal.metric, one.goal.within_days, one.delay.rhythm, one.delay.at_least_days) for one in program.stages]
    assert rows == [
        ("reconnect", "activation", 14, 0.0, 0),
        ("tailor", "order", 21, 0.25, 7),
        ("reassure", "order", 21, 0.35, 10),
        ("closing", "order_or_preference_kept", 30, 0.50, 14),
    ]
    assert [stage.name for stage in program.stages if stage.offers.price] == ["tailor"]
    assert (program.control, documents.rules.holdout, program.klass, documents.rules.autopilot) == (0.10, 0.05, "marketing", None)
    caps = program.caps
    assert (caps.touches, caps.gap_days, caps.duration_days) == (4, 7, 120)
    assert (caps.price_offers, caps.price_offers_per_year, caps.same_kind_in_a_row) == (1, 2, 1)
    assert program.audience.enter.columns == {"lifecycle", "overdue", "expected_margin"}
    assert program.exit == ("order", "opt_out", "pause", "complaint_opened", "return_opened", "erasure")


EVERYONE = {
    "reconnect": {"reminder", "preview", "how_to", "light"},
    "tailor": {"unspent", "concierge", "limited", "bundle", "credit", "percent", "content_only"},
    "reassure": {"free_returns", "express", "proof"},
    "closing": {"last_word"},
}


@pytest.mark.parametrize(
    ("cohort", "differs"),
    [
        (None, {}),
        ("other", {}),
        ("one_bad_experience", {"reconnect": {"reminder", "make_good"}, "tailor": EVERYONE["tailor"] - {"percent"}}),
        ("paused_high_potential", {"reconnect": {"preview", "how_to"}, "tailor": EVERYONE["tailor"] - {"percent", "content_only"}}),
        ("long_inactive", {"reconnect": {"reminder", "how_to"}, "tailor": {"unspent", "percent", "content_only"}, "reassure": set()}),
    ],
)
def test_each_cohort_has_its_arms(documents: Documents, cohort: str | None, differs: dict[str, set[str]]) -> None:
    program = documents.program("win-back")
    assert {stage.name: set(program.arms_for(stage.name, cohort)) for stage in program.stages} == EVERYONE | differs


def test_each_cohort_has_its_stages_delays_and_content(documents: Documents) -> None:
    program = documents.program("win-back")
    assert [stage.name for stage in program.stages_for("long_inactive")] == ["reconnect", "tailor", "closing"]
    assert program.stages_for(None) == program.stages
    assert program.delay_for("tailor", "paused_high_potential").rhythm == 0.15
    assert program.delay_for("tailor", "other") == program.stage("tailor").delay
    added = set(program.content_for("reconnect", "one_bad_experience")) - set(program.content_for("reconnect", None))
    assert added == {"apology_for_the_event"}
    assert program.content_for("reconnect", None)[:2] == ("why_you_got_this", "benefit")


def test_offers_have_kinds_costs_and_ends(tmp_path: Path) -> None:
    scaffold(tmp_path, "Ada Example", "EUR", TODAY)
    offers = load(tmp_path).offers
    assert {name for name, offer in offers.items() if offer.price} == {"credit_by_curve", "category_percent", "welcome_credit"}
    credit, percent = offers["credit_by_curve"], offers["category_percent"]
    assert (credit.share_of_margin, credit.cap, credit.amount, credit.percent) == (None, Decimal("10.0"), None, None)
    assert credit.curve is not None
    assert (credit.curve.margin, credit.curve.orders) == (((30, 3), (100, 10)), ()), "a tenth of the margin, but never a trifle"
    assert (percent.percent, percent.margin_floor, percent.amount) == (0.10, 0.15, None)
    assert all(offer.valid_days >= offer.minimum_valid_days >= 7 for offer in offers.values())
    assert all(0 <= offer.redemption <= 1 for offer in offers.values())
    texts = [path.read_text(encoding="utf-8") for path in files(catalogue).iterdir() if path.name.endswith(".yaml")]
    used = {name for text in texts for name in re.findall(r"{offer: (\w+)", text)}
    assert used == set(offers), "every shipped offer is used and every used offer is shipped"


def test_texts_from_elsewhere_are_the_same_documents(tmp_path: Path) -> None:
    scaffold(tmp_path, "Ada Example", "EUR", TODAY)
    documents = load(tmp_path)
    texts = {path: text.encode() for path, text in shipped("Ada Example", "EUR", TODAY).items()}
    assert assemble(texts) == documents
    assert assemble(texts).program("win-back").digest == documents.program("win-back").digest


def test_the_digest_covers_content_alone(tmp_path: Path, documents: Documents) -> None:
    digest = documents.program("win-back").digest
    store = Store(tmp_path)
    store.change("# Priors are assumptions", "# priors  are assumptions")
    store.change("control: 0.10", "control:   0.1")
    store.change("value_at_most: 3.00", "value_at_most: 3")
    assert load(tmp_path).program("win-back").digest == digest
    store.change("control:   0.1", "control: 0.11")
    assert load(tmp_path).program("win-back").digest != digest


def test_a_place_can_be_named_for_whoever_wants_to_change_it(tmp_path: Path, documents: Documents) -> None:
    line = Store(tmp_path).change("preview:       {", "preview: {")
    assert documents.place(WIN_BACK, "stages", "reconnect", "arms", "preview", "prior", "mean") == f"{WIN_BACK}:{line}"
    assert documents.file_of("win-back") == WIN_BACK
    assert documents.file_of("other") == ""
