"""A marketplace played through the whole loop for two weeks: what must hold whoever is in it."""

import email
import email.policy
import hashlib
import re
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from rekindle.ingest.identity import customer_id_of
from tests.cli.terminal import Answer, done
from tests.journeys.stores import asked, hashes, ledger

END = "2026-11-22"
HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """The store after two weeks and the run that ends them, and what that printed."""
    store = tmp_path_factory.mktemp("marketplace") / "marigold"
    answer = done("simulate", store, "--customers", 1500, "--months", 24, "--seed", 3, "--end", END, "--play-weeks", 2)
    return store, answer


@pytest.fixture(scope="module")
def store(played: tuple[Path, Answer]) -> Path:
    return played[0]


def by_hand(*parts: str) -> float:
    digest = hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()
    return int(digest[:13], 16) / 2**52


def test_it_ends_with_eight_lines_with_the_truth_or_when_it_can_be_told(played: tuple[Path, Answer]) -> None:
    store, answer = played
    assert len(answer.lines) == 8
    assert re.fullmatch(r'Simulated "Marigold": 1,[45]\d\d customers, \d,\d{3} orders, 24 months to 2026-11-21', answer.lines[0])
    assert re.match(r"Worth          (EUR [+-].* truth -?\d+\.\d\d\)|not yet known: )", answer.lines[6])
    assert answer.lines[7].startswith(f"Next           open {store}/var/reports/index.html | make run ")
    assert [line for line in answer.err.splitlines() if line.startswith("Playing ")] == [
        f"Playing 2026-11-{day:02}, {left} of 2 weeks to go" for day, left in ((8, 2), (15, 1), (22, 0))
    ]


def test_a_second_run_at_the_same_instant_decides_and_sends_nothing(store: Path) -> None:
    def state() -> tuple[object, ...]:
        journal = asked(store, "select count(*), count(distinct plan) from journal")
        mails = len(list((store / "var" / "mail").rglob("*.eml")))
        return journal, hashes(store), mails, ledger(store, "select count(*) from outbox_touch")

    before = state()
    again = done("--store", store, "run", "--as-of", END, "--json").json
    assert (again["imported"], again["plan"]["repeated"], again["plan"]["new_touches"]) == ([], True, 0)
    assert again["sent"] == {"due": 0, "postponed": 0, "held": 0, "left_unknown": 0}
    assert again["plan"]["hash"] == before[1][-1]
    assert state() == before


def test_every_week_was_planned_once_and_a_sequence_goes_on(store: Path) -> None:
    weeks = asked(store, "select p.as_of, p.decisions, count(*) from plans p join journal j using (plan) group by all order by 1")
    assert [week[0].isoformat()[:10] for week in weeks] == ["2026-11-07", "2026-11-14", "2026-11-21"]  # 23:00 UTC
    assert all(decisions == rows > 0 for _, decisions, rows in weeks)
    second = asked(store, "select customer_id, episode, as_of from journal where stage = 'tailor' and arm is not null")
    reconnected = asked(store, "select customer_id, episode, as_of from journal where stage = 'reconnect' and arm is not null")
    first = {(customer, episode): at for customer, episode, at in reconnected}
    assert len(second) > 0
    assert all((at - first[customer, episode]).days >= 7 for customer, episode, at in second)


def test_every_touch_ends_in_one_state_and_the_counts_add_up(store: Path) -> None:
    states = Counter(dict(ledger(store, "select status, count(*) from outbox_touch group by 1")))
    assert set(states) <= {"sent", "failed", "suppressed", "expired", "unknown"}
    decided = asked(store, "select count(*) from journal where arm <> 'nothing' and reason is null")[0][0]
    assert states.total() == decided > 50
    assert states["sent"] == len(list((store / "var" / "mail").rglob("*.eml")))
    assert dict(asked(store, "select status, count(*) from touches group by 1")) == dict(states)
    keys = "select count(distinct customer_id || '|' || program || '|' || episode || '|' || stage) from outbox_touch"
    assert ledger(store, keys)[0][0] == decided


def test_nobody_without_consent_in_the_holdout_or_in_the_control_is_written_to(store: Path) -> None:
    """Of marketing; news of an order goes to whoever ordered."""
    sent = ledger(store, "select distinct customer_id, program from outbox_touch where not service")
    written = {customer for customer, _ in sent}
    contacts = pq.read_table(sorted((store / "var" / "inbox").glob("contacts-*.parquet")), columns=["customer_id", "email_consent"])
    agreed = {row["customer_id"] for row in contacts.to_pylist() if row["email_consent"]}
    key = (store / "var" / "identity.key").read_text(encoding="ascii")
    assert written <= {customer_id_of(one, "shop", key) for one in agreed}
    late = "select t.customer_id from outbox_touch t left join people_consent c on c.customer_id = t.customer_id and c.channel = 'email'"
    unasked = f"{late} and c.granted and c.recorded_at <= t.settled_at where c.id is null and t.status = 'sent' and not t.service"
    assert ledger(store, unasked) == []
    assert {one for one in written if by_hand("holdout", "2026", one) < 0.05} == set()
    assert {(one, program) for one, program in sent if by_hand("control", program, "2026", one) < 0.10} == set()
    service = {program for (program,) in ledger(store, "select distinct program from outbox_touch where service")}
    assert service == {"order-confirmation", "delivery-late", "delivery-arrived"}
    standings = asked(store, "select customer_id, program, max(standing) from journal where standing is not null group by 1, 2")
    assert len({program for _, program, _ in standings}) > 5
    for customer, program, said in standings:
        out, idle = by_hand("holdout", "2026", customer) < 0.05, by_hand("control", program, "2026", customer) < 0.10
        assert said == ("treated" if program in service else "holdout" if out else "control" if idle else "treated")


def test_no_customer_gets_more_marketing_than_the_caps_of_all_programs_together(store: Path) -> None:
    rows = ledger(store, "select customer_id, count(*) from outbox_touch where not service and status = 'sent' group by 1")
    assert 1 < max(count for _, count in rows) <= 3, "three in thirty days"


def test_draws_can_be_made_by_hand_and_fall_into_the_chances_that_were_logged(store: Path) -> None:
    rows = asked(
        store, "select program, stage, customer_id, episode, draw, propensity, eligible, arm from journal where arm is not null"
    )
    assert len(rows) > 100
    for program, stage, customer, episode, draw, propensity, eligible, arm in rows:
        assert by_hand(program, stage, "1", customer, episode) == draw
        assert arm in eligible.split("|")
        assert 0 < propensity <= 1


def test_codes_are_unique(store: Path) -> None:
    codes = [row[0] for row in ledger(store, "select code from outbox_touch where code <> ''")]
    assert len(codes) == len(set(codes)) > 10


def test_every_mail_has_its_headers_and_marketing_a_way_to_stop(store: Path) -> None:
    addresses = {row[0] for row in ledger(store, "select email from people_person")}
    identities, kinds = set(), Counter()
    for path in (store / "var" / "mail").rglob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert [name for name in HEADERS if not mail[name]] == []
        assert mail["To"] in addresses
        link = (mail["List-Unsubscribe"] or "").strip(" <>")
        kinds["marketing" if link else "service"] += 1
        assert mail["List-Unsubscribe-Post"] == ("List-Unsubscribe=One-Click" if link else None)
        assert re.fullmatch(r"https://shop\.example/rekindle/u/\S+", link or "https://shop.example/rekindle/u/none")
        plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
        assert plain is not None
        assert html is not None
        for body in (plain.get_content(), html.get_content()):
            assert link in body
            assert ("/rekindle/u/" in body) == bool(link)
            assert "1 Example Street" in body
            assert "None" not in body
            assert "{{" not in body
        identities.add(mail["Message-ID"])
    assert len(identities) == len(list((store / "var" / "mail").rglob("*.eml")))
    assert min(kinds["marketing"], kinds["service"]) > 20


def test_history_knows_nobody_by_name_address_or_own_id(store: Path) -> None:
    contacts = pq.read_table(sorted((store / "var" / "inbox").glob("contacts-*.parquet")))
    planted = {str(value) for name in ("customer_id", "email", "phone", "last_name") for value in contacts[name].to_pylist() if value}
    assert len(planted) > 3_000
    with duckdb.connect(str(store / "var" / "history.duckdb"), read_only=True) as history:
        tables = history.sql("select table_name, column_name from information_schema.columns where data_type = 'VARCHAR'").fetchall()
        rows = {(table, column): history.table(table).project(column).distinct().fetchall() for table, column in tables}
    held = {where: {value for (value,) in values} for where, values in rows.items()}
    assert len(held) > 40
    assert {where: values & planted for where, values in held.items() if values & planted} == {}
    addressed = {where: {value for value in values if value and "@" in value} for where, values in held.items()}
    assert {where: values for where, values in addressed.items() if values} == {}


@pytest.mark.parametrize("name", ["index.html", "finance.html"])
def test_the_report_holds_all_it_needs_and_names_nobody(store: Path, name: str) -> None:
    page = (store / "var" / "reports" / name).read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|iframe[^>]* src=)", page) == []
    assert re.findall(r"""(?:src|href)=["'](?!#|data:|http://www\.w3\.org)[^"']+""", page) == []
    assert re.findall(r"url\((?!#|data:)[^)]*\)", page) == []
    assert [row[0] for row in ledger(store, "select email from people_person") if row[0] in page] == []


def test_an_advance_is_felt_by_the_next_run(store: Path) -> None:
    """Last in this file, for it moves the clock; the clock of the marketplace is the present of its store."""
    answer = done("--store", store, "simulate", "--advance", 7)
    assert answer.lines[0].startswith("Clock          2026-11-29: ")
    assert answer.lines[1] == f"Next           rekindle --store {store} run"
    orders = asked(store, "select count(*) from orders")[0][0]
    week = done("--store", store, "run", "--json").json
    assert week["plan"]["as_of"] == "2026-11-28T23:00:00+00:00"
    assert asked(store, "select count(*) from orders")[0][0] - orders == week["imported"][0]["orders"] > 20
    assert [report["rejected"] for report in week["imported"]] == [{}]
