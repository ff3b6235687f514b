"""The whole main job on the real file of Online Retail, from an empty folder to the report, against its limit of 60 seconds.

Knows nothing of parts: it calls the command line as a user does.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILE = Path(__file__).parents[2] / "shared" / "data" / "online_retail.parquet"
LIMIT = 60.0


def main() -> None:
    """Runs `init` and `run` once and prints the seconds and their ratio to the limit."""
    if not FILE.exists():
        print(f"skipped: {FILE.name} is not there")
        return
    rekindle = str(Path(sys.executable).with_name("rekindle"))
    with tempfile.TemporaryDirectory() as name:
        store = str(Path(name) / "shop")
        begun = time.perf_counter()
        subprocess.run([rekindle, "init", store, "--preset", "online-retail"], check=True, capture_output=True)
        command = [rekindle, "--store", store, "run", str(FILE), "--preset", "online-retail"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
    print(done.stdout.rstrip())
    print(json.dumps({"seconds": round(seconds, 1), "limit": LIMIT, "ratio": round(seconds / LIMIT, 3)}))


if __name__ == "__main__":
    main()
