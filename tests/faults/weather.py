"""Everything that a mail server can do wrong with the messages to one domain, and a crowd of customers in all of them."""

from collections.abc import Sequence

from rekindle.service.outbox import actions as outbox
from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.models import Consent, Person
from tests.faults.crowds import BEFORE
from tests.faults.smtp_server import Fault
from tests.service.touches import touches

WRONG = {
    "good": None,
    "greylists": Fault("RCPT", "greylist"),
    "stalls-at-rcpt": Fault("RCPT", "stall", times=3),
    "trickles-at-rcpt": Fault("RCPT", "trickle", "250 a byte at a time", times=3),
    "tempfails-at-rcpt": Fault("RCPT", "reply", "451 4.3.0 try again", times=100),
    "shuts-down": Fault("RCPT", "reply", "421 4.3.2 shutting down", times=3),
    "talks-nonsense": Fault("RCPT", "reply", "nonsense", times=3),
    "talks-without-end": Fault("RCPT", "endless", times=3),
    "has-no-mailbox": Fault("RCPT", "reply", "550 5.1.1 no such user"),
    "stalls-at-data": Fault("DATA", "stall", times=3),
    "tempfails-at-data": Fault("DATA", "reply", "451 4.3.0 try again", times=100),
    "drops-mid-data": Fault("BODY", "half", times=3),
    "resets-mid-data": Fault("BODY", "half_reset", times=3),
    "reads-slowly": Fault("BODY", "read_slowly", times=3),
    "tempfails-after-the-dot": Fault("DOT", "reply", "452 4.3.1 no space", times=100),
    "refuses-after-the-dot": Fault("DOT", "reply", "554 5.7.1 spam"),
    "stalls-after-the-dot": Fault("DOT", "take_and_stall", times=3),
    "drops-after-the-dot": Fault("DOT", "take_and_drop", times=3),
    "resets-after-the-dot": Fault("DOT", "reset", times=3),
    "talks-nonsense-after-the-dot": Fault("DOT", "take_and_reply", "354 what", times=3),
}

def plan(domains: Sequence[str], each: int) -> int:
    """So many touches to each domain, in turn; how many in all."""
    named = [(f"c{number:02}-{domain}", domain) for number in range(each) for domain in domains]
    to = {customer: f"{customer}@{domain}.example" for customer, domain in named}
    Person.objects.bulk_create(
        Person(customer_id=one, email=address, email_lookup=address, first_name="Ada", updated_at=BEFORE)
        for one, address in to.items()
    )
    said = {"channel": "email", "purpose": MARKETING, "granted": True, "basis": "consent", "source": "shop", "recorded_at": BEFORE}
    Consent.objects.bulk_create(Consent(customer_id=one, **said) for one in to)
    outbox.insert_touches("plan1", touches(list(to)))
    outbox.ready("plan1")
    return len(to)
