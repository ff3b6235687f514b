from datetime import datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from rekindle.respond.machines import AGENTS, judged

SENT = datetime(2026, 11, 1, 12)
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"


def verdicts(*visits: tuple[int, int, float, str, str]) -> list[str | None]:
    """Of visits: touch, destination, seconds after the hand-over, agent, network."""
    touch, destination, after, agent, network = zip(*visits, strict=True)
    rows = {
        "place": range(len(visits)), "touch": touch, "destination": destination, "agent": agent, "network": network,
        "visited_at": [SENT + timedelta(seconds=one) for one in after], "sent_at": [SENT] * len(visits),
    }
    table = ibis.memtable(pa.table({name: list(column) for name, column in rows.items()}))
    return judged(table).order_by("place").to_pyarrow()["machine"].to_pylist()


def test_a_person_who_follows_a_link_is_a_person() -> None:
    assert verdicts((1, 5, 31, PERSON, "n"), (1, 5, 4000, PERSON, "n"), (1, 6, 4100, PERSON, "n")) == [None] * 3


def test_a_visit_at_the_hand_over_is_a_scanner() -> None:
    assert verdicts((1, 5, 29.9, PERSON, "n"), (1, 5, 30, PERSON, "n")) == ["at once", None]


def test_whoever_takes_the_hidden_link_is_a_machine_from_that_network_and_for_that_message() -> None:
    visits = [(1, 0, 400, PERSON, "a"), (1, 5, 900, PERSON, "a"), (1, 5, 900, PERSON, "b"), (2, 5, 900, PERSON, "a")]
    assert verdicts(*visits) == ["hidden link", "hidden link", None, None]


def test_nobody_follows_three_links_within_ten_seconds() -> None:
    assert verdicts((1, 5, 400, PERSON, "n"), (1, 6, 406, PERSON, "n"), (1, 7, 411, PERSON, "n")) == [None, "all links", None]
    assert verdicts((1, 5, 400, PERSON, "n"), (1, 6, 402, PERSON, "n"), (1, 7, 404, PERSON, "n")) == ["all links"] * 3
    assert verdicts((1, 5, 400, PERSON, "n"), (1, 5, 402, PERSON, "n"), (1, 5, 404, PERSON, "n")) == [None] * 3


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "curl/8.5", "", "  ", "Mozilla/5.0 (Barracuda)", "python-requests/2"])
def test_a_program_that_says_what_it_is(agent: str) -> None:
    assert verdicts((1, 5, 4000, agent, "n")) == ["agent"]


def test_words_of_agents_are_in_lower_case() -> None:
    assert all(word == word.lower() for word in AGENTS)


def test_without_a_hand_over_only_the_other_rules_hold() -> None:
    seen = {"touch": [1], "destination": [5], "agent": [PERSON], "network": ["n"], "visited_at": [SENT]}
    rows = ibis.memtable(pa.table({**seen, "sent_at": pa.nulls(1, pa.timestamp("us"))}))
    assert judged(rows).to_pyarrow()["machine"].to_pylist() == [None]
