"""A store folder as benchmarks use it: initialised, its ledger in use, and how much memory the process has taken at most.

Knows nothing of what is measured.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import big_store

if TYPE_CHECKING:
    from rekindle.settings import Settings


def use(folder: Path) -> "Settings":
    """The settings of a store whose history is there; the rest is made where it is not."""
    from rekindle import settings
    from rekindle.service.config import configure, use_ledger

    configure()
    if not (folder / "rekindle.toml").exists():
        command = [str(Path(sys.executable).with_name("rekindle")), "init", str(folder), "--currency", "EUR", "--timezone", "UTC"]
        subprocess.run(command, check=True, capture_output=True)
    held = settings.load(folder)
    use_ledger(held)
    return held


def peak() -> float:
    """Gigabytes. `ru_maxrss` would be the greater of this process and of the one it was started from, which has made the store."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e6


def judged(script: str, customers: int, seconds: float, gigabytes: float) -> None:
    """Makes a large history, has a benchmark's steps `--log` and `--in` run on it in processes of their own, and prints one JSON line.

    Args:
        script: The benchmark's file.
        customers: Of the history.
        seconds: That the last step may take; where it takes more the benchmark exits with 1.
        gigabytes: That it may hold at most, likewise.
    """
    with tempfile.TemporaryDirectory() as name:
        big_store.make(Path(name), customers)
        for step in ("--log", "--in"):
            child = subprocess.run([sys.executable, script, step, name], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(child.stdout.splitlines()[-1])
    limits = {"seconds_limit": seconds, "peak_limit_gb": gigabytes}
    print(json.dumps({name: round(value, 2) for name, value in ({"customers": customers} | found | limits).items()}))
    if found["seconds"] > seconds or found["peak_gb"] > gigabytes:
        sys.exit("A limit was missed.")
