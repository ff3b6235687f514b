"""The preference centre: a link is enough, looking changes nothing, and what is chosen holds at once."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client

from rekindle import moment
from rekindle.deliver.links import Claim, sign
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Consent, Person
from rekindle.service.people.queries import consents, known_people
from rekindle.service.privacy.actions import forget
from rekindle.service.privacy.queries import traces
from rekindle.service.public.words import language_of, languages, words
from rekindle.service.wishes.queries import wishes_of
from rekindle.service.wishes.wishes import Wishes
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import Recorder, meet, plan

SENT = {"sent": "1"}
TICKED = {**SENT, "way_email": "on", "scored": "on", **{f"topic_{name}": "on" for name in ("offers", "advice", "questions", "occasions")}}


@pytest.fixture
def visitor(store: Settings) -> Client:
    application(store)
    meet(["c1"])
    return Client(enforce_csrf_checks=True)


def link(store: Settings) -> str:
    return f"/preferences/{sign(load_ring(store.var, 'preferences'), Claim('c1', 'email-marketing'))}"


def held(customer: str = "c1") -> Wishes:
    return wishes_of(Person.objects.get(pk=customer), moment.now())


def test_the_page_shows_what_holds(store: Settings, visitor: Client) -> None:
    page = visitor.get(link(store))
    assert page.status_code == 200
    assert not page.cookies
    text = page.content.decode()
    assert 'name="way_email" checked' in text
    assert 'name="way_sms" disabled' in text, "no number is known"
    assert "<script" not in text
    assert "style=" not in text


@pytest.mark.parametrize(("day", "month"), [("31", "2"), ("5", ""), ("", "7")])
def test_a_day_that_there_is_not_changes_no_birthday_and_is_said(store: Settings, visitor: Client, day: str, month: str) -> None:
    for chosen, kept in (({"day": "29", "month": "2"}, date(2000, 2, 29)), ({"day": day, "month": month}, date(2000, 2, 29)), ({}, None)):
        page = visitor.post(link(store), {**TICKED, **chosen}).content.decode()
        assert held().birthday == kept
        assert ("your birthday stays as it was" in page) == (chosen.get("day") == day)


def test_who_stops_everything_is_told_so_and_may_take_it_back_from_the_same_page(store: Settings, visitor: Client) -> None:
    for choice in ({**SENT, "stop_all": "1"}, {**SENT, "scored": "on"}):
        page = visitor.post(link(store), choice).content.decode()
        assert "From now on you get no advertising from us." in page
        assert 'name="restart" value="1"' in page
        page = visitor.post(link(store), {**SENT, "restart": "1"}).content.decode()
        assert "Saved. It holds from now on." in page
        assert 'name="stop_all" value="1"' in page
        assert held().channels == {"email"}


@pytest.mark.parametrize("page", ["preferences", "known", "data"])
def test_the_links_of_who_was_erased_are_none_of_ours_any_more(store: Settings, visitor: Client, page: str) -> None:
    """But for the one to stop, which is never refused."""
    theirs = link(store).replace("preferences", page)
    assert visitor.get(theirs).status_code == 200
    forget(traces(["c1"], []), NOON)
    answer = visitor.get(theirs)
    assert (answer.status_code, answer.content) == (404, visitor.get(f"/{page}/damaged").content)
    assert visitor.post(theirs, {**TICKED, "erase": "yes"}).status_code == (405 if page == "known" else 404)
    assert not Consent.objects.exists()
    assert "Done." in stopped(store, visitor)


def test_pressing_save_without_a_change_says_nothing_new(store: Settings, visitor: Client) -> None:
    before = Consent.objects.count()
    assert visitor.post(link(store), TICKED).status_code == 200
    assert Consent.objects.count() == before
    assert held() == Wishes(channels=frozenset({"email"}))


def test_everything_that_can_be_chosen_is_kept_and_shown_again(store: Settings, visitor: Client) -> None:
    chosen = {**TICKED, "first": "email", "monthly": "2", "hour": "18", "pause": "30", "day": "29", "month": "2"}
    del chosen["topic_questions"]
    visitor.post(link(store), chosen)
    now = held()
    assert (now.channel, now.monthly, now.hour, now.birthday, now.refused) == ("email", 2, 18, date(2000, 2, 29), frozenset({"questions"}))
    assert now.paused_until is not None
    assert timedelta(days=29) < now.paused_until - moment.now() <= timedelta(days=30)
    visitor.post(link(store), {**chosen, "pause": "keep"})
    assert held() == now, "what was chosen is chosen again"
    (told,) = known_people().to_pylist()
    assert (told["channel"], told["hour"], told["monthly"], told["birthday"]) == ("email", 18, 2, "02-29")
    purposes = {(row["purpose"], row["granted"]) for row in consents().to_pylist()}
    assert purposes == {("marketing", True), ("topic:questions", False), ("pause", True)}


def test_a_refusal_is_taken_back_by_a_new_word(store: Settings, visitor: Client) -> None:
    visitor.post(link(store), {key: value for key, value in TICKED.items() if key not in ("topic_offers", "scored", "way_email")})
    assert (held().refused, held().scored, held().channels) == (frozenset({"offers"}), False, frozenset())
    visitor.post(link(store), TICKED)
    assert held() == Wishes(channels=frozenset({"email"}))
    said = Consent.objects.filter(purpose="marketing").order_by("recorded_at").values_list("granted", "source", "wording_version")
    assert list(said)[1:] == [(False, "preference page", ""), (True, "preference page", "preferences-1")]


SILENCING = [{**SENT, "stop_all": "1"}, {**TICKED, "pause": "60"}, {key: value for key, value in TICKED.items() if key != "scored"}]


@pytest.mark.parametrize("form", SILENCING)
def test_what_waits_is_withdrawn_at_once(store: Settings, visitor: Client, form: dict[str, str]) -> None:
    plan(["c1"])
    visitor.post(link(store), form)
    send_due(store, NOON + timedelta(days=1), senders={"email": (recorder := Recorder())})
    assert recorder.taken == []
    assert Touch.objects.get().status == "suppressed"


@pytest.mark.parametrize("form", [{}, {"scored": "on"}, {"stop_all": "1"}, {"sent": ""}])
def test_what_was_not_sent_by_the_page_changes_nothing(store: Settings, visitor: Client, form: dict[str, str]) -> None:
    """A body that got lost unticks nothing."""
    before = (list(Consent.objects.values()), list(Person.objects.values()))
    answer = visitor.post(link(store), form)
    assert (answer.status_code, answer.content) == (400, visitor.get(link(store)).content)
    assert (list(Consent.objects.values()), list(Person.objects.values())) == before


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(store: Settings, visitor: Client, method: str) -> None:
    before = (list(Consent.objects.values()), list(Person.objects.values()))
    getattr(visitor, method)(link(store), TICKED)
    assert (list(Consent.objects.values()), list(Person.objects.values())) == before


def test_a_damaged_link_changes_nothing(store: Settings, visitor: Client) -> None:
    good = link(store)
    for at in range(len("/preferences/"), len(good)):
        assert visitor.post(f"{good[:at]}{chr(ord(good[at]) ^ 1)}{good[at + 1 :]}", {**SENT, "stop_all": "1"}).status_code == 404
    assert held().channels == {"email"}


HOSTILE = [
    {"monthly": "-1"}, {"monthly": "10" * 500}, {"hour": "3"}, {"hour": "٣"}, {"day": "31", "month": "2"}, {"pause": "99999"},
    {"first": "<script>"}, {"way_fax": "on"}, {"topic_x": "on"},
]  # fmt: skip


@pytest.mark.parametrize("form", HOSTILE)
def test_what_the_page_does_not_offer_says_nothing(store: Settings, visitor: Client, form: dict[str, str]) -> None:
    assert visitor.post(link(store), {**TICKED, **form}).status_code == 200
    assert held() == Wishes(channels=frozenset({"email"}))


def test_the_page_speaks_the_customers_language(store: Settings, visitor: Client) -> None:
    Person.objects.update(locale="de_AT")
    page = visitor.get(link(store))
    assert page["Content-Language"] == "de"
    assert "Was Sie von uns bekommen" in page.content.decode()


def test_every_language_says_the_same_things() -> None:
    assert languages() == ("de", "en")
    holes = {one: {key: sorted(re.findall(r"{(.*?)}", text)) for key, text in words(one).items()} for one in languages()}
    assert holes["de"] == holes["en"]
    assert (language_of("de_AT", "en"), language_of("fr", "de"), language_of("", "xx")) == ("de", "de", "en")


def stopped(store: Settings, visitor: Client) -> str:
    token = sign(load_ring(store.var, "unsubscribe"), Claim("c1", "email-marketing"))
    answer = visitor.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stop_is_taken_back_with_one_press_where_there_was_a_yes(store: Settings, visitor: Client) -> None:
    page = stopped(store, visitor)
    action = re.search('<form method="post" action="([^"]+)">', page)
    assert action
    assert 'name="sent" value="1"' in page
    assert 'name="restart" value="1"' in page
    assert held().channels == frozenset()
    assert visitor.post(action[1].removeprefix(store.public_path), {**SENT, "restart": "1"}).status_code == 200
    assert held().channels == {"email"}


def test_a_yes_that_nobody_said_is_not_offered_back(store: Settings, visitor: Client) -> None:
    Consent.objects.all()._raw_delete(using="default")
    implied = {"channel": "email", "purpose": "marketing", "basis": "purchase", "source": "order"}
    Consent.objects.create(customer_id="c1", granted=True, recorded_at=NOON, **implied)
    assert "restart" not in stopped(store, visitor)
