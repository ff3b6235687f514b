"""What the documents' models promise to whoever reads them, and what is published of them."""

import ast
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rekindle.insight import profile
from rekindle.insight.expression import parse
from rekindle.program import documents
from rekindle.program.documents import Arm, Delay, Offer, Prior, Program, schemas
from rekindle.program.reach import can_hold
from rekindle.program.vocabulary import BLOCKS, COLUMNS, STAGE_CONTENT, VALUES
from tests.program.documentation import DOCS, MODELS, written
from tests.program.store import WIN_BACK, Store


def test_entries_are_frozen_and_can_be_made_in_code() -> None:
    arm = Arm(name="a", offer="none", prior=Prior(mean=0.01, sd=0.01), when="orders > 1")
    assert (arm.channel, arm.when, arm.prior.source) == ("preferred", parse("orders > 1", COLUMNS), "assumed")
    with pytest.raises(ValidationError, match="frozen"):
        arm.name = "b"
    assert Delay(rhythm=0.5, at_least_days=7) == Delay(rhythm=0.5, at_least="1w")


@given(st.integers(1, 3_660))
def test_durations_are_days_or_weeks(days: int) -> None:
    assert Delay(rhythm=0, at_least=f"{days}d").at_least_days == days
    assert Delay(rhythm=0, at_least=f"{days // 7}w").at_least_days == days // 7 * 7


@pytest.mark.parametrize("text", ["", "d", "7", "-7d", "7 d", "1.5d", "7D", "7m", "٧d", "99999d", None, 1.5, True, [7]])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValidationError):
        Delay(rhythm=0, at_least=text)


@pytest.mark.parametrize("amount", ["1e999999", "nan", "inf", "-0.01", True, "1,000", 10**9, [], {}])
def test_what_is_no_amount(amount: object) -> None:
    with pytest.raises(ValidationError):
        Offer(name="a", kind="amount", label="A", amount=amount)


def test_an_amount_is_exact() -> None:
    assert Offer(name="a", kind="amount", label="A", amount=0.1, redemption=0.5).amount == Decimal("0.1")


def test_columns_are_the_profiles_without_ids_and_evidence() -> None:
    kinds = {"string": "str", "int64": "int", "float64": "float", "boolean": "bool", "date": "date"}
    known = {name: kinds[kind] for name, kind in profile.COLUMNS.items()}
    identities = {"customer_id", "last_order_id", "cause_evidence", "cohort_evidence", "previous_gap_days", "timezone", "locale"}
    assert {name: kind for name, kind in known.items() if name not in identities} == COLUMNS
    assert set(VALUES) <= set(COLUMNS)
    assert set(get_args(documents.Cohort)) == VALUES["lapsed_cohort"]
    assert set().union(*STAGE_CONTENT.values()) <= set(BLOCKS)


@pytest.mark.parametrize(
    ("rules", "reachable"),
    [
        (["orders > 3 and orders < 2"], False),
        (["orders > 3 and 5 > orders"], True),
        (["orders > 3 and orders < 4"], False),
        (["premium > 0.3 and premium < 0.4"], True),
        (["orders > 3", "not orders >= 2"], False),
        (["orders in (1, 2) and orders >= 2"], True),
        (["orders in (1, 2) and 2 < orders"], False),
        (["(orders > 3 and orders < 2) or spend > 100"], True),
        (["premium is none and premium >= 0.5"], False),
        (["open_ticket and not open_ticket"], False),
        (["category == 'tea' and category == 'lamps'"], False),
        (["category != 'tea' and category != 'lamps'"], True),
        (["first_day < '2026-01-01' and first_day > '2026-01-01'"], False),
        (["count('Order Completed') > 3 and count('Order Completed') < 2"], False),
        (["count('Order Completed') > 3 and count('Product Viewed') < 2"], True),
        (["overdue > silence_days and overdue < silence_days"], True),
        (["lifecycle == 'lapsed'"], True),
        (["lifecycle == 'lapsed' and lifecycle == 'lapsing'"], False),
        (["lifecycle in ('lapsed', 'lapsing')", "lifecycle == 'prospect'"], False),
        (["lifecycle in ('lapsed', 'lapsing')", "not lifecycle == 'lapsed'"], True),
        (["lifecycle is none"], False),
        (["cause is none"], True),
        (["cause is none and cause != 'return'"], False),
        (["not cause != 'return' or orders > 3"], True),
        (["false"], False),
        (["not (true or orders > 1)"], False),
        (["value_tier != 'high' and value_tier != 'mid' and value_tier != 'occasional'"], False),
        (["lapsed_cohort == 'other' or lapsed_cohort is none", "not lapsed_cohort in ('other', 'long_inactive')"], False),
    ],
)
def test_which_rules_can_hold(rules: list[str], reachable: bool) -> None:
    assert can_hold([parse(rule, COLUMNS, VALUES) for rule in rules]) is reachable


def test_schemas_are_published() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "schema").glob("*.json")}
    assert published == dict(schemas()), "write them again with: PYTHONPATH=src:. python -m tests.program.documentation"


def test_the_schema_has_the_keys_of_the_document() -> None:
    schema = json.loads(schemas()["program.json"])
    assert set(schema["required"]) == {"program", "version", "class", "owner", "review", "audience", "exit", "caps", "stages"}
    stage = schema["$defs"]["Stage"]
    assert "name" not in stage["properties"]
    assert stage["properties"]["arms"]["additionalProperties"] == {"$ref": "#/$defs/Arm"}
    assert schema["additionalProperties"] is False


def test_every_key_is_documented() -> None:
    page = (DOCS / "programs.md").read_text(encoding="utf-8")
    assert page == written(page), "write it again with: PYTHONPATH=src:. python -m tests.program.documentation"
    assert set(re.findall(r"<!-- keys: (\w+) -->", page)) == set(MODELS) - {"OfferList", "SegmentList", "TargetList"}
    assert all(field.description for model in MODELS.values() for field in model.model_fields.values())


def raised(path: Path) -> Iterator[str]:
    """The rules that a module's mistakes and findings name: an argument of theirs, or the first of three that are yielded."""
    position = {"mistake": 0, "Mistake": 1, "Finding": 2}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in position:
            values = node.args[position[node.func.id] :]
        else:
            values = node.value.elts if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) else []
        if values and isinstance(values[0], ast.Constant):
            yield values[0].value


def test_every_rule_is_documented() -> None:
    rules = {rule for path in Path(documents.__file__).parent.glob("*.py") for rule in raised(path)}
    section = (DOCS / "programs.md").read_text(encoding="utf-8").partition("## What `rekindle check` says")[2]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    assert {rule for row in rows for rule in re.findall(r"`([\w-]+)`", row)} == rules


def test_the_example_of_the_page_passes(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", (DOCS / "programs.md").read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    store = Store(tmp_path)
    (tmp_path / WIN_BACK).write_text(example[1], encoding="utf-8")
    assert store.findings() == []


def test_asking_for_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        documents.Documents((), {}, None).program("none")
    assert Program.model_fields["name"].alias == "program"
