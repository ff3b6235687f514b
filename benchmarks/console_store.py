"""A large store with all that the console shows: contacts, a year's outbox, a plan that waits, and what each kind of job leaves.

Knows nothing of pages. Everything but the past messages is made by what makes it in a store that is used.
"""

import json
import time
from datetime import UTC, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import big_store
import ibis
import store_in_use

if TYPE_CHECKING:
    from rekindle.history.warehouse import Warehouse
    from rekindle.settings import Settings

CHUNK = 50_000
YEAR = 400
"""Days over which consents and past messages are spread."""

OPERATOR = "admin-privacy@marigold.example"
EXPERIMENT = "experiments/words-or-nothing.yaml"
UPLOAD = "kunde;datum;betrag\n" + "".join(f"k{number};{1 + number % 28:02}.03.2026;{number % 90},50\n" for number in range(2_000))
COLUMNS = {"customer_id": "kunde", "ordered_at": "datum", "total": "betrag"}
ENDS = (("sent", 90, ""), ("suppressed", 94, "opted out"), ("failed", 97, "550 no such user"), ("expired", 99, ""), ("unknown", 100, ""))
"""How past messages ended: up to which per cent, and why."""


def fill(folder: Path, customers: int) -> None:
    """Makes the store: history, contacts, one run of the main job but for sending, past messages, and jobs."""
    begun = time.perf_counter()
    big_store.make(folder, customers)
    held = store_in_use.use(folder)
    from rekindle.history.warehouse import open_history

    with open_history(held.history, held.root) as warehouse:
        contacts(warehouse)
        told("contacts", begun)
        touches = run(held, warehouse)
        told(f"{touches:,} messages that wait", begun)
        past = messages(warehouse)
        told(f"{past:,} past messages", begun)
    documents(held)
    jobs(held)
    with (folder / "rekindle.toml").open("a", encoding="utf-8") as file:
        file.write('\n[senders]\nemail = "smtp"\n')  # so that the plan waits for a yes
    told(f"{customers:,} customers: all", begun)


def told(what: str, begun: float) -> None:
    """Says how far it is."""
    print(f"{what} made after {time.perf_counter() - begun:.0f} s", flush=True)


def contacts(warehouse: "Warehouse") -> None:
    """Everybody's address and the id that the shop has for them; nine in ten agreed, on some day of the year."""
    from rekindle import moment
    from rekindle.service.people.actions import record_contacts

    now, people = moment.now(), warehouse.table("people")
    number = ibis.row_number().over(order_by=people.customer_id)
    rows = people.select(
        people.customer_id, email=people.customer_id.replace(".", "-") + "@people.example", first_name=ibis.literal("Ada"),
        source=ibis.literal("shop"), external_id=ibis.literal("shop-") + people.customer_id, email_consent=number % 10 > 0,
        consent_at=ibis.literal(now.astimezone(UTC).replace(tzinfo=None)) - (number % YEAR).as_interval("D"),
    )
    found = warehouse.arrow(rows.order_by("customer_id"))
    for start in range(0, found.num_rows, CHUNK):
        record_contacts(found.slice(start, CHUNK), now)


def run(held: "Settings", warehouse: "Warehouse") -> int:
    """One run of the main job; how many messages its plan has."""
    from rekindle import moment
    from rekindle.moment import parse_as_of
    from rekindle.service.flow import cycle, documents, insights, journal_files, learning, planning, rhythm, segments

    as_of = parse_as_of(big_store.AS_OF, "UTC")
    cycle.close_cycle(held, warehouse, moment.now())
    approved = documents.approved(held)
    built, _ = insights.profiles(held, warehouse, as_of)
    segments.note(held, warehouse, as_of, built.table)
    rhythm.freeze(held, warehouse, approved, as_of)
    planned = planning.make(held, warehouse, built, approved, as_of)
    touches = planning.commit(held, warehouse, planned, built, approved)
    learning.learn(held, warehouse, approved, as_of)
    journal_files.publish(held.var, warehouse)
    return touches


def messages(warehouse: "Warehouse") -> int:
    """A message of the year behind to every customer, as the old plan's first stage decided it; how many there are."""
    from django.db.models import Case, F, TextField, Value, When
    from django.db.models.functions import Mod

    from rekindle import moment
    from rekindle.service.outbox import actions
    from rekindle.service.outbox.models import KNOWN, Touch

    latest = Touch.objects.latest("pk")
    journal = warehouse.table("journal").filter(lambda row: (row.plan == "old") & (row.stage == "reconnect"))
    number = ibis.row_number().over(order_by=journal.customer_id)
    now = ibis.literal(moment.now().astimezone(UTC).replace(tzinfo=None))
    named = ("customer_id", "program", "version", "episode", "stage", "arm", "offer", "channel")
    rows = journal.select(
        *named, send_at=now - (number % YEAR).as_interval("D") - (number % 86_399).as_interval("s"), code=ibis.literal(""),
        valid_until=ibis.null("date"), facts=ibis.literal(latest.facts),
    )
    actions.insert_touches("old", warehouse.arrow(rows.order_by("customer_id")))
    actions.ready("old")
    mine = Touch.objects.filter(plan_id="old").annotate(lot=Mod("id", Value(100)))
    ends = [When(lot__lt=below, then=Value(status)) for status, below, _ in ENDS]
    why = [When(lot__lt=below, then=Value(reason)) for _, below, reason in ENDS]
    return mine.update(status=Case(*ends), reason=Case(*why, output_field=TextField()), settled_at=F("send_at"), mirror=KNOWN)


def documents(held: "Settings") -> None:
    """An experiment that is approved, and a version of the rules that waits for a yes."""
    from rekindle import moment
    from rekindle.service.flow import drafts
    from rekindle.service.programs import actions

    now = moment.now()
    text = drafts.base(held, EXPERIMENT, OPERATOR).text.replace("A sentence that can turn out wrong.", "Words bring more than nothing.")
    actions.approve(drafts.submit(held, EXPERIMENT, text, "", OPERATOR, now), OPERATOR, now)
    rules = drafts.base(held, "rules.yaml")
    drafts.submit(held, "rules.yaml", rules.text + "# looked at\n", rules.digest, OPERATOR, now)


def jobs(held: "Settings") -> None:
    """A job of each kind that a page shows the result of, run as the worker runs them; one that fails ends the benchmark."""
    from rekindle import moment
    from rekindle.service.console import clerk
    from rekindle.service.console.jobs import start
    from rekindle.service.console.models import Job
    from rekindle.service.flow import uploads

    path = uploads.keep(held, "orders.csv", [UPLOAD.encode()])
    source = {"kind": "orders", "columns": COLUMNS, "decimal": ",", "time_format": "%d.%m.%Y"}
    look = [str(path), "--map", str(uploads.write_mapping(path, source))]
    for kind, arguments in (("diagnose", []), ("walk", ["win-back", "--weeks", "2"]), ("propose", []), ("audit", []), ("look", look)):
        start(kind, arguments, OPERATOR, moment.now())
    stop = Event()
    worker = Thread(target=clerk.attend, args=(held, stop, print))
    worker.start()
    while Job.objects.filter(state__in=(Job.State.WAITING, Job.State.RUNNING)).exists():
        stop.wait(1)
    stop.set()
    worker.join()
    for job in Job.objects.all():
        assert job.exit_code == 0, (job.kind, job.said, job.result)
        print(json.dumps({"job": job.kind, "seconds": round((job.ended_at - job.began_at) / timedelta(seconds=1))}))
