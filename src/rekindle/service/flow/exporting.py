"""The messages of a plan as rows for any other sender, whose deliveries `import` takes back.

Knows nothing of files.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rekindle.deliver.contracts import unfilled
from rekindle.deliver.facts import Facts, with_frozen
from rekindle.deliver.templates import TemplateSet, render
from rekindle.history.warehouse import Warehouse
from rekindle.insight.profile import Profiles
from rekindle.program.documents import Documents
from rekindle.service.config import load_secret
from rekindle.service.flow.codes import code_for
from rekindle.service.flow.composing import shop_facts
from rekindle.service.flow.content import load_content
from rekindle.service.flow.linking import open_linker
from rekindle.service.flow.message_facts import facts_of
from rekindle.service.flow.message_facts import messages as messages_of
from rekindle.service.flow.planning import Planned
from rekindle.service.outbox.models import touch_key
from rekindle.service.people.queries import external_ids, people_by_id
from rekindle.settings import Settings

COLUMNS = ("customer", "email", "program", "stage", "variant", "channel", "code", "send_at", "valid_until", "subject", "text", "touch_key")
CHUNK = 2_000
REHEARSED = "REHEARSAL: nobody's consent is known. Do not send.\n\n"


def messages(settings: Settings, warehouse: Warehouse, planned: Planned, built: Profiles, documents: Documents) -> Iterator[dict[str, Any]]:
    """One row per message: your own id of the customer, what to send and when; `email` is empty in a rehearsal.

    Args:
        settings: The store's.
        warehouse: Its open history.
        planned: The plan.
        built: The profiles it was made from.
        documents: The documents it was made from.
    """
    found = messages_of(warehouse, planned.plan, built.table, documents)
    rows = warehouse.arrow(found.order_by("customer_id", "program", "stage"))
    templates, key = load_content(settings.root), load_secret(settings.var, "codes")
    shop, linker = shop_facts(settings, templates), open_linker(settings)
    warning = REHEARSED if planned.plan.rehearsal else ""
    for batch in rows.to_batches(max_chunksize=CHUNK):
        listed = batch.to_pylist()
        ids = [row["customer_id"] for row in listed]
        names, people = external_ids(ids), people_by_id(ids)
        for row in listed:
            offer, person = documents.offers[row["offer"]], people.get(row["customer_id"])
            touch = touch_key(row["program"], row["customer_id"], row["episode"], row["stage"])
            code = code_for(key, touch) if offer.redeemed else ""
            stop, choose = linker.own(row["customer_id"], "email")
            stated = replace(
                with_frozen(shop, json.dumps(facts_of(row, documents, settings)), planned.as_of.day),
                stage=row["stage"], program=row["program"], arm=row["arm"], code=code, first_name=person.first_name if person else None,
                unsubscribe_url=stop, preferences_url=choose,
            )
            subject, text = written(templates, stated)
            yield {
                "customer": names.get(row["customer_id"], row["customer_id"]), "email": person.email if person else "",
                "program": row["program"], "stage": row["stage"], "variant": row["arm"], "channel": row["channel"], "code": code,
                "send_at": row["send_at"].isoformat() + "Z", "valid_until": row["valid_until"], "subject": subject,
                "text": warning + text, "touch_key": touch,
            }


def written(templates: TemplateSet, stated: Facts) -> tuple[str, str]:
    """Subject and text; of a message that lacks what it must say, what that is, so that no row is missing."""
    if (block := unfilled(stated)) is not None:
        return "", f"NOT WRITTEN: nothing known fills its block '{block}'.\n"
    said = render(templates, stated)
    return said.subject, said.text
