"""`rekindle keys`: a key is shown once, listed by name, and ended."""

from pathlib import Path

import pytest

from tests.cli.terminal import done, typed


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "rekindle.toml").write_text('name = "Marigold"\n', encoding="utf-8")
    return tmp_path


def test_a_key_is_shown_once_and_then_known_by_its_name(shop: Path) -> None:
    made = done("--store", shop, "keys", "create", "shop-frontend", "--scope", "webpush", "--scope", "inapp", "--json").json
    assert (made["label"], made["scopes"]) == ("shop-frontend", ["inapp", "webpush"])
    name, word = made["key"].split("_", 2)[1:]
    assert made["key"] == f"rk_{name}_{word}"
    listed = done("--store", shop, "keys", "list", "--json")
    (one,) = listed.json["keys"]
    assert (one["name"], one["label"], one["scopes"], one["revoked_at"]) == (name, "shop-frontend", ["inapp", "webpush"], None)
    assert word not in listed.out + done("--store", shop, "keys", "list").out


def test_a_key_is_ended_by_its_name(shop: Path) -> None:
    name = done("--store", shop, "keys", "create", "x", "--scope", "inapp").lines[0].split("_")[1]
    assert done("--store", shop, "keys", "revoke", name, "--dry-run").out == f"{name} would be revoked\n"
    assert "revoked" not in done("--store", shop, "keys", "list").out
    assert done("--store", shop, "keys", "revoke", name).out == f"{name} is revoked\n"
    assert "revoked on" in done("--store", shop, "keys", "list").out
    again = typed("--store", shop, "keys", "revoke", name, "--json")
    assert (again.code, again.json["error"]["kind"]) == (2, "UsageError")


def test_a_dry_run_makes_no_key_and_a_scope_that_is_none_is_refused(shop: Path) -> None:
    assert done("--store", shop, "keys", "create", "x", "--scope", "inapp", "--dry-run").out == "x would open inapp\n"
    for words in (("--scope", "everything"), ("--scope", "everything", "--dry-run")):
        assert typed("--store", shop, "keys", "create", "x", *words).code == 2
    assert typed("--store", shop, "keys", "create", "x").code == 2
    assert done("--store", shop, "keys", "list").out == "No keys.\n"
