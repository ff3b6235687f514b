"""A store whose plans the console shows: the win-back and the order's confirmation, approved, with what a run leaves for pages."""

import json
import shutil
from pathlib import Path

from rekindle.program.catalogue import scaffold
from rekindle.service.config import use_ledger
from rekindle.service.flow import documents
from rekindle.settings import Settings
from tests.decide.shop import MONDAY
from tests.service.conftest import NOON

PLAN = "ab12cd34ef56"
CELL = {
    "program": "win-back", "stage": "tailor", "arm": "percent", "offer": "category_percent", "reason": None, "channel": "email",
    "fresh": True, "service": False, "customers": 30, "cost": 4_000.0, "ceiling": 9_000.0, "margin": 700.0,
}  # fmt: skip
NONE = {"offer": None, "channel": None, "cost": 0.0, "ceiling": 0.0, "margin": 0.0}
CELLS = (
    CELL, {**CELL, **NONE, "arm": "nothing", "customers": 12}, {**CELL, **NONE, "arm": None, "reason": "no_consent", "customers": 41},
    {**CELL, **NONE, "arm": None, "reason": "held_out", "customers": 5, "fresh": False},
)  # fmt: skip
VERDICT = {"column": "country", "customers": 200, "passed": True, "disparity": {"low": 0.01, "estimate": 0.04, "high": 0.08}}
MARGIN = {"difference": 41.0, "low": -10.0, "high": 92.0, "told_apart": False, "p_value": 0.2}
ORDERED = {"control_mean": 0.15, "difference": 0.05, "low": -0.06, "high": 0.16, "told_apart": False}
UNTOLD = {"control_mean": 0.5, "cannot_tell": "7 drew nothing and 24 a message; 20 of each are needed"}
LEARNED = {
    "as_of": "2026-11-20T00:00:00+00:00", "srm": [], "leaks": {}, "suite": None,
    "programs": [{
        "program": "win-back", "treated": 400, "control": 40, "measures": {"margin": MARGIN},
        "stages": [
            {"stage": "reconnect", "maturity": {"window_days": 90, "next_on": "2026-12-02"}, "by": {
                "arm": {"light": {"measures": {"margin": MARGIN}}, "how_to": {"measures": {"margin": MARGIN}}},
                "stage": {"reconnect": {"arms": ["light", "how_to"], "measures": {"margin": MARGIN, "retained": ORDERED}}},
            }},
            {"stage": "tailor", "maturity": {"window_days": 28, "next_on": "2026-12-02"}, "by": {
                "arm": {"percent": {"measures": {"margin": MARGIN}}},
                "stage": {"tailor": {"arms": ["percent"], "measures": {"margin": UNTOLD, "retained": UNTOLD}}},
            }},
        ],
    }],
    "stage_funnel": [
        {"program": "win-back", "stage": "tailor", "assigned": 40, "messages": 28, "sent": 27, "delivered": 26, "clicked": 9, "ordered": 4},
        {"program": "order-confirmation", "stage": "tailor", "sent": 700, "delivered": 700, "clicked": 700, "ordered": 700},
    ],
}  # fmt: skip
TARGET = {
    "target": "win_back_margin", "metric": "incremental_margin", "words": "margin a customer, against the control", "program": "win-back",
    "owner": "Ada", "quarter": "2026-Q4", "status": "behind", "why": "it lies below what is expected", "shown": "EUR 0.41",
    "expected": "EUR 1.00 to EUR 2.00",
}  # fmt: skip
FILES = {
    "rhythm/targets.json": {"as_of": "2026-11-20T00:00:00+00:00", "targets": [TARGET]},
    f"plans/{PLAN}/counts.json": {"as_of": "2026-11-20T00:00:00", "rehearsal": False, "cells": CELLS},
    f"plans/{PLAN}/fairness.json": [{**VERDICT, "group": "DE", "worth": 120.0, "rest": 125.0}],
    "offers/codes.json": {"as_of": "2026-11-20T00:00:00", "offers": {"category_percent": {"codes": 30, "orders": 6, "discount": 2_130}}},
    "learn/2026-11-20.json": LEARNED,
}


def make(root: Path) -> None:
    """Makes the store folder; its ledger is that of the folder."""
    settings = Settings(root=root)
    use_ledger(settings)
    scaffold(root, "Ada", "EUR", MONDAY.date())
    for path in (root / "programs").glob("*.yaml"):
        if path.stem not in ("win-back", "order-confirmation"):
            path.unlink()
    documents.approve_all(settings, "Ada", NOON)
    for name, told in FILES.items():
        path = settings.var / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told), encoding="utf-8")


def copy(made: Path, root: Path) -> None:
    """Puts a copy of a made store over a test's own."""
    shutil.copytree(made, root, dirs_exist_ok=True)
