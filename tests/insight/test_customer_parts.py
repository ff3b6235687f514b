"""Every customer is in one part."""

from itertools import pairwise

import ibis
import pytest

from rekindle.insight.customer_parts import among, parts


@pytest.mark.parametrize(("rows", "number"), [(0, 1), (20, 1), (21, 2), (100, 5), (10**12, 64)])
def test_the_parts_hold_every_id_once(rows: int, number: int) -> None:
    cut = parts(rows, 20)
    assert len(cut) == number
    assert cut[0][0] == cut[-1][1] == ""
    assert all(before[1] == after[0] for before, after in pairwise(cut))
    edges = [letter for letter, _ in cut[1:]]
    assert edges == sorted(set(edges))


def test_a_table_comes_apart_and_nobody_is_lost() -> None:
    ids = [".a", "9b", "Kc", "L", "_x", "ef", "zz", "Ümit"]
    rows = ibis.memtable({"customer_id": ids})
    found = [ibis.duckdb.connect().to_pyarrow(among(rows, part))["customer_id"].to_pylist() for part in parts(50, 20)]
    assert found == [[".a", "9b"], ["Kc", "L", "_x"], ["ef", "zz", "Ümit"]]
