"""Double opt-in: what is asked for is confirmed by a link in a mail, by pressing its button, in time; and what was stopped comes back."""

import email
import email.policy
import re
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from django.test import Client

from rekindle import moment
from rekindle.deliver.links import Claim, sign
from rekindle.errors import BadData
from rekindle.service.config import load_ring
from rekindle.service.config.web import application
from rekindle.service.flow.confirming import request_opt_in
from rekindle.service.flow.sending import send_due
from rekindle.service.flow.wishing import wish
from rekindle.service.flow.wordings import OPT_IN, wording, wordings
from rekindle.service.outbox.models import Touch
from rekindle.service.people import actions, queries
from rekindle.service.people.models import Consent, OptIn, Person
from rekindle.service.public.preferences import WORDING
from rekindle.service.wishes.actions import Said
from rekindle.service.wishes.queries import held_and_stopped, wishes_of
from rekindle.service.wishes.wishes import Wishes
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.test_preferences import SENT, TICKED, link
from tests.service.touches import Recorder, meet

DAY = timedelta(days=1)
SAID = Said(NOON, "footer form", "v7", proven=False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The present, in a list, so that a test can move it."""
    present = [NOON]
    monkeypatch.setattr(moment, "now", lambda: present[0])
    return present


@pytest.fixture
def visitor(store: Settings, clock: list[datetime]) -> Client:
    application(store)
    contact = {"customer_id": "c1", "email": "Ada@people.example", "first_name": "<b>Ada", "locale": "de_DE"}
    actions.record_contacts(pa.Table.from_pylist([contact]), NOON - DAY)
    return Client(enforce_csrf_checks=True)


def mails(store: Settings, at: datetime) -> list[email.message.EmailMessage]:
    """What leaves now."""
    send_due(store, at, senders={"email": (recorder := Recorder())})
    return [email.message_from_bytes(one.wire, policy=email.policy.default) for one in recorder.taken]


def asked(store: Settings, said: Said = SAID) -> str:
    """A request, and the address in its mail."""
    assert request_opt_in(store, "c1", said)
    (mail,) = mails(store, said.at)
    body = mail.get_body(("plain",))
    assert body is not None
    (url,) = re.findall(r"https://\S+", body.get_content())
    return url.removeprefix(store.public_url)


def agreed() -> list[tuple[bool, str, str, str]]:
    return list(Consent.objects.order_by("pk").values_list("granted", "basis", "source", "wording_version"))


def test_the_mail_asks_in_the_customers_language_and_advertises_nothing(store: Settings, visitor: Client) -> None:
    assert request_opt_in(store, "c1", SAID)
    (mail,) = mails(store, NOON)
    assert (mail["To"], mail["Subject"]) == ("Ada@people.example", "Bitte bestätigen: Werbung per E-Mail von Marigold")
    assert mail["List-Unsubscribe"] is None
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert "Ja, Marigold darf mir per E-Mail Werbung für eigene Waren schicken." in text
        assert "12 Garden Row, Bristol" in text
        assert re.findall(r"https?://[^\s\"]+", text) == [url for url in re.findall(r"https://[^\s\"]+", text) if "/confirm/" in url]


def test_it_is_asked_for_once_until_it_is_over(store: Settings, visitor: Client) -> None:
    asked(store)
    for days in (0, 1, 6):
        assert request_opt_in(store, "c1", Said(NOON + days * DAY, "footer form"))
        assert mails(store, NOON + days * DAY) == []
    assert (OptIn.objects.count(), Touch.objects.count()) == (1, 1)
    asked(store, Said(NOON + 8 * DAY, "footer form"))
    assert Touch.objects.values_list("status", flat=True).distinct().get() == "sent"


def test_who_has_no_address_cannot_be_asked(store: Settings, visitor: Client) -> None:
    assert not request_opt_in(store, "nobody", SAID)
    assert (OptIn.objects.count(), Touch.objects.count()) == (0, 0)


def test_looking_agrees_to_nothing_and_one_press_does_however_often(store: Settings, visitor: Client, clock: list[datetime]) -> None:
    path = asked(store)
    for method in ("get", "head", "options"):
        assert getattr(visitor, method)(path).status_code == 200
    assert agreed() == []
    shown = visitor.get(path).content.decode()
    assert "Ja, Marigold darf mir per E-Mail" in shown
    assert "<script" not in shown
    clock[0] = NOON + 6 * DAY
    for _ in range(2):
        answer = visitor.post(path)
        assert (answer.status_code, len(answer.cookies), "Es gilt ab jetzt" in answer.content.decode()) == (200, 0, True)
    assert agreed() == [(True, "consent", "footer form, confirmed", OPT_IN)]
    assert queries.refusals(Person.objects.in_bulk(), "email", clock[0]) == {}


def test_a_damaged_link_confirms_nothing(store: Settings, visitor: Client) -> None:
    path = asked(store)
    start = path.rindex("/") + 1
    answers = {visitor.post(f"{path[:at]}{chr(ord(path[at]) ^ 1)}{path[at + 1 :]}").status_code for at in range(start, len(path))}
    assert (answers, agreed()) == ({404}, [])


def later(_: Settings) -> None:
    """Nothing happens."""


def moved(_: Settings) -> None:
    actions.record_contacts(pa.Table.from_pylist([{"customer_id": "c1", "email": "bob@people.example"}]), NOON + DAY)


def refused(_: Settings) -> None:
    actions.opt_out("c1", "email", NOON + DAY, "link")


@pytest.mark.parametrize(("meanwhile", "days"), [(later, 7), (moved, 2), (refused, 2)])
def test_a_request_ends(store: Settings, visitor: Client, clock: list[datetime], meanwhile: object, days: int) -> None:
    path = asked(store)
    assert callable(meanwhile)
    meanwhile(store)
    before, clock[0] = agreed(), NOON + days * DAY
    for answer in (visitor.get(path), visitor.post(path)):
        assert "gilt nicht mehr" in answer.content.decode()
        assert "<form" not in answer.content.decode()
    assert agreed() == before


def test_after_a_refusal_it_is_asked_for_anew(store: Settings, visitor: Client, clock: list[datetime]) -> None:
    asked(store)
    refused(store)
    clock[0] = NOON + 2 * DAY
    visitor.post(asked(store, Said(NOON + 2 * DAY, "footer form")))
    assert [granted for granted, *_ in agreed()] == [False, True]
    assert queries.refusals(Person.objects.in_bulk(), "email", NOON + 3 * DAY) == {}


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("proven", [True, False])
def test_a_wish_that_nothing_proves_is_confirmed_where_the_store_asks_for_it(
    store: Settings, visitor: Client, double: bool, proven: bool
) -> None:
    asking = store.model_copy(update={"consent": store.consent.model_copy(update={"double_opt_in": double})})
    wish(asking, "c1", Wishes(frozenset({"email", "inapp"}), hour=18), Said(NOON, "api", "v7", proven))
    waits = double and not proven
    now = wishes_of(Person.objects.get(), NOON)
    assert (now.channels, now.hour) == (frozenset({"inapp"}) | (frozenset() if waits else {"email"}), 18)
    assert len(mails(asking, NOON)) == waits


@pytest.mark.parametrize(("channel", "waits"), [("email", False), ("sms", True), ("webpush", True), ("inapp", True)])
def test_a_link_proves_the_address_of_its_own_channel_alone(
    store: Settings, visitor: Client, clock: list[datetime], channel: str, waits: bool
) -> None:
    asking = store.model_copy(update={"consent": store.consent.model_copy(update={"double_opt_in": True})})
    application(asking)
    path = f"/preferences/{sign(load_ring(store.var, 'preferences'), Claim('c1', f'{channel}-marketing'))}"
    page = visitor.post(path, {**TICKED, "way_inapp": "on"}).content.decode()
    assert wishes_of(Person.objects.get(), NOON).channels == frozenset({"inapp"}) | (frozenset() if waits else {"email"})
    assert ("Bestätigen Sie es mit dem Link" in page, 'name="way_email" checked' in page) == (waits, not waits)
    assert len(mails(asking, NOON)) == waits


def test_coming_back_takes_up_the_choices_of_before_with_a_fresh_record(store: Settings, visitor: Client, clock: list[datetime]) -> None:
    meet(["c1"])
    actions.record_contacts(pa.Table.from_pylist([{"customer_id": "c1", "phone": "+4915123456789", "sms_consent": True}]), NOON - DAY)
    actions.consent("c1", "inapp", NOON - DAY, "account")
    actions.opt_out("c1", "inapp", NOON - timedelta(hours=1), "account")
    chosen = {key: text for key, text in TICKED.items() if key != "topic_questions"} | {"way_sms": "on", "first": "sms", "hour": "18"}
    visitor.post(link(store), {**chosen, "monthly": "2", "day": "3", "month": "4"})
    before = wishes_of(Person.objects.get(), NOON)
    assert (before.channels, before.refused, before.monthly) == ({"email", "sms"}, {"questions"}, 2)
    clock[0] = NOON + DAY
    visitor.post(link(store), {**SENT, "stop_all": "1"})
    held, stopped = held_and_stopped(Person.objects.get(), clock[0])
    assert (held.channels, stopped) == (frozenset(), {"email", "sms"})
    words = Consent.objects.count()
    clock[0] = NOON + 2 * DAY
    assert 'name="restart"' in visitor.get(link(store)).content.decode()
    visitor.post(link(store), {**SENT, "restart": "1"})
    assert wishes_of(Person.objects.get(), clock[0]) == before, "what was stopped at another time stays so"
    new = Consent.objects.order_by("pk")[words:].values_list("channel", "granted", "wording_version", "recorded_at")
    assert sorted(new) == [("email", True, WORDING, clock[0]), ("sms", True, WORDING, clock[0])]
    assert 'name="restart"' not in visitor.get(link(store)).content.decode()


def test_every_wording_that_our_pages_name_is_written_down(store: Settings) -> None:
    for version in (WORDING, OPT_IN):
        for locale in ("en", "de_AT", "fr"):
            text = wording(store.root, version, "Marigold", locale)
            assert "Marigold" in text
            assert "{" not in text
    assert wording(store.root, "nobody wrote it", "Marigold", "en") == ""


def test_a_store_writes_down_its_own_and_changes_no_shipped_one(store: Settings) -> None:
    path = store.root / "content" / "wording.yaml"
    path.parent.mkdir()
    path.write_text("v7:\n  fr: Oui, {shop}\nopt-in-1:\n  en: Anything\n")
    assert wording(store.root, "v7", "Marigold", "de") == "Oui, Marigold"
    assert wordings(store.root)[OPT_IN]["en"].startswith("Yes, {shop} may")
    for text in ("- a", "v7: text", "v7: {en: 3}", "v7: {}", "a: ["):
        path.write_text(text)
        with pytest.raises(BadData, match=r"wording\.yaml"):
            wordings(store.root)
