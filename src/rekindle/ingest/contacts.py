"""A file of people: one row per customer, columns named as ours or nearly so.

Knows nothing of orders: the customer's id, or the e-mail, must be the one that the orders have.
"""

import re

import ibis.expr.types as ir

from rekindle.errors import BadData
from rekindle.ingest.kinds import KINDS
from rekindle.ingest.mapping import Source
from rekindle.ingest.presets import Preset, Step

_ALSO = {
    "customerid": "customer_id", "customer": "customer_id", "e_mail": "email", "mail": "email", "email_address": "email",
    "phone_number": "phone", "firstname": "first_name", "lastname": "last_name", "time_zone": "timezone", "language": "locale",
    "date_of_birth": "birthday", "accepts_marketing": "email_consent", "accepts_email_marketing": "email_consent",
    "accepts_sms_marketing": "sms_consent", "consented_at": "consent_at",
}


def _source(present: tuple[str, ...]) -> Source:
    columns: dict[str, str] = {}
    for theirs in present:
        plain = re.sub(r"\W+", "_", theirs.strip().lower())
        ours = _ALSO.get(plain, plain)
        if ours in KINDS["contacts"].fields:
            columns.setdefault(ours, theirs)
    if not {"customer_id", "email"} & columns.keys():
        there = ", ".join(present)
        raise BadData(f"no column says who the people are, only {there}", "Name one customer_id or email, as the orders have it.")
    return Source(kind="contacts", columns=columns)


def _as_it_is(rows: ir.Table) -> ir.Table:
    return rows


PRESET = Preset("contacts", (), (Step(_source, _as_it_is),))
