"""Every mistake is named with its file, line, rule and remedy, all of them at once."""

from datetime import date
from pathlib import Path

import pytest

from rekindle.errors import BadData
from rekindle.program.checking import Finding, assemble, check, load
from tests.program.store import TODAY, WIN_BACK, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


PROGRAM_MISTAKES = [
    ("program: win-back", "program: Win Back", "value-bad", "a letter first, at most 40, as in win-back."),
    ("version: 1 ", "version: 1.5 ", "value-bad", "Write a whole number"),
    ("class: marketing", "class: marketting", "value-bad", "Did you mean 'marketing'?"),
    ("control: 0.10", "control: 0.51", "value-bad", "Write 0.5 or less: the share of its audience"),
    ("control: 0.10", "control: -0.1", "value-bad", "Write 0 or more"),
    ("control: 0.10", "control: .nan", "value-bad", "Write a number, such as 0.25"),
    ("control: 0.10", "control: 0", "control-off", "Write 0.10"),
    ("control: 0.10", "controll: 0.10", "key-unknown", "Did you mean 'control'?"),
    ("touches: 4", "touches: 0", "cap-zero", "Write at least 1"),
    ("touches: 4", "touches: 3", "stage-unreached", "Write 4, or remove stages."),
    ("touches: 4", "touches: 2", "stage-unreached", "Write at least 3, or remove what comes after 2 messages."),
    ("credit_balance > 0", "credit_balance > 0 and credit_balance < 0", "rule-never", "remove the arm"),
    ("gap: 7d", "gap: 7 days", "duration", "such as 14d or 2w"),
    ("gap: 7d", "gap: 0d", "duration", "Write at least 1d."),
    ("gap: 7d", "gap: 99999d", "duration", "such as 14d or 2w"),
    ("gap: 7d", "gap_days: 7d", "key-missing", "Add gap"),
    ("duration: 120d", "duration: 30d", "duration-too-short", "Write at least 32d"),
    ("exit: [order, opt_out,", "exit: [order,", "exit-missing", "Add opt_out."),
    ("exit: [order, opt_out,", "exit: [order, opt_out, ordr,", "value-bad", "Did you mean 'order'?"),
    ("content_always: [why_you_got_this, ", "content_always: [", "content-missing", "Add why_you_got_this."),
    ("overdue > 0", "overdu > 0", "rule", "Did you mean 'overdue'?"),
    ("overdue > 0", "gender == 'f'", "rule", "Go by what the customer did"),
    ("overdue > 0", "lifecycle == 'advocate'", "rule-never", "its conditions exclude each other"),
    ("at_most: 28d", "at_most: 6d", "delay-order", "Make at_most the longer one."),
    ("[relationship, last", "[last", "content-missing", "Add relationship."),
    ("why_prompt]", "why_promt]", "content-unknown", "Did you mean 'why_prompt'?"),
    ("{price: false, value_at_most: 3.00}", "{price: true, value_at_most: 3.00}", "price-too-early", "the stage tailor is for it"),
    ("offer: early_access", "offer: early_acess", "offer-unknown", "Did you mean 'early_access'?"),
    ("offer: early_access", "offer: category_percent", "price-forbidden", "move the arm to tailor"),
    ("value_at_most: 3.00", "value_at_most: -1", "amount", "such as 3.00"),
    ("price: true, margin_floor: 0.15", "price: true, margin_floor: 1", "value-bad", "Write a number below 1"),
    ("{mean: 0.010, sd: 0.010}}\n      preview", "{mean: 0.010, sd: 0}}\n      preview", "value-bad", "above 0: how unsure that is."),
    ("offer: none, ", "offer: none, channel: fax, ", "value-bad", "'email', 'webpush', 'inapp' or 'sms'."),
    ("channels: [email, ", "channels: [", "channel-unused", "Add email to channels"),
    ("proof: ", "nothing: ", "arm-reserved", "Remove it."),
    ("credit_balance > 0", "credit_balance > '0'", "rule", "numbers with numbers"),
    ("credit_balance > 0", "value_tier == 'high' and value_tier == 'mid'", "rule-never", "remove the arm"),
    ("only: [preview, how_to]", "only: [previw, how_to]", "arm-unknown", "Did you mean 'preview'?"),
    ("only: [preview, how_to]", "only: []", "variant-empty", "skip: true"),
    ("reassure: {skip: true}", "reasure: {skip: true}", "stage-unknown", "Did you mean 'reassure'?"),
    ("  long_inactive:\n", "  long_idle:\n", "value-bad", "Did you mean 'long_inactive'?"),
    ("{due: 2026-12-22, ", "{due: 2026-02-30, ", "value-bad", "Write it as 2026-12-25: the day by which"),
    ("metric: incremental_margin", "metric: clicks", "value-bad", "It may be 'incremental_margin'."),
]


@pytest.mark.parametrize(("old", "new", "rule", "remedy"), PROGRAM_MISTAKES)
def test_each_mistake_of_a_program(store: Store, old: str, new: str, rule: str, remedy: str) -> None:
    line = store.change(old, new)
    found = [one for one in store.findings() if one.rule == rule]
    assert [one.file for one in found] == [WIN_BACK]
    assert remedy in found[0].remedy
    assert found[0].line == line or rule == "channel-unused"


OFFER_MISTAKES = [
    ("kind: percent", "kind: percnt", "value-bad", "Did you mean 'percent'?"),
    ("percent: 0.10", "percent: 10", "value-bad", "Write a number below 1: share off the price."),
    ("percent: 0.10, ", "", "offer-incomplete", "Add percent."),
    ("share_of_margin: 0.10, cap: 10.00", "share_of_margin: 0.10", "offer-incomplete", "Add cap."),
    ("share_of_margin: 0.10, cap", "share_of_margin: 0.10, amount: 3, cap", "offer-mixed", "Remove amount."),
    ('kind: none, label: "No', 'kind: none, cap: 3, label: "No', "offer-mixed", "Remove cap or change the kind."),
    ("redemption: 0.60", "redemption: 1.2", "value-bad", "Write 1 or less: the assumed share of takers"),
    ("valid: 60d", "valid: 5d", "offer-too-short", "Lengthen valid or shorten minimum_valid."),
    ('label: "No offer"', 'lable: "No offer"', "key-unknown", "Did you mean 'label'?"),
    ('label: "No offer"', 'name: none, label: "No offer"', "key-unknown", "It may be amount, brief, cap, curve, kind"),
    ("unit_cost: 1.00", "unit_cost: free", "amount", "such as 3.00"),
]


@pytest.mark.parametrize(("old", "new", "rule", "remedy"), OFFER_MISTAKES)
def test_each_mistake_of_an_offer(store: Store, old: str, new: str, rule: str, remedy: str) -> None:
    line = store.change(old, new, "offers.yaml")
    found = [one for one in store.findings() if one.rule == rule]
    assert [one.file for one in found] == ["offers.yaml"]
    assert line - 1 <= found[0].line <= line, "a mistake of the whole offer stands at its name"
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("holdout: 0.05", "holdout: 0", ["holdout-off"]),
        ("holdout: 0.05", "holdout: 0.6", ["value-bad"]),
        ('end: "09:00"', 'end: "20:00"', ["quiet-hours"]),
        ('end: "09:00"', 'end: "25:00"', ["time"]),
        ("touches: 3", "touches: none", ["value-bad"]),
        ("amount: 1000.00, ", "", ["key-missing"]),
        ("autopilot: null", "autopilot: {max_touches: 5}", ["key-missing"]),
        ("autopilot: null", "autopilot: {max_touches: 5, max_cost: 100.00}", []),
        ("arm: 0.02", "arm: 0", ["value-bad"]),
    ],
)
def test_each_mistake_of_the_rules(store: Store, old: str, new: str, rules: list[str]) -> None:
    line = store.change(old, new, "rules.yaml")
    assert store.rules() == [(line, rule) for rule in rules]


def test_offers_against_the_stages_that_make_them(store: Store) -> None:
    line = store.change("percent: 0.10", "percent: 0.30", "offers.yaml")
    assert line
    found = store.findings()
    assert [one.rule for one in found] == ["margin-floor"]
    assert "leaves 14% of the price as margin, under the floor of 15% (margin without it: 40%)" in found[0].message
    assert found[0].remedy == "Write percent: 0.29 or less."
    store.change("percent: 0.30", "percent: 0.29", "offers.yaml")
    assert store.findings() == []


def test_the_margin_is_the_stores_own(store: Store) -> None:
    (store.root / "rekindle.toml").write_text('margin = "0.20"\n')
    assert [one.rule for one in store.findings()] == ["margin-floor"]


def test_a_stage_may_not_undercut_its_offers(store: Store) -> None:
    store.change("{price: true, margin_floor: 0.15, valid: 14d}", "{price: true, valid: 3d}")
    found = {(one.rule, one.message.split(":")[0].removeprefix("stages.tailor.arms.")) for one in store.findings()}
    assert found == {
        ("margin-floor", "credit"), ("margin-floor", "percent"), ("offer-too-short", "credit"), ("offer-too-short", "percent"),
        ("offer-too-short", "bundle"), ("offer-too-short", "concierge"), ("offer-too-short", "limited"),
    }  # fmt: skip


def test_a_light_offer_stays_light(store: Store) -> None:
    terms = '\n     terms: "One order, standard'
    store.change(f"unit_cost: 3.00,{terms}", f"unit_cost: 3.01,{terms}", "offers.yaml")
    found = store.findings()
    assert [one.rule for one in found] == ["offer-too-dear"]
    assert "free_shipping_light is worth 3.01, more than the stage's value_at_most of 3" in found[0].message


def test_no_price_offer_where_the_caps_allow_none(store: Store) -> None:
    store.change("price_offers: 1", "price_offers: 0")
    assert [one.rule for one in store.findings()] == ["price-forbidden", "price-forbidden"]


def test_all_mistakes_are_found_at_once(store: Store) -> None:
    lines = {
        store.change("class: marketing", "clas: marketing"): {"key-unknown"},
        store.change("control: 0.10", "control: 9"): {"value-bad"},
        store.change("gap: 7d", "gap: soon"): {"duration"},
        store.change("offer: early_access", "offer: erly_access"): {"offer-unknown"},
        store.change("at_most: 28d", "at_most: 2d"): {"delay-order"},
        store.change("value_tier == 'mid'", "value_tier == 'med'"): {"rule"},
        store.change("what_happens_next, ", ""): {"content-missing"},
        store.change("only: [reminder]", "only: [remindr]"): {"arm-unknown"},
    }
    store.change("kind: percent", "kind: percnt", "offers.yaml")
    store.change("holdout: 0.05", "holdout: 5", "rules.yaml")
    found = store.findings()
    assert {one.line: {one.rule} for one in found if one.file == WIN_BACK and one.line > 1} == lines
    assert [(one.file, one.rule) for one in found if one.file != WIN_BACK or one.line == 1] == [
        ("offers.yaml", "value-bad"), (WIN_BACK, "key-missing"), ("rules.yaml", "value-bad"),
    ]  # fmt: skip
    with pytest.raises(BadData, match=r"offers\.yaml, line 37: .* \(and 10 more; `rekindle check` lists all\)\. Did you mean 'percent'\?"):
        load(store.root)


def test_a_broken_part_breaks_nothing_else(store: Store) -> None:
    """A stage that cannot be read is not reported as unknown by the variants that name it."""
    line = store.change("    offers: {price: true, margin_floor: 0.15, valid: 14d}\n", "")
    assert store.rules() == [(line - 4, "key-missing")]


@pytest.mark.parametrize("text", ["stages: 5", "program: x", "a: {b: [1, {d: e}]}", "stages: {}\nexit: []", "stages: {a: {arms: {b: 1}}}"])
def test_documents_that_are_hardly_one(store: Store, text: str) -> None:
    (store.root / WIN_BACK).write_text(text)
    assert store.findings()


def test_an_owner_is_asked_for_and_needed_for_approval(tmp_path: Path) -> None:
    store = Store(tmp_path, owner=" ")
    found = [(one.rule, one.severity) for one in store.findings()]
    assert set(found) == {("owner-empty", "warning")}
    assert {(one.rule, one.severity) for one in check(tmp_path, approving=True)} == {("owner-empty", "error")}
    assert load(tmp_path).programs[0].owner == ""


@pytest.mark.parametrize(
    ("today", "severity"),
    [
        (TODAY, []),
        (date(2026, 12, 22), []),
        (date(2026, 12, 23), ["warning"]),
        (date(2026, 12, 29), ["warning"]),
        (date(2026, 12, 30), ["error"]),
    ],
)
def test_an_overdue_review(store: Store, today: date, severity: list[str]) -> None:
    assert [one.severity for one in check(store.root, today=today)] == severity


def test_two_programs_share_no_name(store: Store) -> None:
    (store.root / "programs" / "copy.yaml").write_bytes((store.root / WIN_BACK).read_bytes())
    assert [(one.file, one.line, one.rule) for one in store.findings()] == [
        ("programs/copy.yaml", 3, "program-twice"), (WIN_BACK, 3, "program-twice"),
    ]  # fmt: skip


def test_missing_and_unreadable_files(store: Store) -> None:
    (store.root / "rules.yaml").unlink()
    (store.root / "offers.yaml").unlink()
    (store.root / "offers.yaml").mkdir()
    (store.root / WIN_BACK).write_bytes(b"\xff")
    assert [(one.file, one.line, one.rule) for one in store.findings()] == [
        ("offers.yaml", 1, "unreadable"), (WIN_BACK, 1, "unreadable"), ("rules.yaml", 1, "file-missing"),
    ]  # fmt: skip
    with pytest.raises(BadData, match=r"offers\.yaml, line 1: the file cannot be read: Is a directory \(and 2 more"):
        load(store.root)


def test_an_empty_folder(tmp_path: Path) -> None:
    assert [(one.file, one.rule) for one in check(tmp_path)] == [
        ("offers.yaml", "file-missing"), ("programs", "file-missing"), ("rules.yaml", "file-missing"),
    ]  # fmt: skip


def test_syntax_is_one_finding_with_its_line(store: Store) -> None:
    line = store.change('owner: "Ada Example"', 'owner: "Ada" Example')
    assert store.rules() == [(line, "unreadable")]


def test_warnings_do_not_stop_a_store(store: Store) -> None:
    store.change("holdout: 0.05", "holdout: 0", "rules.yaml")
    assert load(store.root).rules.holdout == 0


def test_a_service_program_needs_no_marketing_parts(store: Store) -> None:
    store.change("class: marketing", "class: service")
    store.change("exit: [order, opt_out, pause, complaint_opened, return_opened, erasure]", "exit: [erasure]")
    store.change("content_always: [why_you_got_this, benefit", "content_always: [about_your_order")
    assert {finding.rule for finding in store.findings()} == {"service-arms", "service-promotes"}


ORDER_UPDATE = """
program: order-update
version: 1
class: service
owner: "Ada Example"
review: {due: 2026-12-22}
trigger: {on: delivery}
audience: {enter: "orders >= 1"}
exit: [erasure]
caps: {touches: 1, gap: 1d, duration: 7d}
content_always: [about_your_order]
stages:
  arrived:
    goal: {metric: activation, within: 7d}
    delay: {rhythm: 0.0}
    content: [products_named, delivered_day]
    offers: {price: false}
    arms:
      arrived_note: {offer: none, channel: email, prior: {mean: 0.0, sd: 0.010}}
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("orders >= 1", "orders >= 1", []),
        ("[about_your_order]", "[one_action]", [(11, "content-missing")]),
        ("delivered_day]", "gain_summary]", [(16, "service-promotes")]),
        ("[products_named, ", "[", [(16, "content-missing")]),
        ("offer: none", "offer: free_shipping_light", [(19, "service-promotes")]),
    ],
)
def test_a_service_message_is_about_the_order_alone(store: Store, old: str, new: str, found: list[tuple[int, str]]) -> None:
    (store.root / "programs" / "order-update.yaml").write_text(ORDER_UPDATE.replace(old, new), encoding="utf-8")
    assert store.rules() == found


def test_a_review_that_is_thanked_for_says_so(store: Store) -> None:
    asking = ORDER_UPDATE.replace("delivered_day]", "review_ask]").replace("offer: none", "offer: free_shipping_light")
    asking = asking.replace("class: service", "class: marketing").replace("[erasure]", "[reviewed, opt_out, erasure]")
    asking = asking.replace("[about_your_order]", "[why_you_got_this, preferences_and_pause]")
    (store.root / "programs" / "order-update.yaml").write_text(asking, encoding="utf-8")
    assert [one.message for one in store.findings()] == ["stages.arrived.content: the stage arrived needs reward_disclosure"]


def test_a_finding_reads_like_a_compilers() -> None:
    finding = Finding("rules.yaml", 4, "holdout-off", "holdout: nobody is held out", "Write 0.05.", "warning")
    assert str(finding) == "rules.yaml:4: warning: holdout: nobody is held out. Write 0.05. [holdout-off]"


def test_no_text_is_no_store() -> None:
    with pytest.raises(BadData, match="the file is not there"):
        assemble({})
