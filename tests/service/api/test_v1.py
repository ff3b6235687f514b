"""The JSON API: keys by scope, one error object, and nothing that a request could break."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rekindle.errors import UsageError
from rekindle.service.api import access, actions, queries, v1
from rekindle.service.api.models import ApiKey
from rekindle.service.api.scopes import SCOPES
from rekindle.service.config import kept, often
from tests.service.api.asking import BROWSER, NOW, Ask, share

REFUSALS = [
    ("GET", "/inapp", None, 422), ("GET", "/inapp?customer=", None, 422), ("GET", "/inapp?customer=a%00b", None, 422),
    ("GET", "/inapp?customer=c&limit=0", None, 422), ("GET", "/inapp?customer=c&limit=101", None, 422),
    ("GET", "/inapp?customer=c&after=99999999999999999999", None, 422), ("GET", "/nothing", None, 404),
    ("PUT", "/inapp?customer=c", None, 405), ("OPTIONS", "/nothing", None, 405), ("GET", "/webpush/unsubscribe", None, 405),
    ("POST", "/inapp/", None, 404),
    ("POST", "/inapp/%00/seen", None, 422), ("POST", "/inapp/none/seen", None, 404), ("POST", "/webpush/subscriptions", None, 422),
    ("POST", "/webpush/subscriptions", [], 422), ("POST", "/webpush/unsubscribe", {"endpoint": "http://push.example/x"}, 422),
    ("POST", "/webpush/unsubscribe", {**BROWSER, "keys": {"p256dh": "AAAA", "auth": "AAAA"}}, 422),
    ("POST", "/webpush/subscriptions", {"customer": "nobody", "subscription": BROWSER, "marketing": True}, 422),
    ("POST", "/webpush/unsubscribe", {"endpoint": "https://push.example/" + "x" * 1_100_000}, 400),
]  # fmt: skip
"""Method, path, body, and the status of the answer."""


def test_every_refusal_has_one_shape(ask: Ask) -> None:
    for method, path, body, status in REFUSALS:
        answered, said = ask(method, path, body)
        assert answered == status, (method, path, said)
        assert set(said) == {"error"}
        assert set(said["error"]) == {"kind", "cause", "remedy", "status"}
        assert said["error"]["status"] == status
        assert said["error"]["cause"]
        assert not said["error"]["cause"].endswith(".")
        assert said["error"]["remedy"].endswith((".", "create", "list", "--scope"))


def test_where_a_name_may_be_several_customers_none_of_them_is_told(ask: Ask) -> None:
    share("family@people.example", "c-1", "c-2")
    who = {"customer": "family@people.example"}
    wanted = {**who, "wording_version": "v", "channels": [], "refused_topics": [], "scored": True}
    asked: list[tuple[str, str, object]] = [
        ("GET", "/preferences?customer=family@people.example", None), ("PUT", "/preferences", wanted),
        ("GET", "/customers/family@people.example/brief", None), ("GET", "/landing?customer=family@people.example", None),
        ("POST", "/privacy/erasures", who), ("POST", "/privacy/data-requests", who),
        ("POST", "/webpush/subscriptions", {**who, "subscription": BROWSER, "marketing": False}),
    ]  # fmt: skip
    for method, path, body in asked:
        status, said = ask(method, path, body)
        assert (status, said["error"]["kind"]) == (400, "UsageError"), (path, said)
        assert "c-1" not in json.dumps(said), path


def test_what_is_no_json_is_refused_in_the_same_shape(ask: Ask) -> None:
    key = actions.create("tests", ["webpush"], NOW)
    for body in (b"{", b"\xff", b"[" * 50_000, b'{"a": "\\ud800"}'):
        response = Client().post(
            "/v1/webpush/unsubscribe", body, content_type="application/json", headers={"Authorization": f"Bearer {key}"}
        )  # fmt: skip
        assert response.status_code in (400, 422), body[:9]
        assert set(response.json()["error"]) == {"kind", "cause", "remedy", "status"}


def test_every_scope_is_on_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page.partition("## Preferences")[0], re.MULTILINE))
    plain = {name: re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", words) for name, words in listed.items()}
    assert plain == SCOPES


def test_a_key_opens_what_it_says_and_nothing_else(ask: Ask) -> None:
    inapp = actions.create("frontend", ["inapp"], NOW)
    assert ask("GET", "/inapp?customer=c", key=inapp)[0] == 200
    assert ask("GET", "/webpush/key", key=inapp)[0] == 403
    for wrong in ("", "rk_", "rk_00000000_" + "A" * 43, inapp[:-1], f"{inapp}A", inapp.swapcase(), "A" * 10_000, "ü"):
        status, said = ask("GET", "/inapp?customer=c", key=wrong)
        assert (status, said["error"]["kind"], said["error"]["cause"]) == (401, "NoKey", "Unauthorized")


def test_every_octet_of_a_key_counts(ask: Ask) -> None:
    key = actions.create("frontend", ["inapp"], NOW)
    assert queries.key_of(key) is not None
    changed = [key[:at] + chr(ord(key[at]) ^ bit) + key[at + 1 :] for at in range(len(key)) for bit in (1, 2, 32)]
    assert [one for one in changed if queries.key_of(one)] == []


def test_a_key_is_held_as_a_digest_and_ends_when_it_is_revoked(ask: Ask) -> None:
    key = actions.create("frontend", ["inapp", "inapp"], NOW)
    prefix, word = key.split("_")[1], key.split("_", 2)[2]
    row = ApiKey.objects.get(pk=prefix)
    assert word not in "".join(str(getattr(row, one.name)) for one in ApiKey._meta.fields)
    assert (row.scopes, len(word)) == ("inapp", 43)
    actions.revoke(prefix, NOW, dry_run=True)
    assert ask("GET", "/inapp?customer=c", key=key)[0] == 200
    actions.revoke(prefix, NOW)
    assert ask("GET", "/inapp?customer=c", key=key)[0] == 401
    for name in (prefix, "nobody"):
        with pytest.raises(UsageError, match="in use"):
            actions.revoke(name, NOW)
    for scopes in ([], ["everything"], ["inapp", ""]):
        with pytest.raises(UsageError, match="a key opens one or more of"):
            actions.create("x", scopes, NOW)


def test_a_key_that_another_process_revokes_ends_within_a_second(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    instant = [0.0]
    monkeypatch.setattr(kept.time, "monotonic", lambda: instant[0])
    key = actions.create("frontend", ["inapp"], NOW)
    assert queries.key_of(key)
    ApiKey.objects.update(revoked_at=NOW)
    assert queries.key_of(key), "kept for a moment"
    assert queries.key_of(f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}") is None
    instant[0] += queries.SEEN_WITHIN
    assert queries.key_of(key) is None
    ApiKey.objects.update(revoked_at=None)
    assert queries.key_of(key), "what was not there is looked up each time"


def test_a_key_asks_so_often_a_minute_and_others_are_not_held_up(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    instant = [0.0]
    monkeypatch.setattr(often.time, "monotonic", lambda: instant[0])
    busy, first, second = access.Often(3), ApiKey(prefix="a"), ApiKey(prefix="b")

    class Asked:
        def __init__(self, key: ApiKey) -> None:
            self.auth = key

    assert [busy.allow_request(Asked(first)) for _ in range(4)] == [True, True, True, False]
    assert busy.allow_request(Asked(second))
    instant[0] = 60.0
    assert busy.allow_request(Asked(first))


def test_the_limit_is_answered_with_when_to_come_again(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v1.OFTEN.counted, "most", 3)
    key = actions.create("busy", ["inapp"], NOW)
    assert [ask("GET", "/webpush/key", key=key)[0] for _ in range(5)] == [403] * 5, "what a key does not open does not count"
    assert [ask("GET", "/inapp?customer=c", key=key)[0] for _ in range(4)] == [200, 200, 200, 429]
    last = Client().get("/v1/inapp?customer=c", headers={"Authorization": f"Bearer {key}"})
    assert (last.status_code, last["Retry-After"], last.json()["error"]["kind"]) == (429, "60", "TooOften")
    assert ask("GET", "/inapp?customer=c")[0] == 200, "another key"


def test_a_mistake_of_ours_tells_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("ada@people.example")

    monkeypatch.setattr("rekindle.service.api.inapp.named", broken)
    status, said = ask("GET", "/inapp?customer=ada")
    assert (status, said["error"]["cause"]) == (500, "something failed")
    assert "ada" not in json.dumps(said) + caplog.text
    assert "RuntimeError at" in caplog.text


def test_the_document_names_every_path_and_needs_no_key(ask: Ask) -> None:
    status, document = ask("GET", "/openapi.json", key="")
    assert status == 200
    assert document["paths"].keys() >= {
        "/v1/inapp", "/v1/inapp/{message}/seen", "/v1/inapp/{message}/dismiss", "/v1/webpush/key", "/v1/webpush/subscriptions",
        "/v1/webpush/unsubscribe",
    }  # fmt: skip
    assert all(one.get("security") for path in document["paths"].values() for one in path.values())


@given(customer=st.text(max_size=30), limit=st.integers(), after=st.integers(), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_asked_breaks_it(ask: Ask, customer: str, limit: int, after: int, method: str) -> None:
    quoted = quote(customer, safe="")
    for path in (f"/inapp?customer={quoted}&limit={limit}&after={after}", f"/inapp/{quoted}/seen", f"/{quoted}"):
        assert ask(method, path)[0] < 500
