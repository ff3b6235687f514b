from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from rekindle.errors import BadData, UsageError
from rekindle.service.people import actions, queries
from rekindle.service.people.contacts import Counts
from rekindle.service.people.models import Consent, Person
from rekindle.settings import Settings

LEDGERS = ("sqlite", "postgresql")

AT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def contacts(**columns: object) -> pa.Table:
    columns = {"source": ["shop"], "external_id": ["17"], "customer_id": ["c1"], **columns}
    return pa.table({name: pa.array(values, pa.bool_()) if name.endswith("consent") else values for name, values in columns.items()})


def refusal(channel: str = "email", at: datetime = AT) -> str:
    return queries.refusals(queries.people_by_id(["c1"]), channel, at).get("c1", "")


def test_a_contact_is_written_one_way_and_found_three_ways(store: Settings) -> None:
    row = contacts(
        email=[" Ada.L@Example.ORG "], phone=["0151 23456789"], locale=["de_DE"], timezone=["Europe/Berlin"], email_consent=[True],
        sms_consent=[None], consent_at=[AT - DAY], consent_source=["checkout"], birthday=[date(1988, 2, 29)],
    )
    assert actions.record_contacts(row, AT) == Counts(read=1, people=1, consents=1)
    assert (queries.find("c1"), queries.find("17"), queries.find("ADA.L@example.org")) == ("c1", "c1", "c1")
    actions.record_contacts(contacts(email=["ada@bücher.example"]), AT)
    assert queries.find("Ada@Bücher.example ") == "c1"
    actions.record_contacts(row, AT)
    person = Person.objects.get()
    assert (person.email, person.phone) == ("Ada.L@example.org", "+4915123456789")
    assert queries.external_ids(["c1", "c2"]) == {"c1": "17"}
    told = {"customer_id": "c1", "timezone": "Europe/Berlin", "locale": "de_DE", "birthday": "02-29", "channel": None, "hour": None}
    assert queries.known_people().to_pylist() == [{**told, "monthly": None}]
    consent = Consent.objects.values("channel", "purpose", "granted", "basis", "source", "recorded_at").get()
    assert consent == {
        "channel": "email", "purpose": "marketing", "granted": True, "basis": "consent", "source": "checkout", "recorded_at": AT - DAY,
    }


def test_the_same_file_twice_changes_nothing(store: Settings) -> None:
    row = contacts(email=["a@b.example"], email_consent=[True], consent_at=[AT - DAY])
    undated = contacts(customer_id=["c2"], external_id=["18"], email=["c@d.example"], email_consent=[True])
    for rows in (row, undated):
        assert actions.record_contacts(rows, AT) == Counts(read=1, people=1, consents=1)
        assert actions.record_contacts(rows, AT + DAY) == Counts(read=1)


def test_what_cannot_be_used_is_counted_and_nothing_held_is_lost(store: Settings) -> None:
    actions.record_contacts(contacts(email=["a@b.example"], first_name=["Ada"]), AT)
    counts = actions.record_contacts(contacts(email=["no address"], phone=["12"], timezone=["Mars/Olympus"], first_name=[None]), AT)
    assert counts == Counts(read=1, bad_emails=1, bad_phones=1, bad_zones=1)
    person = Person.objects.get()
    assert (person.email, person.first_name) == ("a@b.example", "Ada")


def test_contacts_need_a_customer_id(store: Settings) -> None:
    with pytest.raises(BadData):
        actions.record_contacts(pa.table({"email": ["a@b.example"]}), AT)


def test_nobody_and_several(store: Settings) -> None:
    rows = contacts(customer_id=["c1", "c2"], source=["shop", "shop"], external_id=["17", "18"], email=["a@b.example", "A@B.example"])
    actions.record_contacts(rows, AT)
    with pytest.raises(UsageError, match="c1, c2"):
        queries.find("a@b.example")
    with pytest.raises(BadData, match="no customer"):
        queries.find("nobody@b.example")


def test_no_record_no_marketing(store: Settings) -> None:
    actions.record_contacts(contacts(email=["a@b.example"]), AT)
    assert refusal() == "no consent"


def test_consent_is_per_channel_and_needs_an_address(store: Settings) -> None:
    actions.record_contacts(contacts(email=["a@b.example"], email_consent=[True], sms_consent=[True], inapp_consent=[True]), AT)
    assert refusal("email") == refusal("inapp") == ""
    assert refusal("sms") == "no address"
    assert refusal("webpush") == "no consent"


def test_somebody_can_be_written_to_by_whatever_channel(store: Settings) -> None:
    actions.record_contacts(contacts(first_name=["Ada"]), AT)
    assert not queries.has_contacts()
    actions.keep_browser("c1", "{}", "digest", AT)
    assert queries.has_contacts()
    assert actions.forget_browser("digest", AT)
    assert not queries.has_contacts()
    actions.record_contacts(contacts(inapp_consent=[True]), AT)
    assert queries.has_contacts()


def test_whoever_has_a_number_is_opted_out_together_and_it_is_news_once(store: Settings) -> None:
    number = "+4915123456789"
    actions.record_contacts(contacts(phone=[number], sms_consent=[True], consent_at=[AT]), AT)
    assert [actions.opt_out_number(number, AT + days * DAY, "sms") for days in (1, 2)] == [True, False]
    assert refusal("sms") == "opted out"
    actions.consent("c1", "sms", AT + 3 * DAY, "account", "v2")
    assert actions.opt_out_number(number, AT + 4 * DAY, "sms")
    assert [actions.opt_out_number("+4915100000000", AT, "sms") for _ in range(2)] == [True, False]


def test_an_undated_yes_never_undoes_a_refusal_and_a_later_dated_one_does(store: Settings) -> None:
    actions.record_contacts(contacts(email=["a@b.example"], email_consent=[True], consent_at=[AT - 3 * DAY]), AT - 3 * DAY)
    actions.opt_out("c1", "email", AT - 2 * DAY, "link")
    assert refusal() == "opted out"
    for stated in (None, AT - 3 * DAY, AT + 30 * DAY):
        rows = contacts(email_consent=[True], consent_at=pa.array([stated], pa.timestamp("us", "UTC")))
        assert actions.record_contacts(rows, AT).consents == 0
        assert refusal() == "opted out"
    actions.record_contacts(contacts(email_consent=[True], consent_at=[AT - DAY]), AT)
    assert refusal() == ""


def test_of_two_words_at_one_instant_the_refusal_counts(store: Settings) -> None:
    for granted in (False, True):
        actions.record_contacts(contacts(email=["a@b.example"], email_consent=[granted], consent_at=[AT - DAY]), AT)
    assert refusal() == "opted out"


def test_an_opt_out_counts_for_the_address_whoever_has_it(store: Settings) -> None:
    both = contacts(
        customer_id=["c0", "c1"], source=["shop", "shop"], external_id=["16", "17"], email=["a@b.example", "A@b.example"],
        email_consent=[True, True], consent_at=[AT - DAY, AT - DAY],
    )
    actions.record_contacts(both, AT)
    actions.opt_out("c0", "email", AT, "link")
    assert refusal() == "address suppressed"
    assert queries.consents().select(["customer_id", "granted"]).to_pylist() == [
        {"customer_id": "c0", "granted": False}, {"customer_id": "c1", "granted": False},
    ]


def test_consent_by_purchase_expires_by_itself(store: Settings) -> None:
    actions.record_contacts(contacts(email=["a@b.example"]), AT)
    Consent.objects.create(
        customer_id="c1", channel="email", purpose="marketing", granted=True, basis="purchase", source="order", recorded_at=AT - DAY,
        expires_at=AT,
    )
    assert refusal(at=AT - DAY) == ""
    assert refusal(at=AT) == "consent expired"


def test_only_what_changed_is_taken(store: Settings) -> None:
    for number in ("1", "2"):
        actions.record_contacts(contacts(customer_id=[f"c{number}"], external_id=[number], email=["a@b.example"], email_consent=[True]), AT)
    actions.take_changes()
    assert queries.consents(changed=True).num_rows == 2
    actions.record_contacts(contacts(customer_id=["c2"], external_id=["2"], first_name=["Ada"]), AT)  # between reading and marking
    actions.changes_known()
    actions.take_changes()
    assert queries.known_people(changed=True)["customer_id"].to_pylist() == ["c2"]
    assert queries.consents(changed=True)["consent_key"].to_pylist() == ["c2:email:marketing"]
