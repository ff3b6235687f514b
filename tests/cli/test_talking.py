"""What a command says where it was typed wrongly or something breaks: one message, one exit code, never a traceback."""

import json
import os
import signal
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pytest

from rekindle.cli import folder
from tests.cli.terminal import typed

COMMANDS = (
    "init", "import", "run", "insight", "diagnose", "segments", "explain", "plan", "send", "learn", "report", "simulate", "check", "submit",
    "approve", "simulate-program", "policy", "preview", "events", "pause", "resume", "serve", "work", "export", "erase", "audit", "keys",
    "review", "handbook", "baseline", "blocker", "propose", "pull", "operators", "experiments",
)
GROUPS, ENDLESS = {"policy", "keys", "baseline", "blocker", "operators", "experiments"}, {"serve", "work"}
"""Commands whose own commands are tested beside them; commands that run until they are stopped."""

READS = {"explain", "check", "simulate-program", "preview"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_command_the_commands_are_listed() -> None:
    answer = typed()
    assert (answer.code, answer.out) == (2, "")
    listed = [line.split()[0] for line in answer.err.partition("Commands:\n")[2].splitlines() if not line.startswith("   ")]
    assert sorted(listed) == sorted(COMMANDS)
    assert typed("--help").out.strip() == answer.err.strip()


def test_no_line_of_the_list_is_cut_short() -> None:
    assert "..." not in typed("--help").out.partition("Commands:\n")[2]


def test_the_version() -> None:
    assert typed("--version").out == f"rekindle {version('rekindle')}\n"


@pytest.mark.parametrize("command", sorted({*COMMANDS} - GROUPS - ENDLESS))
def test_every_command_gives_json_and_whatever_writes_can_be_rehearsed(command: str) -> None:
    said = typed(command, "--help").out
    assert "--json" in said
    assert ("--dry-run" in said) == (command not in READS)


@pytest.mark.parametrize(
    ("words", "cause", "remedy"),
    [
        (("bogus",), "no such command 'bogus'", "See: rekindle --help"),
        (("insight", "--nope"), "no such option: --nope (Possible options: --model)", "See: rekindle insight --help"),
        (("plan", "--store", "shop"), "--store stands before the command", "Write: rekindle --store DIR plan"),
        (("init",), "missing argument 'DIR'", "See: rekindle init --help"),
        (("simulate",), "simulate needs a folder to make", "Write: rekindle simulate marigold"),
        (("simulate", "m", "--end", "soon"), "'soon' is not a day", "Write --end 2026-11-22."),
        (
            ("simulate", "m", "--months", "2", "--play-weeks", "9"), "--play-weeks 9 leaves no history of the 2 months",
            "Give more --months or fewer --play-weeks.",
        ),
        (
            ("simulate", "m", "--customers", "9"), "invalid value for '--customers': Input should be greater than or equal to 10",
            "See: rekindle simulate --help",
        ),
        (("insight",), ". is not a store folder: it has no rekindle.toml", "Make one with: rekindle init ."),
        (("--store", "no/shop", "run"), "no/shop is not a store folder: it has no rekindle.toml", "Make one with: rekindle init no/shop"),
        (("approve",), "approve takes a HASH or --all", "Write the hash that rekindle submit printed, or --all."),
    ],
)  # fmt: skip
def test_a_wrong_command_line_exits_with_2(words: tuple[str, ...], cause: str, remedy: str) -> None:
    answer = typed(*words)
    assert (answer.code, answer.out, answer.err) == (2, "", f"rekindle: {cause}.\n  {remedy}\n")
    assert list(Path().iterdir()) == []


def test_an_error_is_one_json_object_where_json_was_asked_for() -> None:
    answer = typed("insight", "--json", "--nope")
    shape = {"kind": "UsageError", "cause": "no such option: --nope (Possible options: --model)", "remedy": "See: rekindle insight --help"}
    assert json.loads(answer.out) == {"error": {**shape, "exit_code": 2}}
    assert typed("insight", "--json").json["error"]["exit_code"] == 2


def test_a_mistake_of_ours_is_one_message_that_names_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("orders")

    monkeypatch.setattr(folder, "plan_store", broken)
    answer = typed("init", "shop")
    assert (answer.code, answer.out) == (1, "")
    assert "Traceback" not in answer.err
    assert answer.err.startswith("rekindle: KeyError at ")
    assert answer.err.endswith(": 'orders'.\n  This is a mistake in Rekindle: please report it with the command that you typed.\n")


def test_what_the_machine_refuses_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "shop/var/x")

    monkeypatch.setattr(folder, "plan_store", full)
    answer = typed("init", "shop")
    assert (answer.code, answer.err) == (
        1, "rekindle: cannot use shop/var/x: No space left on device.\n  Check its permissions and the free space.\n",
    )  # fmt: skip


def test_an_interruption_says_that_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "plan_store", interrupted)
    answer = typed("init", "shop")
    assert (answer.code, answer.err) == (130, "\nStopped. What was committed stays; the same command goes on from there.\n")


def test_an_order_to_end_is_no_mistake_of_ours_where_the_engine_makes_an_error_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def queried(*_: object) -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(folder, "plan_store", queried)
    answer = typed("init", "shop")
    assert (answer.code, answer.err) == (130, "\nStopped. What was committed stays; the same command goes on from there.\n")
