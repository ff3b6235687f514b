from pathlib import Path

import pytest

from rekindle.deliver.claims import Registry
from rekindle.deliver.facts import with_frozen
from rekindle.errors import BadData
from rekindle.service.flow.composing import shop_facts
from rekindle.service.flow.content import load_content, registered_facts, scaffold_content, shipped_content
from tests.service.conftest import make_store


def test_scaffolding_copies_what_ships_and_keeps_what_is_there(tmp_path: Path) -> None:
    shipped = shipped_content()
    assert {"layout.mjml", "facts.yaml", "win-back/reconnect.mjml", "win-back/closing.txt", "blocks/offer.txt"} <= set(shipped.texts)
    assert scaffold_content(tmp_path) == len(shipped.texts)
    assert load_content(tmp_path).texts == shipped.texts
    (tmp_path / "content" / "win-back" / "closing.txt").write_text("Subject: mine", encoding="utf-8")
    assert scaffold_content(tmp_path) == 0
    assert load_content(tmp_path).texts["win-back/closing.txt"] == "Subject: mine"


def test_a_store_without_content_takes_what_ships(tmp_path: Path) -> None:
    assert load_content(tmp_path).texts == shipped_content().texts
    (tmp_path / "content" / "win-back").mkdir(parents=True)
    (tmp_path / "content" / "win-back" / "closing.txt").write_text("Subject: mine", encoding="utf-8")
    mixed = load_content(tmp_path).texts
    assert mixed == {**shipped_content().texts, "win-back/closing.txt": "Subject: mine"}


def test_registered_facts_reach_messages(tmp_path: Path) -> None:
    scaffold_content(tmp_path)
    assert registered_facts(load_content(tmp_path)) == Registry()
    (tmp_path / "content" / "facts.yaml").write_text("returns_policy: 30 days.\nfix: ''\n", encoding="utf-8")
    assert with_frozen(shop_facts(make_store(tmp_path), load_content(tmp_path)), "{}").returns_policy == "30 days."


@pytest.mark.parametrize(
    "text", ["- a list", "brand_color: '#ffffff'", "x: [", "guarentee: two years", "care: {Tea: dry}", "care_by_category: dry"]
)
def test_facts_that_cannot_be_used_are_named(tmp_path: Path, text: str) -> None:
    scaffold_content(tmp_path)
    (tmp_path / "content" / "facts.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match=r"facts\.yaml"):
        shop_facts(make_store(tmp_path), load_content(tmp_path))


def test_content_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    scaffold_content(tmp_path)
    (tmp_path / "content" / "facts.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadData, match="UTF-8"):
        load_content(tmp_path)
