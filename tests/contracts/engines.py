"""The engines that contract tests run on: DuckDB in a file, and Spark in this process, started once."""

import os
import shutil
from functools import cache
from typing import Any

import pytest

URLS = {"duckdb": "duckdb://history.duckdb", "spark": "spark://lake"}
QUIET = {
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.shuffle.partitions": "4",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": "1g",
    "spark.sql.adaptive.enabled": "false", "spark.default.parallelism": "2",
}
"""One small machine: no pages, few partitions, and no plans made anew while they run."""

QUIETLY = [pytest.mark.filterwarnings(f"ignore::{name}") for name in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning")]
"""Py4J leaves its sockets to the garbage collector, 2026-11."""


def needs_spark() -> None:
    """Skips the test where Spark or Java is absent, fails where CI is set."""
    missing = None if shutil.which("java") or os.environ.get("JAVA_HOME") else "Java 17 (openjdk-17-jre-headless)"
    try:
        import pyspark  # noqa: F401  only whether it is there
    except ImportError:
        missing = "PySpark (make test-engines installs it)"
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing} is absent although CI is set")
    if missing:
        pytest.skip(f"{missing} is absent")


@cache
def spark() -> Any:
    """The one Spark of all tests; what it warns of at its start is about this machine."""
    needs_spark()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("rekindle tests")
    for name, value in QUIET.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
