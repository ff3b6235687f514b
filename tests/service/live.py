"""A store whose shipped programs may go live: documents approved, and a baseline of each written down."""

from datetime import date

from rekindle.learn.baseline import Baseline, Levels, write
from rekindle.program.catalogue import scaffold
from rekindle.service.flow import baselines, documents
from rekindle.service.flow.content import scaffold_content
from rekindle.service.programs import actions
from rekindle.service.programs.actions import Submission
from rekindle.service.programs.queries import BASELINE
from rekindle.settings import Settings
from tests.service.conftest import NOON

LEVELS = Levels(customers=1_000, buyers=400, repeaters=100, orders=600, spend=3_000_000, margin=1_200_000)


def baseline(program: str, version: str = "v", rule: str = "true") -> Baseline:
    return Baseline(program, version, rule, date(2025, 11, 24), date(2026, 11, 22), LEVELS, LEVELS, {}, "0.40")


def approve_shipped(store: Settings) -> None:
    """Writes the shipped documents and texts into the store's folder and approves them."""
    scaffold(store.root, "Ada", store.currency, NOON.date())
    scaffold_content(store.root)
    documents.approve_all(store, "Ada", NOON)


def freeze_all(store: Settings) -> None:
    """Writes a baseline down for every approved program that needs one."""
    made = [baseline(one.name, one.digest, one.audience.enter.text) for one in baselines.needed(documents.approved(store))]
    actions.submit([Submission(f"{baselines.PREFIX}{one.program}", BASELINE, write(one), "Ada", one.digest) for one in made], NOON)


def go_live(store: Settings) -> None:
    """Everything that a program needs before its messages may leave the machine."""
    approve_shipped(store)
    freeze_all(store)
