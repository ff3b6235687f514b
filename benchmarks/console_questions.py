"""What people ask the console's pages: searches, filters, further pages, and the pieces that answer while somebody writes.

Knows nothing of time. No two questions of one kind are alike, so that none is answered from what was kept of the one before.
"""

from itertools import islice, product

from console_pages import LOOKS, Look, Page, at, some


def questions() -> list[Page]:
    """Every way of asking, as a page of its own."""
    return [*searches(), *lists(), *outbox(), *segments(), *documents(), *others()]


def asked(of: str, **said: object) -> Look:
    """A look at a page with something behind the question mark."""
    from urllib.parse import urlencode

    return Look(f"{at(of)}?{urlencode(said)}")


def searches() -> list[Page]:
    """One customer by what is typed."""
    from rekindle.service.people.models import Person

    people, where = some(Person.objects), at("customers")
    ways = {
        "an e-mail address": [f"{one.replace('.', '-')}@people.example" for one in people],
        "the shop's id": [f"shop-{one}" for one in people], "an id": people,
    }  # fmt: skip
    nobody = tuple(Look(where, {"who": f"nobody-{number}@people.example"}) for number in range(LOOKS))
    begun = tuple(Look(where, {"who": one[:14]}) for one in people)
    none = tuple(Look(where, {"who": f"nobody{number:04}"}) for number in range(LOOKS))
    return [
        *(Page(f"customers: by {way}", tuple(Look(where, {"who": who}) for who in all_of), 302) for way, all_of in ways.items()),
        Page("customers: by an address of nobody's", nobody, 400),
        Page("customers: by the beginning of an id", begun, 302, masked=True),
        Page("customers: by an id of nobody's", none, 400, masked=True),
        Page("customers-one: masked", tuple(Look(at("customers-one", one)) for one in people), masked=True),
    ]


def lists() -> list[Page]:
    """The list of customers, narrowed and turned."""
    from rekindle.service.config.web import store_in_use
    from rekindle.service.console.stages import CAUSE, GROUPS, TIER
    from rekindle.service.flow import documents

    named = [one.name for one in documents.approved(store_in_use()).segments]
    narrowed = islice(product(TIER, CAUSE, GROUPS), 1, None, 4)
    within = islice(product(named, GROUPS), LOOKS)
    every = islice(product(GROUPS, TIER, named), 0, None, 3)
    return [
        Page("customers: by standing", tuple(asked("customers", standing=one) for one in GROUPS)),
        Page("customers: narrowed", tuple(
            asked("customers", standing=one, cause=cause, tier=tier) for tier, cause, one in islice(narrowed, LOOKS)
        )),
        Page("customers: of a segment", tuple(asked("customers", standing=one, segment=name) for name, one in within)),
        Page("customers: narrowed in a segment", tuple(
            asked("customers", standing=one, tier=tier, segment=name, page=2) for one, tier, name in islice(every, LOOKS)
        )),
        Page("customers: turned", tuple(asked("customers", standing="all", page=number + 2) for number in range(LOOKS))),
    ]  # fmt: skip


def outbox() -> list[Page]:
    """Messages of every state, and those that follow after one of them."""
    from rekindle.service.console.messages import STATES
    from rekindle.service.outbox.models import Touch

    found = []
    for state in STATES:
        rows = Touch.objects.filter(status__in=state.statuses)
        begun = [f"{one.send_at.isoformat()}~{one.pk}" for one in Touch.objects.filter(pk__in=some(rows)).order_by("-send_at")]
        found.append(Page(f"messages: {state.name}", (asked("messages", state=state.name),)))
        found.append(Page(f"messages: {state.name}, turned", tuple(asked("messages", state=state.name, after=one) for one in begun)))
    old = some(Touch.objects.filter(plan="old"))
    return [*found, Page("messages-one: of long ago", tuple(Look(at("messages-one", one)) for one in old)),
            Page("messages-one: masked", tuple(Look(at("messages-one", one)) for one in old), masked=True)]  # fmt: skip


def segments() -> list[Page]:
    """A segment that is opened to be changed, and one that is tried while somebody writes it."""
    from rekindle.service.config.web import store_in_use
    from rekindle.service.flow import documents

    names = [one.name for one in documents.approved(store_in_use()).segments]
    rules = (f"orders >= {2 + number} and silence_days > {30 + number}" for number in range(LOOKS))
    drafts = [{"name": "bench", "description": "Who ordered often.", "rule": rule, "owner": "Ada"} for rule in rules]
    return [
        Page("segments-draft: of one that is there", tuple(asked("segments-draft", name=name) for name in names)),
        Page("segments-trial: while one writes", tuple(Look(at("segments-trial"), one, piece=True) for one in drafts)),
        Page("segments-draft: checked", tuple(Look(at("segments-draft"), {**one, "check": "yes", "new": "yes"}) for one in drafts)),
    ]


def documents() -> list[Page]:
    """A document as text, examined while somebody writes it, and two of its versions beside each other."""
    from rekindle.service.config.web import store_in_use
    from rekindle.service.flow.document_versions import versions
    from rekindle.service.programs.queries import approved, text_of

    held = approved(store_in_use())
    written = [(name, {"as": "text", "text": f"{text_of(digest)}# looked at\n"}) for name, digest in held.items()]
    new, old = versions("rules.yaml")[:2]
    beside = f"{at('documents-one', 'rules.yaml')}?from={old.digest[:12]}&to={new.digest[:12]}"
    return [
        Page("documents-edit: as text", tuple(Look(f"{at('documents-edit', name)}?as=text") for name in held)),
        Page("documents-edit: checked", tuple(Look(at("documents-edit", name), {**said, "do": "check"}) for name, said in written)),
        Page("documents-check: while one writes", tuple(Look(at("documents-check", name), said, piece=True) for name, said in written)),
        Page("documents-one: two versions", (Look(beside),)),
    ]


def others() -> list[Page]:
    """What else can stand behind a question mark, and a job that is asked for again and again."""
    from rekindle.deliver.variants import SHORT
    from rekindle.service.config.web import store_in_use
    from rekindle.service.console.models import Job
    from rekindle.service.console.records import MOST
    from rekindle.service.flow import documents, registering
    from rekindle.service.outbox.models import Touch

    held = documents.approved(store_in_use())
    stage, audit = held.lead.stages[0], Job.objects.get(kind="audit")
    by = [f"{at('programs-sample', held.lead.name, stage.name, arm.name)}?by={way}" for arm in stage.arms for way in SHORT]
    last = min(Touch.objects.count(), MOST) // 50
    return [
        Page("policy: of a program", tuple(asked("policy", program=one.name) for one in held.programs)),
        Page("causes-fix: of a cause", tuple(asked("causes-fix", cause=kind) for kind in registering.CAUSES)),
        Page("programs-sample: short", tuple(map(Look, by))),
        Page("experiments-new: with a name", (asked("experiments-new", name="Fast or free"),), 302),
        Page("jobs-job: its piece", (Look(at("jobs-job", audit.key), piece=True),)),
        Page("records: touches, turned", tuple(asked("admin:outbox_touch_changelist", p=last * one // LOOKS + 1) for one in range(LOOKS))),
        Page("records: touches, sorted", tuple(asked("admin:outbox_touch_changelist", o=column) for column in range(1, 8))),
    ]
