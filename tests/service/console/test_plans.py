"""Programs, documents, offers, chances, experiments, reviews and governance as the console shows them, and what is done there."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from rekindle import moment
from rekindle.decide.policy import ANY, Policy
from rekindle.errors import CannotTell
from rekindle.learn.versions import Version, changes
from rekindle.service.config import use_ledger
from rekindle.service.console.models import Job
from rekindle.service.console.policy import whole_percents
from rekindle.service.console.roles import Role
from rekindle.service.flow import documents, policies
from rekindle.service.flow.document_versions import versions, waiting
from rekindle.service.outbox.models import Plan
from rekindle.service.programs import actions, queries
from rekindle.service.programs.models import Blocker
from rekindle.settings import Settings
from tests.service.conftest import NOON
from tests.service.console import plans_shop
from tests.service.console.operators import forget_second_factor, ready

Enter = Callable[..., Client]
NAME = "programs/win-back.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("plans") / "shop"
    root.mkdir()
    plans_shop.make(root)
    connection.close()
    return root


@pytest.fixture
def full(made: Path, store: Settings, shop: Settings) -> Iterator[Settings]:
    """The served store with documents and what a run leaves behind."""
    connection.close()
    plans_shop.copy(made, shop.root)
    use_ledger(shop)
    Plan.objects.create(hash=plans_shop.PLAN, ready=True)
    yield shop
    connection.close()


def text(client: Client, at: str, status: int = 200) -> str:
    answer = client.get(f"/console/{at}")
    assert answer.status_code == status, at
    return " ".join(answer.content.decode().partition("<main")[2].split())


def test_programs_are_listed_with_how_they_stand(full: Settings, enter: Enter) -> None:
    page = text(enter(Role.VIEWER), "programs")
    parts = ("Marketing", ">Win back<", "About customers’ own orders", ">Order confirmation<")
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)
    assert '<td data-head="Messages" class="number">30</td><td data-head="Left alone" class="number">46</td>' in page
    assert "EUR +0.41" in page
    actions.pause("win-back", "out of stock", "Ada", NOON)
    assert '<span class="tag warn">paused</span>' in text(enter(Role.VIEWER), "programs")


def test_a_program_is_shown_step_by_step(full: Settings, enter: Enter) -> None:
    page = text(enter(Role.VIEWER), "programs/win-back")
    for words in ("day 7 to 28", "After a click: on to reassure, 3 days later", "may lower the price", "10 % off in one category"):
        assert words in page, words
    step = page.partition('<th scope="row"><span class="unbroken">Tailor</span></th>')[2].partition("</tr>")[0]
    assert '<span>42<br><span class="soft small">30 to a message</span></span>' in step
    told = {"Left alone by a rule": 41, "Sent": 27, "Delivered": 26, "Clicked": 9, "Ordered": 4}
    assert all(f'<td data-head="{head}" class="number">{count}</td>' in step for head, count in told.items())
    assert "as the run of 20 November 2026 knew it" in page
    step = page.partition('<th scope="row"><span class="unbroken">Closing</span></th>')[2].partition("</tr>")[0]
    assert '<td data-head="Sent" class="number">0</td>' in step, "nothing went, which is known"
    assert "-0.10 to 0.92, may be nothing" in page
    assert "not yet distinguishable from nothing" in page
    worth = page.partition("What a message of the step is worth")[2]
    step = worth.partition('<th scope="row"><span class="unbroken">Reconnect</span></th>')[2].partition("</tr>")[0]
    assert '<span>20 %<br><span class="soft small">in 90 days</span></span>' in step
    assert '<td data-head="Ordered, left alone by the draw" class="number">15 %</td>' in step
    assert '<span>EUR +0.41<br><span class="soft small">-0.10 to 0.92, may be nothing</span></span>' in step
    assert page.count("not known<br>before 2 December 2026") == 2, "both numbers of tailor"
    assert page.count("7 drew nothing and 24 a message") == 2
    assert "it has worked when the customer looks in or signs in again within 14 days" in page
    assert "A round ends at once with an order, an opt-out" in page
    assert "it has no frozen baseline" in page
    assert "<button>Dry run" not in page, "a viewer starts nothing"


def test_a_message_is_shown_as_an_invented_customer_reads_it(full: Settings, enter: Enter) -> None:
    viewer = enter(Role.VIEWER)
    assert "Ada, it has been a while" in text(viewer, "programs/win-back/sample/reconnect/light")
    assert "1 part of an SMS" in text(viewer, "programs/win-back/sample/reconnect/light?by=sms")
    mail = viewer.get("/console/programs/win-back/sample/reconnect/light/mail")
    assert "sandbox" in mail["Content-Security-Policy"]
    assert "EXAMPLE1" in mail.content.decode()
    assert viewer.get("/console/programs/win-back/sample/reconnect/none").status_code == 404


def edit(client: Client, do: str = "submit", **given: str) -> tuple[int, str]:
    began = versions(NAME)[0].digest
    answer = client.post(f"/console/documents/edit/{NAME}", {"began": began, "do": do, **given})
    return answer.status_code, answer.content.decode()


def test_a_document_is_edited_in_a_form_and_waits_for_a_yes(full: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    assert 'name="stages/tailor/delay/at_most" value="28d"' in text(editor, f"documents/edit/{NAME}")
    assert edit(editor, "check", control="0.2")[0] == 200
    assert waiting() == (), "to check is not to submit"
    status, page = edit(editor, control="0.7")
    assert status == 400
    assert "Not submitted: programs/win-back.yaml, line 13" in page
    assert edit(editor, control="0.2", owner="Ada")[0] == 302
    (newest,) = waiting()
    assert queries.text_of(newest.digest) == queries.text_of(versions(NAME)[1].digest).replace("control: 0.10", "control: 0.2")
    page = text(editor, f"documents/versions/{NAME}")
    assert "<del>" in page
    assert "+ control: 0.2" in page
    assert "Approve this version" not in page, "an editor does not"
    assert "new version waits" in text(editor, "programs")
    assert edit(editor, control="0.3")[0] == 302, "an edit goes on from what waits"
    assert 'name="control" value="0.3"' in text(editor, f"documents/edit/{NAME}")


def test_a_text_is_edited_with_the_breaks_of_a_browser(full: Settings, enter: Enter) -> None:
    editor, before = enter(Role.EDITOR), queries.text_of(versions(NAME)[0].digest)
    given = before.replace("control: 0.10", "control: 0.20").replace("\n", "\r\n")
    assert edit(editor, **{"as": "text", "text": given})[0] == 302
    assert queries.text_of(waiting()[0].digest) == before.replace("control: 0.10", "control: 0.20")
    status, page = edit(editor, "check", **{"as": "text", "text": "a: ["})
    assert (status, "1 mistake to mend" in page) == (200, True)


def test_a_draft_is_checked_while_it_is_written(full: Settings, enter: Enter) -> None:
    answer = enter(Role.EDITOR).post(f"/console/documents/check/{NAME}", {"control": "0.7"}, headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert '<span class="tag bad">line 13</span>' in answer.content.decode()


def test_a_yes_is_a_job_and_a_refusal_of_it_is_shown_where_it_was_asked_for(full: Settings, enter: Enter) -> None:
    assert edit(enter(Role.EDITOR), control="0.2")[0] == 302
    (newest,), approver = waiting(), enter(Role.APPROVER)
    answer = approver.post("/console/documents/approve", {"version": newest.digest})
    job = Job.objects.get(kind="approve")
    assert answer["Location"] == f"/console/jobs/{job.key}"
    assert (job.arguments, job.by) == ([newest.digest, "--by", "approver@marigold.example"], "approver@marigold.example")
    Job.objects.update(state=Job.State.FAILED, said="The content has a mistake.")
    assert "The content has a mistake." in text(approver, f"documents/versions/{NAME}")
    assert approver.post("/console/documents/approve", {"version": "0" * 64}).status_code == 400


def autopilot(client: Client, given: str) -> str:
    """Submits rules with this autopilot and returns the version."""
    name = "rules.yaml"
    held = versions(name)[0].digest
    written = re.sub(r"(?m)^autopilot: .*$", f"autopilot: {given}", queries.text_of(held))
    answer = client.post(f"/console/documents/edit/{name}", {"began": held, "do": "submit", "as": "text", "text": written})
    assert answer.status_code == 302, answer.content.decode().partition("<main")[2]
    return versions(name)[0].digest


def test_who_submits_a_wider_autopilot_does_not_say_yes_to_it_alone(full: Settings, enter: Enter) -> None:
    ada, grace = enter(Role.APPROVER), enter(Role.ADMIN)

    def yes(client: Client, version: str) -> int:
        return client.post("/console/documents/approve", {"version": version}).status_code

    wide = autopilot(ada, "{max_touches: 500, max_cost: 100.00}")
    answer = ada.post("/console/documents/approve", {"version": wide})
    assert (answer.status_code, "Another approver says yes" in answer.content.decode()) == (400, True)
    assert "Approve this version" not in text(ada, "documents/versions/rules.yaml")
    assert not Job.objects.exists()
    assert yes(grace, wide) == 302
    actions.approve(wide, "admin@marigold.example", NOON)
    assert yes(ada, autopilot(ada, "{max_touches: 400, max_cost: 100.00}")) == 302, "less goes without a yes"
    assert yes(ada, autopilot(ada, "{max_touches: 400, max_cost: 101.00}")) == 400
    forget_second_factor(ready(Role.ADMIN))
    assert yes(ada, versions("rules.yaml")[0].digest) == 302, "there is nobody else who may"


def test_a_program_is_paused_for_a_reason_and_resumed(full: Settings, enter: Enter) -> None:
    approver = enter(Role.APPROVER)
    assert approver.post("/console/programs/win-back/pause", {"reason": " "}).status_code == 400
    assert queries.paused() == frozenset()
    approver.post("/console/programs/win-back/pause", {"reason": "The offer ran out."})
    (pause,) = queries.pauses("win-back")
    assert (pause.reason, pause.by) == ("The offer ran out", "approver@marigold.example")
    assert "The offer ran out" in text(approver, "programs/win-back")
    approver.post("/console/programs/win-back/pause", {"do": "resume"})
    assert queries.paused() == frozenset()


def test_a_dry_run_is_asked_for_and_its_result_shown(full: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    editor.post("/console/programs/win-back/walk")
    job = Job.objects.get(kind="walk")
    assert job.arguments == ["win-back"]
    assert editor.get(f"/console/walks/{job.key}").status_code == 404, "before there is a result"
    job.state, job.result = Job.State.DONE, json.dumps(WALKED)
    job.save()
    page = text(editor, f"walks/{job.key}")
    for words in ("250 were due", "61 in the fullest week", "No consent", "broken 3 times"):
        assert words in page, words
    assert f"/console/walks/{job.key}" in text(editor, "programs/win-back")


WALKED = {
    "program": "win-back", "rehearsal": False, "from": "2025-11-24", "weeks": 52, "every_days": 7, "cannot_tell": None,
    "customers": {"due": 250, "written_to": 200, "left_alone": 50}, "messages": 90, "longest_round": {"messages": 4, "days": 70},
    "messages_by_week": [{"week": "2025-11-24", "messages": 29}, {"week": "2025-12-01", "messages": 61}],
    "cost_ceiling": 9000.0, "expected_cost": 4000.0, "expected_margin": {"estimate": 1000, "low": 1, "high": 2},
    "customers_left_alone": {"no_consent": 40, "nothing": 10, "control": 0},
    "caps": [{"cap": "touches", "limit": 4, "most": 5, "broken": 3, "held": False}, {"cap": "gap", "limit": 7, "most": None, "held": True}],
}  # fmt: skip


def test_offers_are_shown_with_cost_floor_takers_and_what_budgets_have_left(full: Settings, enter: Enter) -> None:
    page = text(enter(Role.VIEWER), "offers")
    assert "10 % of the price, at most EUR 20.00" in page
    assert '<td data-head="Margin floor" class="number">15 %</td><td data-head="Messages" class="number">30</td>' in page
    assert "6 of 30" in page
    assert "EUR 21.30" in page
    assert "EUR 40 promised in the last 30 days, 4 % of what may be" in page


def kept(store: Settings) -> str:
    """A version in which customers of high value are always left alone after they reconnect."""
    held = documents.approved(store)
    stage = held.program("win-back").stage("reassure")
    rows = [("win-back", stage.name, where, arm.name, share) for where, share in ((ANY, 0.2), ("high/other", 0.0)) for arm in stage.arms]
    rows += [("win-back", stage.name, ANY, "nothing", 0.4), ("win-back", stage.name, "high/other", "nothing", 1.0)]
    before, table = policies.in_force(store, held), Policy("learning", tuple(rows))
    found = Version(table, "learning", NOON, before.version, changes(before, table, held.programs), {}, CannotTell("nobody is due"), {})
    return policies.keep(store, found, NOON)


@pytest.mark.parametrize(
    ("chances", "shown"),
    [([1 / 3] * 3, ("34 %", "33 %", "33 %")), ([0.145, 0.145, 0.71], ("15 %", "14 %", "71 %")), ([0.29, 0.71], ("29 %", "71 %")),
     ([0.003, 0.0, 0.997], ("under 1 %", "0 %", "100 %")), ([1 / 7] * 7, ("15 %", "15 %", *["14 %"] * 5))],
)  # fmt: skip
def test_a_row_of_chances_adds_up(chances: list[float], shown: tuple[str, ...]) -> None:
    assert whole_percents(chances) == shown


def test_the_table_of_chances_is_a_heat_map_and_a_proposal_is_held_against_it(full: Settings, enter: Enter) -> None:
    approver = enter(Role.APPROVER)
    page = text(approver, "policy")
    assert "In force: equal chances" in page
    assert '<td class="shade-2">25 %</td>' in page
    name = kept(full)
    assert "A new table waits for a yes" in text(approver, "policy")
    page = text(approver, f"policy/version/{name}")
    assert "What it will cost cannot be told yet" in page
    assert '<th scope="row">High value, lapsed otherwise</th><td class="shade-0">0 %<span class="was">was 25 %</span></td>' in page
    approver.post("/console/policy/approve", {"version": name})
    approver.post("/console/policy/approve", {"version": "equal-chance"})
    assert approver.post("/console/policy/approve", {"version": "other"}).status_code == 400
    asked = {job.kind: job.arguments for job in Job.objects.all()}
    by = ["--by", "approver@marigold.example"]
    assert asked == {"policy-approve": [name, *by], "policy-back": ["equal-chance", *by]}


def test_governance_says_who_is_left_alone_and_why(full: Settings, enter: Enter) -> None:
    page = text(enter(Role.VIEWER), "governance")
    assert "58 were due and hear nothing" in page
    assert "41 now, 41 new" in page
    assert "5 now, 0 new" in page
    assert "3 in 30 days" in page
    assert "not audited" in page
    assert '<th scope="row">Country: DE</th>' in page
    assert "within the rules" in page
    assert "one is due" in page


def test_an_audit_is_signed_once(full: Settings, enter: Enter) -> None:
    facts = {
        "chain": {"plans": 3, "broken": []}, "log": {"entries": 7, "broken": []}, "replayed": {"decisions": 9, "different": 0},
        "caps": [{"cap": "cap_reached", "words": "message cap reached", "touches": 3, "days": 30, "messages": 90, "breaches": 2}],
        "lint": {"errors": 0, "warnings": 1}, "receptions": [], "disparities": [], "findings": ["2 messages were more than 3 in 30 days"],
    }  # fmt: skip
    digest = "f" * 64
    actions.submit([actions.Submission("audit/2026-11-20", queries.AUDIT, json.dumps(facts), digest=digest)], NOON)
    approver = enter(Role.APPROVER)
    assert "2 messages were more than 3 in 30 days" in text(approver, f"governance/audits/{digest[:12]}")
    assert "2 times" in text(approver, "governance")
    assert approver.post("/console/governance/sign", {"audit": digest}).status_code == 302
    assert queries.sign_offs()[digest].by == "approver@marigold.example"
    assert approver.post("/console/governance/sign", {"audit": digest}).status_code == 400
    assert digest not in {one.digest for one in versions()}, "an audit is no document that people write"


def test_a_review_is_held_with_what_it_found(full: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    page = text(editor, "reviews")
    assert "no frozen baseline" in page.lower()
    assert "Targets of 2026-Q4" in page
    assert '<span class="tag bad">behind</span><br><span class="small soft">It lies below what is expected</span>' in page
    assert editor.post("/console/reviews/win-back", {"note": ""}).status_code == 400
    assert editor.post("/console/reviews/other", {"note": "Looked at it."}).status_code == 400
    assert queries.reviews() == ()
    assert editor.post("/console/reviews/win-back", {"note": "Looked at it."}).status_code == 302
    assert [(one.program, one.by, one.note) for one in queries.reviews()] == [("win-back", "editor@marigold.example", "Looked at it.")]
    assert "Looked at it." in text(editor, "reviews")


def test_what_stands_in_the_way_is_noted_and_goes(full: Settings, enter: Enter) -> None:
    editor, day = enter(Role.EDITOR), (moment.now() - timedelta(days=1)).date().isoformat()
    given = {"text": "No stock of lanterns", "function": "product", "owner": "Bea", "due": day, "program": "win-back"}
    for wrong in ({"function": "magic"}, {"due": "soon"}, {"owner": " "}):
        assert editor.post("/console/reviews/blockers", {**given, **wrong}).status_code == 400
    editor.post("/console/reviews/blockers", given)
    (found,) = Blocker.objects.all()
    page = text(editor, "reviews")
    assert "No stock of lanterns" in page
    assert '<span class="tag bad">late</span>' in page
    assert editor.post("/console/reviews/blockers", {"number": str(found.pk)}).status_code == 400
    editor.post("/console/reviews/blockers", {"number": str(found.pk), "resolution": "They came."})
    assert Blocker.objects.get().resolved_by == "editor@marigold.example"


EXPERIMENT = """experiment: shipping-or-words
owner: Ada
hypothesis: Free delivery brings more margin than a plain reminder.
program: win-back
stage: reconnect
arms: [light]
against: reminder
size: 500
looks: 4
"""


def test_an_experiment_is_shown_as_it_was_written_down(full: Settings, enter: Enter) -> None:
    approver = enter(Role.APPROVER)
    assert "No experiment yet" in text(approver, "experiments")
    wanted = actions.Submission("experiments/shipping-or-words.yaml", "experiments", EXPERIMENT, "Ada")
    (digest,) = actions.submit([wanted], NOON)
    assert "experiments/shipping-or-words.yaml waits for a yes" in text(approver, "experiments")
    actions.approve(digest, "Ada", NOON)
    assert "Free delivery brings more margin than a plain reminder." in text(approver, "experiments")
    assert "500 decisions of each" in text(approver, "experiments/shipping-or-words")
    approver.post("/console/experiments/shipping-or-words/decide")
    job = Job.objects.get(kind="experiment-start")
    assert job.arguments == ["shipping-or-words", "--by", "approver@marigold.example"]


def test_what_is_not_there_yet_begins_with_an_example(full: Settings, enter: Enter) -> None:
    editor = enter(Role.EDITOR)
    at = editor.get("/console/experiments/new", {"name": "Delivery or words"})["Location"]
    assert at == "/console/documents/edit/experiments/delivery-or-words.yaml?as=text"
    assert "experiment: delivery-or-words" in editor.get(at).content.decode()
    assert editor.get("/console/experiments/new", {"name": "../x"})["Location"] == "/console/experiments"
    assert "birthday-preview" not in text(editor, "documents/edit/programs/birthday.yaml"), "what ships is there to begin with"
    began = editor.get(at).content.decode().partition('name="text"')[2].partition(">")[2].partition("</textarea>")[0].replace("&quot;", '"')
    assert 'owner: "editor@marigold.example"' in began
    given = began.replace("A sentence that can turn out wrong.", "A reminder brings more than nothing.")
    answer = editor.post(at, {"began": "", "do": "submit", "as": "text", "text": given})
    assert answer.status_code == 302, answer.content.decode().partition("<main")[2][:900]
    assert [one.document for one in waiting()] == ["experiments/delivery-or-words.yaml"]
    assert editor.get("/console/documents/edit/programs/none.yaml").status_code == 404


def test_a_store_in_which_nothing_is_approved_says_what_to_do(shop: Settings, enter: Enter) -> None:
    viewer = enter(Role.VIEWER)
    for at, words in (
        ("programs", "No program is approved"), ("documents", "No document yet"), ("offers", "No offer is approved"),
        ("policy", "No table yet"), ("experiments", "No experiment yet"), ("reviews", "Nothing to review yet"),
        ("governance", "No plan has been made yet"),
    ):  # fmt: skip
        assert words in text(viewer, at), at
