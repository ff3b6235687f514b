"""What keeps jobs from being run: a ledger that fails meanwhile, and a worker that is not there."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection
from django.test import Client

from rekindle import moment
from rekindle.service.console import clerk, jobs
from rekindle.service.console.models import Job
from rekindle.service.console.roles import Role
from rekindle.service.console.turn import alone
from rekindle.settings import Settings

LISTED = jobs.Kind("List the operators", ("operators", "list", "--json"))


@contextmanager
def without_jobs() -> Iterator[None]:
    """The ledger cannot be asked for jobs as long as this lasts."""
    table = Job._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        yield
        cursor.execute(f"ALTER TABLE away RENAME TO {table}")


def until(happened: Callable[[], object]) -> None:
    last = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < last, "it never happened"
        time.sleep(0.01)


def test_a_clerk_outlives_a_ledger_that_fails_between_jobs_and_within_one(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (jobs, clerk):
        monkeypatch.setattr(module, "KINDS", {"test": LISTED})
    (shop.root / "rekindle.toml").touch()
    asked, stop, said = jobs.start("test", [], "ada", moment.now()), Event(), list[str]()
    thread = Thread(target=clerk.attend, args=(shop, stop, said.append, 0.05))

    def state() -> object:
        return Job.objects.get(pk=asked.pk).state

    try:
        with without_jobs():
            thread.start()
            until(lambda: said)
        until(lambda: state() == Job.State.RUNNING)
        with without_jobs():
            until(lambda: len(said) == 2)
        until(lambda: state() != Job.State.RUNNING)
    finally:
        stop.set()
        thread.join()
    done = Job.objects.get(pk=asked.pk)
    assert (done.state, done.exit_code, json.loads(done.result)) == (Job.State.DONE, 0, {"operators": []})
    assert ["cannot use the ledger" in line for line in said] == [True, True]


@pytest.mark.parametrize("state", [Job.State.WAITING, Job.State.RUNNING])
def test_a_job_that_nobody_runs_says_so(shop: Settings, enter: Callable[..., Client], state: Job.State) -> None:
    job, client, told = jobs.start("run", [], "ada", moment.now()), enter(Role.EDITOR), b"No worker runs"
    Job.objects.update(state=state)
    assert told not in client.get(f"/console/jobs/{job.key}").content, "a worker that is started again needs some seconds"
    Job.objects.update(asked_at=moment.now() - timedelta(seconds=31))
    assert told in client.get(f"/console/jobs/{job.key}", headers={"HX-Request": "true"}).content
    with alone(shop):
        assert told not in client.get(f"/console/jobs/{job.key}").content, "it waits for another job"
