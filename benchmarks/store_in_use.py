"""A store folder as benchmarks use it: initialised, its ledger in use, and how much memory the process has taken at most.

Knows nothing of what is measured.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
