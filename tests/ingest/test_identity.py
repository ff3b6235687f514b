import stat

import ibis
import pytest

from rekindle.errors import BadData
from rekindle.ingest.identity import customer_id, customer_id_of, identity_key


def test_the_expression_and_python_agree(shop):
    names = ["17850", "ann@shop.example", "łukasz", "x" * 300, "'; drop table orders --"]
    table = ibis.memtable({"name": names})
    found = shop.warehouse.arrow(table.mutate(id=customer_id(table["name"], "shop", "ab" * 32))).to_pylist()
    assert {row["name"]: row["id"] for row in found} == {name: customer_id_of(name, "shop", "ab" * 32) for name in names}
    assert all(len(row["id"]) == 12 for row in found)


def test_another_source_or_key_is_another_customer():
    ids = {customer_id_of("1", source, key * 32) for source in ("shop", "pos") for key in ("aa", "bb")}
    assert len(ids) == 4


def test_the_key_is_made_once_and_is_its_owners(tmp_path):
    key = identity_key(tmp_path / "var")
    assert identity_key(tmp_path / "var") == key
    assert len(bytes.fromhex(key)) == 32
    assert stat.S_IMODE((tmp_path / "var" / "identity.key").stat().st_mode) == 0o600


def test_a_cut_key_is_refused(tmp_path):
    (tmp_path / "identity.key").write_text("ab")
    with pytest.raises(BadData, match="Restore it"):
        identity_key(tmp_path)
