"""How often something may be asked: a link, an address, a stranger; nobody who may is kept out by who may not, and no address is held."""

from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory

from rekindle import moment
from rekindle.deliver.links import Claim, sign
from rekindle.service.api import actions
from rekindle.service.api.access import STRANGERS
from rekindle.service.config import load_ring, often
from rekindle.service.config.web import application
from rekindle.service.people.models import Consent, Person
from rekindle.service.public.forms import LINKS, ORIGINS
from rekindle.settings import Settings
from tests.service.test_preferences import TICKED
from tests.service.touches import meet

STOP = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(store: Settings) -> Callable[[str, str], str]:
    application(store)
    meet(["ada", "grace", "joan"])
    return lambda kind, who: (
        f"/{'u' if kind == 'unsubscribe' else kind}/{sign(load_ring(store.var, kind), Claim(who, 'email-marketing'))}"
    )


def test_a_link_is_posted_to_so_often_a_minute_and_other_links_go_on(
    link: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(often.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(LINKS, "_since", clock[0])
    client, mine = Client(), link("preferences", "ada")
    assert {client.post(mine, TICKED).status_code for _ in range(LINKS.most)} == {200}
    answer = client.post(mine, {**TICKED, "hour": "18"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert "One moment, please" in answer.content.decode()
    assert Person.objects.get(pk="ada").stated_hour is None, "nothing was changed"
    assert client.get(mine).status_code == 200, "who looks is not counted"
    assert client.post(link("preferences", "grace"), TICKED).status_code == 200
    clock[0] += 60
    assert client.post(mine, {**TICKED, "hour": "18"}).status_code == 200


def test_an_address_posts_so_often_and_a_stop_is_never_put_off(link: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ORIGINS, "most", 1)
    here, there = Client(headers={"X-Forwarded-For": "203.0.113.7"}), Client(headers={"X-Forwarded-For": "203.0.113.8"})
    assert [here.post(link("preferences", who), TICKED).status_code for who in ("ada", "grace")] == [200, 429]
    assert there.post(link("preferences", "grace"), TICKED).status_code == 200
    assert [here.post(link("unsubscribe", who), STOP).status_code for who in ("ada", "grace", "joan")] == [200] * 3
    assert Consent.objects.filter(granted=False, channel="email").count() == 3
    assert not any("203.0.113" in name for counted in (LINKS, ORIGINS, STRANGERS) for name in counted._counts)


def test_who_has_a_key_is_not_kept_out_by_strangers_of_the_same_address(
    link: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(STRANGERS, "most", 2)
    key = actions.create("shop", ["inapp"], moment.now())

    def ask(word: str) -> int:
        return Client().get("/v1/inapp?customer=ada", headers={"Authorization": f"Bearer {word}"}).status_code

    assert [ask("x") for _ in range(4)] == [401, 401, 429, 429]
    assert ask(key) == 200
    refused = Client().get("/v1/inapp?customer=ada")
    assert (refused.json()["error"]["kind"], refused["Retry-After"]) == ("TooOften", "60")


def test_a_flood_of_names_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(often, "_AT_MOST", 10)
    counted = often.Counted(1)
    assert not any(counted.over(str(number)) for number in range(25))
    assert len(counted._counts) <= 10


@pytest.mark.parametrize(
    ("near", "said", "address"),
    [
        ("127.0.0.1", "198.51.100.4, 203.0.113.7", "203.0.113.7"),
        ("9.9.9.9", "198.51.100.4", "9.9.9.9"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("", "198.51.100.4", ""),
    ],
)
def test_only_a_server_of_ours_says_whom_it_asks_for(near: str, said: str, address: str) -> None:
    from django.test import RequestFactory

    request = RequestFactory().get("/", headers={"X-Forwarded-For": said}, REMOTE_ADDR=near)
    assert often.address_of(request) == address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"), ("255.255.255.255", "255.255.255.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "::/48"), ("", ""), ("unix", ""),
    ],
)  # fmt: skip
def test_a_network_is_the_addresses_beside_one(address: str, network: str) -> None:
    assert often.network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network
