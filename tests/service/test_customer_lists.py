"""Which customers a list shows and how many there are, of the profiles and of the file that is sorted for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.history.published import published
from rekindle.insight.expression import parse
from rekindle.insight.profile import COLUMNS
from rekindle.moment import AsOf
from rekindle.service.flow import customer_lists
from rekindle.service.flow.customer_lists import LAST, PAGE, RANKED, Listed, Wanted, listed
from rekindle.service.flow.personal_files import take_out
from rekindle.service.privacy.queries import Traces

AT = AsOf(datetime(2026, 11, 22, tzinfo=UTC), "UTC")
KINDS = {"string": pa.string(), "date": pa.date32(), "boolean": pa.bool_(), "float64": pa.float64(), "int64": pa.int64()}
SCHEMA = pa.schema([(name, KINDS[kind]) for name, kind in COLUMNS.items()])
STAGES, TIERS, CAUSES = ("lapsed", "repeat", "lapsing"), ("high", "mid", None), ("return", None, "late_delivery", "unknown")
OFTEN = parse("orders >= 5", {"orders": "int"})


def crowd(size: int = 400) -> list[dict[str, object]]:
    """Customers of every kind; many have as much at stake as another, and some have nothing that can be told."""
    return [
        {**dict.fromkeys(COLUMNS), "customer_id": f"c{number * 7919 % size:04}", "orders": number % 9, "lifecycle": STAGES[number % 3],
         "value_tier": TIERS[number % 7 % 3], "cause": CAUSES[number % 4], "margin_at_risk": None if number % 11 == 0 else number % 50}
        for number in range(size)
    ]  # fmt: skip


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "profile.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    return write(tmp_path, crowd())


def found(path: Path, wanted: Wanted) -> Listed:
    counts = {stage: sum(row["lifecycle"] == stage for row in crowd()) for stage in STAGES}
    answer = listed(path, AT, wanted, counts)
    assert isinstance(answer, Listed)
    return answer


def by_hand(wanted: Wanted) -> list[object]:
    chosen = [
        row for row in crowd()
        if (not wanted.stages or row["lifecycle"] in wanted.stages) and wanted.cause in ("", row["cause"])
        and wanted.tier in ("", row["value_tier"]) and (not wanted.segment or row["orders"] >= 5)  # type: ignore[operator]  # it is a number
    ]  # fmt: skip
    return [row["customer_id"] for row in sorted(chosen, key=_place)]


def _place(row: dict[str, object]) -> tuple[bool, int, str]:
    at_risk = row["margin_at_risk"]
    return at_risk is None, -int(str(at_risk or 0)), str(row["customer_id"])


RULES = (("often", OFTEN),)
WAYS = [
    Wanted(), Wanted(page=3), Wanted(("lapsed", "lapsing")), Wanted(cause="return"), Wanted(("repeat",), "unknown", "mid"),
    Wanted(("lapsed",), tier="high", page=2), Wanted(segment="often", rules=RULES),
    Wanted(("lapsed",), tier="mid", segment="often", rules=RULES),
]  # fmt: skip


@pytest.mark.parametrize("sorted_too", [False, True])
@pytest.mark.parametrize("wanted", WAYS, ids=range(len(WAYS)))
def test_a_page_holds_whom_it_should_in_their_order(profiles: Path, wanted: Wanted, sorted_too: bool) -> None:
    if sorted_too:
        customer_lists.publish(published(), profiles)
    page, every = found(profiles, wanted), by_hand(wanted)
    begin = (wanted.page - 1) * PAGE
    assert [row["customer_id"] for row in page.rows] == every[begin : begin + PAGE]
    assert page.total == len(every)
    assert page.more is (len(every) > begin + PAGE)


def test_the_sorted_file_is_what_is_read(profiles: Path) -> None:
    customer_lists.publish(published(), profiles)
    ranked = profiles.with_name(RANKED)
    at_risk = pq.read_table(ranked)["margin_at_risk"].to_pylist()
    told = [one for one in at_risk if one is not None]
    assert at_risk == sorted(told, reverse=True) + [None] * (len(at_risk) - len(told))
    pq.write_table(pq.read_table(ranked).slice(0, 1), ranked)
    assert len(found(profiles, Wanted(cause="return")).rows) <= 1


def test_a_sorted_file_of_earlier_profiles_is_not_read(profiles: Path) -> None:
    customer_lists.publish(published(), profiles)
    write(profiles.parent, crowd()[:1])
    assert len(found(profiles, Wanted()).rows) == 1


def test_what_is_published_anew_is_asked_anew(profiles: Path) -> None:
    customer_lists.publish(published(), profiles)
    assert found(profiles, Wanted(tier="high")).total == len(by_hand(Wanted(tier="high")))
    write(profiles.parent, [{**row, "value_tier": "high"} for row in crowd()])
    customer_lists.publish(published(), profiles)
    assert found(profiles, Wanted(tier="high")).total == 400
    assert found(profiles, Wanted(tier="high", segment="often", rules=RULES)).total == len(by_hand(Wanted(segment="often")))


def test_a_question_that_one_thread_wrote_is_asked_by_others(profiles: Path) -> None:
    customer_lists.publish(published(), profiles)
    found(profiles, Wanted(segment="often", rules=RULES))
    with ThreadPoolExecutor(1) as other:
        page = other.submit(found, profiles, Wanted(segment="often", rules=RULES, page=2)).result()
    assert [row["customer_id"] for row in page.rows] == by_hand(Wanted(segment="often"))[PAGE : 2 * PAGE]


def test_who_was_erased_is_in_no_list(tmp_path: Path) -> None:
    folder = tmp_path / "insight" / "2026-11-22"
    folder.mkdir(parents=True)
    profiles = write(folder, crowd())
    customer_lists.publish(published(), profiles)
    gone, nothing = str(found(profiles, Wanted()).rows[0]["customer_id"]), frozenset[str]()
    traces = Traces(customers=frozenset({gone}), names=nothing, addresses=nothing, tokens=nothing, touches=frozenset(), orders=nothing)
    assert take_out(tmp_path, traces)["rows"] == 2
    assert gone not in pq.read_table(profiles.with_name(RANKED))["customer_id"].to_pylist()
    assert found(profiles, Wanted()).rows[0]["customer_id"] == by_hand(Wanted())[1]


def test_no_page_behind_the_last_is_turned_to(profiles: Path) -> None:
    assert found(profiles, Wanted(page=9_999)).page == LAST
