"""An erasure goes the same way on both databases."""

from rekindle.service.flow.erasing import erase_asked
from rekindle.service.outbox.models import Touch
from rekindle.service.people.models import Consent, Person
from rekindle.service.privacy import actions, queries
from rekindle.service.privacy.models import ERASURE, Receipt
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.touches import plan

LEDGERS = ("sqlite", "postgresql")


def test_one_goes_and_the_other_stays(store: Settings) -> None:
    plan(["c1", "c2"])
    actions.ask(ERASURE, "c1", "command", NOON)
    done = erase_asked(store, NOON)
    assert done is not None
    assert (done.customers, done.ledger["outbox.touch"], done.ledger["people.person"]) == (1, 1, 1)
    assert queries.rows_of("c1") == {}
    assert [model.objects.get().customer_id for model in (Person, Touch, Consent)] == ["c2"] * 3
    assert (Receipt.objects.get().customer_id, Receipt.objects.get().done_at) == ("", NOON)
